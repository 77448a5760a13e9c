/**
 * A few members out of a JSON text that comes in pieces, which may end at any byte: the text is never held, nor is any of it kept but
 * the values of the members asked for (body-names.ts). What is not asked for is stepped over, 16 bytes at a time, however long or
 * deeply nested it is. Of members that stand there twice the last one counts.
 *
 * Texts may follow one another, with anything but braces and quotes between them (a list of objects, one object a line). Of a stream of
 * events each line of data is a text of its own. What is no JSON ends the reading of its text.
 */
import {
  BODY_COUNTS, BODY_DEPTH, BODY_DEPTH_MAX, BODY_ESCAPED, BODY_EVENTS, BODY_FLAGS, BODY_FOUND, BODY_LONG, BODY_MODEL, BODY_MODEL_LENGTH,
  BODY_NESTED, BODY_NODES, BODY_NO_TEXT, BODY_NUMBER, BODY_STATE, BODY_TARGET, BODY_TEXT, BODY_TEXT_LENGTH, BODY_TEXT_MAX, BODY_BYTES,
} from './body-contract'
import { NODE_ROOT, TARGET_COUNT, TARGET_MODEL, TARGET_NODE, TARGET_NONE, targetOf } from './body-names'
import { unescape } from './json-scan'

// States. The ones from LINE on do not read JSON.
const OUTSIDE: u32 = 0 // between texts
const MEMBER: u32 = 1 // in an object of the tree: a name, or its end
const NAME: u32 = 2
const NAME_ESCAPE: u32 = 3
const COLON: u32 = 4
const VALUE: u32 = 5
const COUNT: u32 = 6
const TEXT: u32 = 7
const TEXT_ESCAPE: u32 = 8
const WORD: u32 = 9 // a number, true, false or null that is passed over
const STRING: u32 = 10
const STRING_ESCAPE: u32 = 11
const NESTED: u32 = 12
const LINE: u32 = 13 // of events: the line's first bytes
const LINE_REST: u32 = 14
const LOST: u32 = 15

const COUNT_LIMIT: f64 = 9007199254740991
const DATA: u64 = 0x3a61746164 // "data:"
const DATA_LENGTH: u32 = 5

const plain: usize = memory.data(288)

export function openBody(body: usize, isEvents: bool): void {
  memory.fill(body, 0, BODY_BYTES)
  store<u32>(body, BODY_NO_TEXT, BODY_MODEL_LENGTH)
  if (isEvents) {
    store<u8>(body, BODY_EVENTS, BODY_FLAGS)
    setState(body, LINE)
  }
}

/** Bytes are missing here: the rest of the text they belong to cannot be read; of events the next line can. */
export function loseBody(body: usize): void {
  giveUp(body)
}

/** Reads up to 15 bytes behind the end. */
export function scanBody(body: usize, at: usize, length: u32): void {
  const end = at + length
  if ((load<u8>(body, BODY_FLAGS) & BODY_EVENTS) == 0) return scanText(body, at, end)
  while (at < end) {
    const line = lineEnd(at, end)
    scanText(body, at, line)
    if (line == end) return
    store<u8>(body, 0, BODY_DEPTH)
    store<u32>(body, 0, BODY_NESTED)
    setState(body, LINE)
    at = line + 1
  }
}

// @ts-ignore: decorator
@inline
function setState(body: usize, state: u32): void {
  store<u8>(body, state, BODY_STATE)
}

function giveUp(body: usize): void {
  setState(body, (load<u8>(body, BODY_FLAGS) & BODY_EVENTS) != 0 ? LINE_REST : LOST)
}

/** The first CR or LF, or `end`. */
function lineEnd(at: usize, end: usize): usize {
  for (; at < end; at += 16) {
    const block = v128.load(at)
    const found = i8x16.bitmask(v128.or(i8x16.eq(block, i8x16.splat(0x0a)), i8x16.eq(block, i8x16.splat(0x0d))))
    if (found != 0) return min<usize>(at + ctz(found), end)
  }
  return end
}

// @ts-ignore: decorator
@inline
function isSpace(byte: u32): bool {
  return byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
}

function scanText(body: usize, at: usize, end: usize): void {
  while (at < end) {
    const byte = <u32>load<u8>(at)
    switch (<u32>load<u8>(body, BODY_STATE)) {
      case OUTSIDE:
        if (byte == 0x7b) open(body, NODE_ROOT)
        else if (byte == 0x22) setState(body, STRING)
        at++
        break
      case MEMBER:
        if (byte == 0x22) beginText(body, NAME)
        else if (byte == 0x7d) close(body)
        else if (byte != 0x2c && !isSpace(byte)) giveUp(body)
        at++
        break
      case NAME:
      case TEXT:
        at = takeText(body, at, end)
        break
      case NAME_ESCAPE:
      case TEXT_ESCAPE:
        addByte(body, byte)
        setState(body, <u32>load<u8>(body, BODY_STATE) - 1)
        at++
        break
      case COLON:
        if (byte == 0x3a) setState(body, VALUE)
        else if (!isSpace(byte)) giveUp(body)
        at++
        break
      case VALUE:
        if (!isSpace(byte)) beginValue(body, byte)
        at++
        break
      case COUNT:
        if (byte - 0x30 < 10) {
          addDigit(body, byte - 0x30)
          at++
        } else {
          endCount(body, byte)
        }
        break
      case WORD:
        if (byte == 0x2c || byte == 0x7d) setState(body, MEMBER)
        else at++
        break
      case STRING:
        at = passString(body, at, end)
        break
      case STRING_ESCAPE:
        setState(body, STRING)
        at++
        break
      case NESTED:
        at = passNested(body, at, end)
        break
      case LINE:
        at = beginLine(body, byte, at)
        break
      default: return
    }
  }
}

/** `data:` and what follows it is a text; any other line is none. */
function beginLine(body: usize, byte: u32, at: usize): usize {
  const done = load<u32>(body, BODY_NESTED)
  if (byte != <u32>((DATA >> (done << 3)) & 0xff)) {
    setState(body, LINE_REST)
    return at
  }
  store<u32>(body, done + 1, BODY_NESTED)
  if (done + 1 == DATA_LENGTH) {
    store<u32>(body, 0, BODY_NESTED)
    setState(body, OUTSIDE)
  }
  return at + 1
}

function open(body: usize, node: u32): void {
  const depth = <u32>load<u8>(body, BODY_DEPTH)
  store<u8>(body + depth, node, BODY_NODES)
  store<u8>(body, depth + 1, BODY_DEPTH)
  setState(body, MEMBER)
}

function close(body: usize): void {
  const depth = <u32>load<u8>(body, BODY_DEPTH) - 1
  store<u8>(body, depth, BODY_DEPTH)
  setState(body, depth == 0 ? OUTSIDE : MEMBER)
}

function beginText(body: usize, state: u32): void {
  store<u32>(body, 0, BODY_TEXT_LENGTH)
  store<u8>(body, load<u8>(body, BODY_FLAGS) & ~BODY_ESCAPED, BODY_FLAGS)
  setState(body, state)
}

function beginValue(body: usize, byte: u32): void {
  const target = <u32>load<u8>(body, BODY_TARGET)
  if (byte == 0x22) {
    if (target == TARGET_MODEL) return beginText(body, TEXT)
    return setState(body, STRING)
  }
  if (byte == 0x7b && target >= TARGET_NODE && <u32>load<u8>(body, BODY_DEPTH) < <u32>BODY_DEPTH_MAX) return open(body, target - TARGET_NODE)
  if (byte == 0x7b || byte == 0x5b) {
    store<u32>(body, 1, BODY_NESTED)
    return setState(body, NESTED)
  }
  if (byte - 0x30 < 10 && target >= TARGET_COUNT && target < TARGET_NODE) {
    store<f64>(body, <f64>(byte - 0x30), BODY_NUMBER)
    return setState(body, COUNT)
  }
  // A letter, a digit or a minus sign.
  if ((byte | 0x20) - 0x61 < 26 || byte - 0x30 < 10 || byte == 0x2d) return setState(body, WORD)
  giveUp(body)
}

/** Up to the quote that ends a name or text, or a backslash. */
function takeText(body: usize, at: usize, end: usize): usize {
  for (; at < end; at++) {
    const byte = <u32>load<u8>(at)
    if (byte == 0x22) {
      endText(body)
      return at + 1
    }
    addByte(body, byte)
    if (byte == 0x5c) {
      store<u8>(body, load<u8>(body, BODY_FLAGS) | BODY_ESCAPED, BODY_FLAGS)
      setState(body, <u32>load<u8>(body, BODY_STATE) + 1)
      return at + 1
    }
  }
  return at
}

// @ts-ignore: decorator
@inline
function addByte(body: usize, byte: u32): void {
  const length = load<u32>(body, BODY_TEXT_LENGTH)
  if (length < <u32>BODY_TEXT_MAX) store<u8>(body + length, byte, BODY_TEXT)
  // One more than is kept says that it is longer.
  if (length <= <u32>BODY_TEXT_MAX) store<u32>(body, length + 1, BODY_TEXT_LENGTH)
}

function endText(body: usize): void {
  const length = load<u32>(body, BODY_TEXT_LENGTH)
  const isLong = length > <u32>BODY_TEXT_MAX
  if (<u32>load<u8>(body, BODY_STATE) == NAME) {
    const node = <u32>load<u8>(body + <u32>load<u8>(body, BODY_DEPTH) - 1, BODY_NODES)
    store<u8>(body, isLong ? TARGET_NONE : targetOf(body, node), BODY_TARGET)
    return setState(body, COLON)
  }
  setState(body, MEMBER)
  store<u32>(body, BODY_NO_TEXT, BODY_MODEL_LENGTH)
  if (isLong) store<u8>(body, load<u8>(body, BODY_FLAGS) | BODY_LONG, BODY_FLAGS)
  else keepModel(body, length)
}

function keepModel(body: usize, length: u32): void {
  const text = body + BODY_TEXT
  if ((load<u8>(body, BODY_FLAGS) & BODY_ESCAPED) == 0) {
    memory.copy(body + BODY_MODEL, text, length)
    store<u32>(body, length, BODY_MODEL_LENGTH)
    return
  }
  const end = unescape(text, text + length, plain)
  if (end == 0) return
  memory.copy(body + BODY_MODEL, plain, end - plain)
  store<u32>(body, <u32>(end - plain), BODY_MODEL_LENGTH)
}

function addDigit(body: usize, digit: u32): void {
  const before = load<f64>(body, BODY_NUMBER)
  if (before < 0) return
  const value = before * 10 + <f64>digit
  store<f64>(body, value > COUNT_LIMIT ? -1 : value, BODY_NUMBER)
}

/** What follows the digits: the end of the member, or a fraction, and then it is no count. */
function endCount(body: usize, byte: u32): void {
  const value = load<f64>(body, BODY_NUMBER)
  const isOver = byte == 0x2c || byte == 0x7d || isSpace(byte)
  setState(body, isOver ? MEMBER : WORD)
  if (!isOver || value < 0) return
  const count = <u32>load<u8>(body, BODY_TARGET) - TARGET_COUNT
  store<f64>(body + (count << 3), value, BODY_COUNTS)
  store<u32>(body, load<u32>(body, BODY_FOUND) | (1 << count), BODY_FOUND)
}

function passString(body: usize, at: usize, end: usize): usize {
  for (; at < end; at += 16) {
    const block = v128.load(at)
    const found = i8x16.bitmask(v128.or(i8x16.eq(block, i8x16.splat(0x22)), i8x16.eq(block, i8x16.splat(0x5c))))
    if (found == 0) continue
    at += ctz(found)
    if (at >= end) return end
    if (load<u8>(at) == 0x5c) setState(body, STRING_ESCAPE)
    else if (load<u32>(body, BODY_NESTED) != 0) setState(body, NESTED)
    else setState(body, load<u8>(body, BODY_DEPTH) == 0 ? OUTSIDE : MEMBER)
    return at + 1
  }
  return end
}

/** [ and {, ] and } differ in one bit: which of them it is does not matter for where the value ends. */
function passNested(body: usize, at: usize, end: usize): usize {
  let nested = load<u32>(body, BODY_NESTED)
  while (at < end) {
    const block = v128.load(at)
    const folded = v128.or(block, i8x16.splat(0x20))
    const found = i8x16.bitmask(v128.or(i8x16.eq(block, i8x16.splat(0x22)),
      v128.or(i8x16.eq(folded, i8x16.splat(0x7b)), i8x16.eq(folded, i8x16.splat(0x7d)))))
    if (found == 0) {
      at += 16
      continue
    }
    at += ctz(found)
    if (at >= end) break
    const byte = <u32>load<u8>(at++)
    if (byte == 0x22) {
      store<u32>(body, nested, BODY_NESTED)
      setState(body, STRING)
      return at
    }
    if ((byte | 0x20) == 0x7b) nested++
    else if (--nested == 0) {
      store<u32>(body, 0, BODY_NESTED)
      setState(body, MEMBER)
      return at
    }
  }
  store<u32>(body, nested, BODY_NESTED)
  return end
}
