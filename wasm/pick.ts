/**
 * Members of a record found in its line of JSON, and the line without them: one walk over the keys of groups. Values are stepped
 * over as they stand; nothing is decoded. An object that is no group asked for is a value, so that header names are never keys here.
 *
 * In: a table and a line (pick-contract.ts). Out: spans, and the rest as bytes.
 */
import { copyOver } from './copy'
import { skipValue } from './json-scan'
import { childOf, keyHash, readKey } from './member-table'
import { CHILD_BELOW, CHILD_FIT, CHILD_MEMBER, CHILD_STAYS, FIT_ANY, FIT_IP, FIT_IPV4,
  NO_MEMBER, PICK_COUNT, PICK_DEPTH_MAX, PICK_ODD, PICK_SPANS, SPAN_BYTES, SPAN_END, SPAN_START,
} from './pick-contract'

const CALL_FROM: u32 = 512

// State of one walk.
let table: usize = 0
let line: usize = 0
let lineEnd: usize = 0
let out: usize = 0
/** Groups of the path that stand open in the rest. */
let open: u32 = 0
/** Per group of the path: where `"key":{` stands in the line, and its length. */
const openings: usize = memory.data(PICK_DEPTH_MAX * 8, 8)
/** Per level: a member stands before in the rest. */
const filled: usize = memory.data(PICK_DEPTH_MAX + 1)

// @ts-ignore: decorator
@inline
function copyText(from: usize, length: u32): void {
  if (length < CALL_FROM) copyOver(out, from, length)
  else memory.copy(out, from, length)
  out += length
}

/** Opens what the path needs, then the members, which stand one behind the other in the line. */
function keep(start: usize, end: usize, depth: u32): void {
  while (open < depth) {
    if (load<u8>(filled + open) != 0) store<u8>(out++, 0x2c)
    store<u8>(filled + open, 1)
    copyText(load<u32>(openings + open * 8), load<u32>(openings + open * 8, 4))
    open++
    store<u8>(filled + open, 0)
  }
  if (load<u8>(filled + depth) != 0) store<u8>(out++, 0x2c)
  store<u8>(filled + depth, 1)
  copyText(start, <u32>(end - start))
}

// @ts-ignore: decorator
@inline
function isDigit(code: u32): bool {
  return code - 0x30 < 10
}

/** `"1.2.3.4"`, up to three digits each. */
function isIpv4(start: usize, end: usize): bool {
  let at = start + 1
  for (let part = 0; part < 4; part++) {
    const first = at
    while (isDigit(load<u8>(at))) at++
    if (at == first || at - first > 3) return false
    if (load<u8>(at++) != (part == 3 ? 0x22 : 0x2e)) return false
  }
  return at == end
}

/** Of hexadecimal digits, dots and colons, one colon at least. */
function isIpv6(start: usize, end: usize): bool {
  let colons: u32 = 0
  for (let at = start + 1; at < end - 1; at++) {
    const code = <u32>load<u8>(at)
    if (code == 0x3a) colons++
    else if (!isDigit(code) && code - 0x61 > 5 && code != 0x2e) return false
  }
  return colons != 0
}

function isFit(fit: u32, start: usize, end: usize): bool {
  if (fit == FIT_ANY) return true
  const first = <u32>load<u8>(start)
  if (fit == FIT_IPV4) return first == 0x22 && isIpv4(start, end)
  if (fit == FIT_IP) return first == 0x22 && (isIpv4(start, end) || isIpv6(start, end))
  return first == 0x22 || first == 0x2d || isDigit(first)
}

/** False when the value is to be left in the rest. */
function take(child: usize, start: usize, end: usize): bool {
  if (!isFit(load<u8>(child, CHILD_FIT), start, end)) return false
  const span = load<u32>(table, PICK_SPANS) + <u32>load<u16>(child, CHILD_MEMBER) * SPAN_BYTES
  store<u32>(span, <u32>(start - line), SPAN_START)
  store<u32>(span, <u32>(end - line), SPAN_END)
  return load<u8>(child, CHILD_STAYS) == 0
}

/** The members behind the brace at `from - 1`. The place behind the object; 0 = it is not in the encoder's form. */
function walk(from: usize, node: u32, depth: u32): usize {
  let at = from
  let run: usize = 0 // members that are left in the rest, one behind the other
  if (load<u8>(at) == 0x7d) return at + 1
  while (at < lineEnd && load<u8>(at) == 0x22) {
    const key = readKey(at + 1, lineEnd)
    if (key == 0 || load<u8>(key, 1) != 0x3a) return 0
    const child = childOf(table, node, keyHash, at + 1, <u32>(key - at - 1))
    const start = key + 2
    const member = child == 0 ? <u32>NO_MEMBER : <u32>load<u16>(child, CHILD_MEMBER)
    let end: usize
    let isLeft = true
    if (child != 0 && member == NO_MEMBER && load<u8>(start) == 0x7b) {
      if (run != 0) keep(run, at - 1, depth)
      run = 0
      isLeft = false
      store<u32>(openings + depth * 8, <u32>at)
      store<u32>(openings + depth * 8, <u32>(start + 1 - at), 4)
      end = walk(start + 1, load<u16>(child, CHILD_BELOW), depth + 1)
    } else {
      end = skipValue(start, lineEnd)
      if (member != NO_MEMBER && end != 0) isLeft = !take(child, start, end)
    }
    if (end == 0) return 0
    if (isLeft) {
      if (run == 0) run = at
    } else if (run != 0) {
      keep(run, at - 1, depth)
      run = 0
    }
    at = end + 1
    const next = load<u8>(end)
    if (next == 0x2c) continue
    if (next != 0x7d) return 0
    if (run != 0) keep(run, end, depth)
    if (depth != 0 && open == depth) {
      store<u8>(out++, 0x7d)
      open--
    }
    return at
  }
  return 0
}

/**
 * Picks the members of a table out of `length` bytes at `record`. PICK_SLACK bytes may be read behind them, and be written behind
 * the rest, which is no longer than the line. Returns the length of the rest, 0 = nothing is left; PICK_ODD.
 */
export function pickMembers(picker: usize, record: usize, length: u32, rest: usize): i32 {
  table = picker
  line = record
  lineEnd = record + length
  out = rest + 1
  open = 0
  store<u8>(filled, 0)
  memory.fill(load<u32>(table, PICK_SPANS), 0, load<u32>(table, PICK_COUNT) * SPAN_BYTES)
  if (length < 2 || load<u8>(line) != 0x7b || walk(line + 1, 0, 0) != lineEnd) return PICK_ODD
  if (out == rest + 1) return 0
  store<u8>(rest, 0x7b)
  store<u8>(out++, 0x7d)
  return <i32>(out - rest)
}

/** Copies `count` pieces (u32 address, u32 length each, at `list`) one behind the other to `to`. Returns the place behind them. */
export function joinPieces(list: usize, count: u32, to: usize): usize {
  out = to
  for (let piece = list, end = list + count * 8; piece < end; piece += 8) copyText(load<u32>(piece), load<u32>(piece, 4))
  return out
}
