/**
 * The head scanner: the first line and the header fields of an HTTP/1 message (RFC 9112), or a trailer section, into one
 * HEAD block. The only scanner: every path reads heads through it.
 *
 * It is a passive observer's scanner: what a strict server would refuse is read as its lenient neighbour would, and named as
 * an oddity. Only a first line that is none, or a head without end, is an error.
 *
 * Reads up to 32 bytes beyond the input: those must lie inside the memory.
 */
import { alloc, reserve } from './allocator'
import {
  addConnection, addContentLength, addTransferEncoding, bodyKind, connection, contentLength, oddities as framingOddities,
  resetFraming,
} from './framing'
import { HEAD_BYTES_MAX, HEAD_ERROR_CUT, HEAD_ERROR_TOO_LONG, HEADER_COUNT_MAX, INFO_BLOCK } from './head-contract'
import {
  HEADER_CONNECTION, HEADER_CONTENT_LENGTH, HEADER_FRAMING_LAST, HEADER_HOST, HEADER_TRANSFER_ENCODING,
} from './header-ids'
import * as L from './layout'
import { nameId } from './names'
import {
  controlBits, CR, findLf, HT, info, isSimple, LF, notTokenBits, SP, startLine, startLineOddities, tokenEnd,
} from './start-line'

const spans = reserve(HEADER_COUNT_MAX * L.SPAN_BYTES)
const NAME_BYTES_MAX: usize = 0xffff

// The scan under way.
let oddities: u32 = 0
let kept: u32 = 0
let dropped: u32 = 0
let hosts: u32 = 0
let hasUpgrade: bool = false
/** End of the value found last, without its line end. */
let valueEnd: usize = 0

/** Where the last scan is told: the first HEAD_SPANS bytes of its block, then INFO_* (head-contract.ts). */
export function headInfo(): usize {
  return info
}

/**
 * Scans one head at `pointer`: `length` bytes that begin with the first byte of the message (after leading CRLFs). `from`
 * is how many of them an earlier call with the same bytes has seen, so that input byte by byte costs linear time.
 *
 * Result: > 0 bytes of the head, first line to empty line (the caller owns the block at INFO_BLOCK: free(block, HEAD_BYTES));
 * 0 = more bytes are needed; < 0 HEAD_ERROR_*.
 */
export function scanHead(pointer: usize, length: u32, from: u32, kind: u32): i32 {
  // The first look reads at once, in the hope that the head is whole; later ones search for its end first.
  const known = min<u32>(length, HEAD_BYTES_MAX)
  if (from == 0 || hasHeadEnd(pointer, known, from, kind)) {
    const result = readHead(pointer, pointer + known, kind)
    if (result != 0) return result
  }
  if (length < (HEAD_BYTES_MAX as u32)) return 0
  return (kind & 15) == L.HEAD_KIND_RESPONSE && cutHead(pointer, pointer + known, kind) ? HEAD_ERROR_CUT : HEAD_ERROR_TOO_LONG
}

/** The status line and the fields that are whole of a head without end; false when not even the status line is. */
function cutHead(base: usize, end: usize, kind: u32): bool {
  const line = startLine(base, end, kind)
  if (line <= 0) return false
  readHead(base, end, kind)
  let to = base + line
  if (kept > 0) {
    const last = spans + ((kept - 1) << 4)
    to = base + load<u32>(last, L.SPAN_VALUE) + load<u32>(last, L.SPAN_VALUE_LENGTH)
  }
  dropped = L.HEAD_CUT
  finish(base, to, kind)
  return true
}

/** Whether an empty line ends within `length` bytes and could not be seen within `from`. */
function hasHeadEnd(pointer: usize, length: u32, from: u32, kind: u32): bool {
  const end = pointer + length
  if ((kind & 15) == L.HEAD_KIND_TRAILER && isEmptyLine(pointer, end)) return true
  let at = pointer + (max<u32>(from, 2) - 2)
  while (true) {
    at = findLf(at, end) + 1
    if (at >= end) return false
    if (isEmptyLine(at, end)) return true
  }
}

/** An LF, a CRLF, or a CR that no LF follows (some recipients end the head there; it is noted when read). */
// @ts-ignore: decorator
@inline
function isEmptyLine(at: usize, end: usize): bool {
  if (at >= end) return false
  return load<u8>(at) == LF || (load<u8>(at) == CR && at + 1 < end)
}

function readHead(base: usize, end: usize, kind: u32): i32 {
  oddities = 0
  kept = 0
  dropped = 0
  hosts = 0
  hasUpgrade = false
  resetFraming()
  let at = base
  if ((kind & 15) != L.HEAD_KIND_TRAILER) {
    const line = startLine(base, end, kind)
    if (line <= 0) return line
    oddities = startLineOddities
    at += line
    if (isSimple) return finish(base, at, kind)
  } else {
    memory.fill(info, 0, L.HEAD_SPANS)
  }
  while (true) {
    if (at >= end) return 0
    const byte = load<u8>(at) as u32
    if (byte == CR) {
      if (at + 1 >= end) return 0
      if (load<u8>(at, 1) == LF) return finish(base, at + 2, kind)
      oddities |= L.ODDITY_BARE_CR
      return finish(base, at + 1, kind)
    }
    if (byte == LF) {
      oddities |= L.ODDITY_BARE_LF
      return finish(base, at + 1, kind)
    }
    at = readField(base, at, end)
    if (at == 0) return 0
  }
}

/** Reads the field line at `at`; its folded lines belong to it. Result: where the next line begins, 0 = more is needed. */
// @ts-ignore: decorator
@inline
function readField(base: usize, at: usize, end: usize): usize {
  let nameEnd: usize
  const bits = notTokenBits(at)
  if (bits != 0) nameEnd = at + ctz(bits)
  else nameEnd = tokenEnd(at + 16, end)
  if (nameEnd >= end) return 0
  let colon = nameEnd
  if (load<u8>(nameEnd) != 0x3a || nameEnd == at) {
    colon = oddName(at, nameEnd, end)
    if (colon == 0) return skipLine(at, end)
    nameEnd = colon
    while (nameEnd > at && (load<u8>(nameEnd - 1) == SP || load<u8>(nameEnd - 1) == HT)) nameEnd--
  }
  let value = colon + 1
  while (value < end && (load<u8>(value) == SP || load<u8>(value) == HT)) value++
  const next = readValue(value, end)
  if (next == 0) return 0
  keep(base, at, nameEnd, value)
  return next
}

/** A name that is not a token up to its colon. Result: the colon, 0 = the line has none, or is not whole. */
function oddName(at: usize, nameEnd: usize, end: usize): usize {
  const first = load<u8>(at) as u32
  if (first == SP || first == HT) {
    // White space before the first field: RFC 9112 2.2 lets a recipient ignore such lines, and so does this one.
    if (findLf(at, end) < end) oddities |= L.ODDITY_LINE_INVALID
    return 0
  }
  const lf = findLf(nameEnd, end)
  if (lf >= end) return 0
  let colon = nameEnd
  while (colon < lf && load<u8>(colon) != 0x3a) colon++
  if (colon == lf) {
    oddities |= L.ODDITY_LINE_INVALID
    return 0
  }
  let last = colon
  while (last > at && (load<u8>(last - 1) == SP || load<u8>(last - 1) == HT)) last--
  if (last != colon) oddities |= L.ODDITY_SPACE_BEFORE_COLON
  if (last == at || tokenEnd(at, last) < last) oddities |= L.ODDITY_NAME_INVALID
  for (let p = nameEnd; p < last; p++) if (load<u8>(p) == CR) oddities |= L.ODDITY_BARE_CR
  return colon
}

/** A line that is no field, with what is folded onto it. */
function skipLine(at: usize, end: usize): usize {
  return readValue(at, end)
}

/** Finds the end of a value, over folded lines; sets `valueEnd`. Result: where the next line begins, 0 = more is needed. */
// @ts-ignore: decorator
@inline
function readValue(at: usize, end: usize): usize {
  while (at < end) {
    const bits = controlBits(at)
    if (bits == 0) {
      at += 16
      continue
    }
    at += ctz(bits)
    if (at >= end) return 0
    const byte = load<u8>(at) as u32
    const lineEnd = at
    if (byte == CR) {
      if (++at >= end) return 0
      if (load<u8>(at) != LF) {
        oddities |= L.ODDITY_BARE_CR
        continue
      }
    } else if (byte == LF) {
      oddities |= L.ODDITY_BARE_LF
    } else {
      oddities |= L.ODDITY_VALUE_INVALID
      at++
      continue
    }
    if (++at >= end) return 0
    const next = load<u8>(at) as u32
    if (next == SP || next == HT) {
      oddities |= L.ODDITY_OBS_FOLD
      continue
    }
    valueEnd = lineEnd
    return at
  }
  return 0
}

// @ts-ignore: decorator
@inline
function isTrimmed(byte: u32): bool {
  return byte == SP || byte == HT || byte == CR || byte == LF
}

/** Keeps the span of a field and reads the value when it frames the message. */
// @ts-ignore: decorator
@inline
function keep(base: usize, name: usize, nameEnd: usize, from: usize): void {
  let value = from
  let to = valueEnd
  if ((oddities & (L.ODDITY_OBS_FOLD | L.ODDITY_BARE_CR)) != 0) {
    while (value < to && isTrimmed(load<u8>(value))) value++
    while (to > value && isTrimmed(load<u8>(to - 1))) to--
  } else {
    while (to > value && (load<u8>(to - 1) == SP || load<u8>(to - 1) == HT)) to--
  }
  if (nameEnd - name > NAME_BYTES_MAX) {
    oddities |= L.ODDITY_NAME_INVALID
    dropped = min<u32>(dropped + 1, L.HEAD_CUT - 1)
    return
  }
  const nameLength = (nameEnd - name) as u32
  const id = nameId(name, nameLength)
  if (id - 1 < (HEADER_FRAMING_LAST as u32)) frame(id, value, to)
  if (kept >= (HEADER_COUNT_MAX as u32)) {
    oddities |= L.ODDITY_HEADERS_OVER_BOUND
    dropped = min<u32>(dropped + 1, L.HEAD_CUT - 1)
    return
  }
  const span = spans + ((kept++) << 4)
  store<u32>(span, (name - base) as u32, L.SPAN_NAME)
  store<u32>(span, nameLength | (id << 16), L.SPAN_NAME_LENGTH)
  store<u32>(span, (value - base) as u32, L.SPAN_VALUE)
  store<u32>(span, (to - value) as u32, L.SPAN_VALUE_LENGTH)
}

function frame(id: u32, value: usize, end: usize): void {
  if (id == HEADER_CONTENT_LENGTH) addContentLength(value, end)
  else if (id == HEADER_TRANSFER_ENCODING) addTransferEncoding(value, end)
  else if (id == HEADER_CONNECTION) addConnection(value, end)
  else if (id == HEADER_HOST) hosts++
  else hasUpgrade = true
}

/** Tells the scan in `info` and copies it into a block. */
function finish(base: usize, end: usize, kind: u32): i32 {
  const plainKind = kind & 15
  const body = bodyKind(plainKind == L.HEAD_KIND_RESPONSE)
  oddities |= framingOddities
  const isRequest = plainKind == L.HEAD_KIND_REQUEST
  if (isRequest && load<u8>(info, L.HEAD_VERSION) >= 0x11) {
    if (hosts == 0) oddities |= L.ODDITY_HOST_MISSING
    if (hosts > 1) oddities |= L.ODDITY_HOST_REPEATED
  }
  const rawLength = (end - base) as u32
  const bytes = L.HEAD_SPANS + (kept << 4) + rawLength
  store<u32>(info, bytes, L.HEAD_BYTES)
  store<u32>(info, rawLength, L.HEAD_RAW_LENGTH)
  store<u32>(info, kept, L.HEAD_COUNT)
  store<u8>(info, plainKind as u8, L.HEAD_KIND)
  store<u32>(info, oddities, L.HEAD_ODDITIES)
  store<u8>(info, body as u8, L.HEAD_BODY)
  // The token without the field asks for nothing (RFC 9110 7.8).
  const wants = hasUpgrade ? connection : connection & ~L.HEAD_CONNECTION_UPGRADE
  store<u8>(info, wants as u8, L.HEAD_CONNECTION)
  store<u16>(info, dropped as u16, L.HEAD_DROPPED)
  store<f64>(info, contentLength, L.HEAD_CONTENT_LENGTH)
  const block = alloc(bytes)
  store<u32>(info, block as u32, INFO_BLOCK)
  if (block != 0) fill(block, base, rawLength)
  return rawLength as i32
}

function fill(block: usize, base: usize, rawLength: u32): void {
  copy(block, info, L.HEAD_SPANS)
  copy(block + L.HEAD_SPANS, spans, kept << 4)
  const raw = block + L.HEAD_SPANS + (kept << 4)
  copy(raw, base, rawLength)
  if ((oddities & L.ODDITY_OBS_FOLD) != 0) unfold(block, raw)
}

/** Copies in steps of 16: a block has room for the last step, since each of its size classes is a multiple of 16. */
// @ts-ignore: decorator
@inline
function copy(to: usize, from: usize, length: u32): void {
  for (let index: usize = 0; index < length; index += 16) v128.store(to + index, v128.load(from + index))
}

/** RFC 9112 5.2: each line end inside a value becomes spaces. */
function unfold(block: usize, raw: usize): void {
  for (let index: u32 = 0; index < kept; index++) {
    const span = block + L.HEAD_SPANS + (index << 4)
    const start = raw + load<u32>(span, L.SPAN_VALUE)
    const end = start + load<u32>(span, L.SPAN_VALUE_LENGTH)
    for (let at = start; at < end; at++) {
      if (load<u8>(at) != LF) continue
      store<u8>(at, SP as u8)
      if (at > start && load<u8>(at - 1) == CR) store<u8>(at - 1, SP as u8)
    }
  }
}
