/**
 * Lines of JSON as the encoder writes them, without white space between tokens, stepped over and copied 16 bytes at a time. Up to
 * PICK_SLACK bytes behind a text may be read, and behind what is made of it be written.
 */

/** Of the last string that `skipString` went over: there is a backslash in it. */
export let isEscaped: bool = false

/** The place behind a string that begins at `at`; 0 = it does not end before `end`. */
export function skipString(at: usize, end: usize): usize {
  let next = at + 1
  isEscaped = false
  while (next < end) {
    const block = v128.load(next)
    const found = i8x16.bitmask(v128.or(i8x16.eq(block, i8x16.splat(0x22)), i8x16.eq(block, i8x16.splat(0x5c))))
    if (found == 0) {
      next += 16
      continue
    }
    next += ctz(found)
    if (next >= end) return 0
    if (load<u8>(next) == 0x22) return next + 1
    isEscaped = true
    next += 2
  }
  return 0
}

function skipNested(from: usize, end: usize): usize {
  let at = from
  let depth: u32 = 0
  while (at < end) {
    const code = load<u8>(at)
    if (code == 0x22) {
      at = skipString(at, end)
      if (at == 0) return 0
      continue
    }
    at++
    const bracket = code | 0x20 // [ and {, ] and } differ in this bit
    if (bracket == 0x7b) depth++
    else if (bracket == 0x7d && --depth == 0) return at
  }
  return 0
}

/** The place behind the value at `at`; 0 = there is none. */
export function skipValue(at: usize, end: usize): usize {
  const first = load<u8>(at)
  if (first == 0x22) return skipString(at, end)
  if ((first | 0x20) == 0x7b) return skipNested(at, end)
  for (let next = at; next < end; next++) {
    const code = load<u8>(next)
    if (code == 0x2c || (code | 0x20) == 0x7d) return next == at ? 0 : next
  }
  return 0
}

// @ts-ignore: decorator
@inline
function meaningOf(letter: u32): u32 {
  if (letter == 0x22 || letter == 0x5c || letter == 0x2f) return letter
  if (letter == 0x6e) return 10
  if (letter == 0x74) return 9
  if (letter == 0x72) return 13
  if (letter == 0x62) return 8
  return letter == 0x66 ? 12 : 0
}

/** Four hexadecimal digits; 0x10000 = they are not that. */
function hexUnit(at: usize, end: usize): u32 {
  if (at + 4 > end) return 0x10000
  let unit: u32 = 0
  for (let digit: u32 = 0; digit < 4; digit++) {
    const code = <u32>load<u8>(at + digit)
    const letter = (code | 0x20) - 0x61
    if (code - 0x30 < 10) unit = unit << 4 | (code - 0x30)
    else if (letter < 6) unit = unit << 4 | (letter + 10)
    else return 0x10000
  }
  return unit
}

function writeCodePoint(code: u32, to: usize): usize {
  let out = to
  if (code < 0x80) {
    store<u8>(out, <u8>code)
    return out + 1
  }
  if (code < 0x800) {
    store<u8>(out++, <u8>(0xc0 | code >> 6))
  } else {
    if (code < 0x10000) {
      store<u8>(out++, <u8>(0xe0 | code >> 12))
    } else {
      store<u8>(out++, <u8>(0xf0 | code >> 18))
      store<u8>(out++, <u8>(0x80 | code >> 12 & 0x3f))
    }
    store<u8>(out++, <u8>(0x80 | code >> 6 & 0x3f))
  }
  store<u8>(out, <u8>(0x80 | code & 0x3f))
  return out + 1
}

/**
 * Writes what stands between the quotes of a JSON string, as UTF-8, its escapes taken off: no more than it was. A lone surrogate, which
 * UTF-8 has no bytes for, becomes U+FFFD. The place behind; 0 = an escape that JSON does not have.
 */
export function unescape(from: usize, end: usize, to: usize): usize {
  let at = from
  let out = to
  while (at < end) {
    const block = v128.load(at)
    v128.store(out, block)
    const found = i8x16.bitmask(i8x16.eq(block, i8x16.splat(0x5c)))
    const plain: usize = found == 0 ? 16 : ctz(found)
    if (plain >= end - at) return out + (end - at)
    at += plain
    out += plain
    if (found == 0) continue
    if (at + 1 == end) return 0
    const letter = <u32>load<u8>(at, 1)
    if (letter != 0x75) {
      const meaning = meaningOf(letter)
      if (meaning == 0) return 0
      store<u8>(out++, <u8>meaning)
      at += 2
      continue
    }
    let code = hexUnit(at + 2, end)
    if (code == 0x10000) return 0
    at += 6
    if ((code & 0xf800) == 0xd800) {
      const isPair = code < 0xdc00 && at + 2 <= end && load<u16>(at) == 0x755c
      const low = isPair ? hexUnit(at + 2, end) : 0
      if (low == 0x10000) return 0
      if ((low & 0xfc00) == 0xdc00) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
        at += 6
      } else {
        code = 0xfffd
      }
    }
    out = writeCodePoint(code, out)
  }
  return out
}

/** Of the last string that `readString` went over: its text without escapes. */
export let textStart: usize = 0
export let textEnd: usize = 0

/** The place behind a string that begins at `at`; 0 = none. Its text stands where it is, or in `room` if there are escapes in it. */
export function readString(at: usize, end: usize, room: usize): usize {
  const behind = skipString(at, end)
  if (behind == 0) return 0
  textStart = at + 1
  textEnd = behind - 1
  if (!isEscaped) return behind
  textEnd = unescape(textStart, textEnd, room)
  textStart = room
  return textEnd == 0 ? 0 : behind
}

/** Copies bytes, with a backslash before each that is `mark` or a backslash: no more than twice what it was. The place behind. */
export function escapeMark(from: usize, end: usize, to: usize, mark: u32): usize {
  let at = from
  let out = to
  while (at < end) {
    const block = v128.load(at)
    v128.store(out, block)
    let found = <u32>i8x16.bitmask(v128.or(i8x16.eq(block, i8x16.splat(<i8>mark)), i8x16.eq(block, i8x16.splat(0x5c))))
    const left = <u32>(end - at)
    if (left < 16) found &= (1 << left) - 1
    if (found == 0) {
      const plain = min<u32>(left, 16)
      at += plain
      out += plain
      continue
    }
    const plain = ctz(found)
    at += plain
    out += plain
    store<u8>(out, 0x5c)
    store<u8>(out, load<u8>(at++), 1)
    out += 2
  }
  return out
}

/**
 * True when all is printable and in one line whoever shows it: no control characters, DEL, nor the line breaks of Unicode. False as well
 * for some few others, those whose first byte is that of one of these.
 */
export function isPrintable(from: usize, end: usize): bool {
  for (let at = from; at < end; at += 16) {
    const block = v128.load(at)
    const odd = v128.or(v128.or(i8x16.lt_u(block, i8x16.splat(0x20)), i8x16.eq(block, i8x16.splat(0x7f))),
      v128.or(i8x16.eq(block, i8x16.splat(<i8>0xc2)), i8x16.eq(block, i8x16.splat(<i8>0xe2))))
    const left = <u32>(end - at)
    const found = <u32>i8x16.bitmask(odd)
    if ((left < 16 ? found & ((1 << left) - 1) : found) != 0) return false
  }
  return true
}
