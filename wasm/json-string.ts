/**
 * JSON text of byte strings from traffic. Safe on a terminal: NUL, ESC, DEL and the C1 controls are escaped. Bytes that are
 * valid UTF-8 (RFC 3629: no surrogates, no overlong forms) stay; a string that is not is taken as ISO-8859-1 as a whole, so
 * that no byte is lost.
 */

/** Free bytes that the writers below want behind a text of the longest kind. */
const SLACK: u32 = 32

/** Length of the valid multi-byte sequence at `from`; 0 = not valid UTF-8. */
export function utf8Sequence(from: usize, end: usize): u32 {
  const first = load<u8>(from)
  if (first < 0xc2 || first > 0xf4) return 0
  const length: u32 = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  if (from + length > end) return 0
  const second = load<u8>(from + 1)
  if ((second & 0xc0) != 0x80) return 0
  if (length == 2) return 2
  if (first == 0xe0 && second < 0xa0 || first == 0xed && second > 0x9f) return 0
  if (first == 0xf0 && second < 0x90 || first == 0xf4 && second > 0x8f) return 0
  if ((load<u8>(from + 2) & 0xc0) != 0x80) return 0
  if (length == 4 && (load<u8>(from + 3) & 0xc0) != 0x80) return 0
  return length
}

/** True when `length` bytes are valid UTF-8. */
export function isUtf8(from: usize, length: u32): bool {
  const end = from + length
  let at = from
  while (at < end) {
    if (at + 16 <= end && !v128.any_true(v128.and(v128.load(at), i8x16.splat(<i8>0x80)))) {
      at += 16
      continue
    }
    if (load<u8>(at) < 0x80) {
      at++
      continue
    }
    const sequence = utf8Sequence(at, end)
    if (sequence == 0) return false
    at += sequence
  }
  return true
}

/** Letter behind the backslash for each byte below 0x20; 0 = none, so `u00XX`. */
// @ts-ignore: decorator
@inline
function shortEscape(byte: u32): u8 {
  if (byte == 0x22 || byte == 0x5c) return <u8>byte
  if (byte == 0x0a) return 0x6e
  if (byte == 0x0d) return 0x72
  return byte == 0x09 ? 0x74 : 0
}

function writeEscape(byte: u32, out: usize): usize {
  const letter = shortEscape(byte)
  store<u8>(out, 0x5c)
  if (letter != 0) {
    store<u8>(out + 1, letter)
    return out + 2
  }
  const low = byte & 15
  store<u32>(out + 1, 0x00303075) // u00
  store<u8>(out + 4, <u8>(0x30 + (byte >> 4)))
  store<u8>(out + 5, <u8>(low < 10 ? 0x30 + low : 0x57 + low))
  return out + 6
}

/** Lanes of the 16 bytes that are not copied as they are. */
// @ts-ignore: decorator
@inline
function specialLanes(chunk: v128): v128 {
  // One more, as a signed number: the bytes from 0x7f on are below 0x21 then too.
  const controls = i8x16.lt_s(i8x16.add(chunk, i8x16.splat(1)), i8x16.splat(0x21))
  return v128.or(controls, v128.or(i8x16.eq(chunk, i8x16.splat(0x22)), i8x16.eq(chunk, i8x16.splat(0x5c))))
}

/**
 * Copies `length` bytes and tells whether they may stand in a JSON string as they are: printable ASCII without quote and
 * backslash. Reads and writes up to 16 bytes past both ends, whatever the answer.
 */
// @ts-ignore: decorator
@inline
export function copyPlain(out: usize, from: usize, length: u32): bool {
  let chunk = v128.load(from)
  v128.store(out, chunk)
  if (length <= 16) return (<u32>i8x16.bitmask(specialLanes(chunk)) & ((1 << length) - 1)) == 0
  let special = specialLanes(chunk)
  let done: u32 = 16
  for (; done + 16 < length; done += 16) {
    chunk = v128.load(from + done)
    v128.store(out + done, chunk)
    special = v128.or(special, specialLanes(chunk))
  }
  // The last 16 bytes of the text, over some of those before: nothing behind it is looked at.
  chunk = v128.load(from + length - 16)
  v128.store(out + length - 16, chunk)
  return !v128.any_true(v128.or(special, specialLanes(chunk)))
}

/** Bytes of the text between the quotes, exactly. */
function measure(from: usize, length: u32, latin1: bool): u32 {
  const end = from + length
  let bytes: u32 = 0
  while (from < end) {
    const byte = <u32>load<u8>(from)
    const sequence: u32 = byte >= 0x80 && !latin1 ? utf8Sequence(from, end) : 1
    if (byte < 0x20 || byte == 0x22 || byte == 0x5c || byte == 0x7f) bytes += shortEscape(byte) != 0 ? 2 : 6
    else if (byte < 0x80) bytes++
    else if (latin1) bytes += byte < 0xa0 ? 6 : 2
    else bytes += byte == 0xc2 && load<u8>(from + 1) < 0xa0 ? 6 : sequence
    from += sequence
  }
  return bytes
}

/** One character from 0x80 on; `latin1`: one byte in, two (or an escape) out. */
// @ts-ignore: decorator
@inline
function writeWide(from: usize, sequence: u32, out: usize, latin1: bool): usize {
  const byte = <u32>load<u8>(from)
  if (latin1) {
    if (byte < 0xa0) return writeEscape(byte, out)
    store<u8>(out, <u8>(0xc0 | (byte >> 6)))
    store<u8>(out + 1, <u8>(0x80 | (byte & 0x3f)))
    return out + 2
  }
  if (byte == 0xc2 && load<u8>(from + 1) < 0xa0) return writeEscape(load<u8>(from + 1), out)
  store<u32>(out, load<u32>(from))
  return out + sequence
}

function writeText(source: usize, length: u32, to: usize, latin1: bool): usize {
  let from = source
  let out = to
  const end = from + length
  while (from < end) {
    const chunk = v128.load(from)
    v128.store(out, chunk)
    let bits = <u32>i8x16.bitmask(specialLanes(chunk))
    const left = <u32>(end - from)
    if (left < 16) bits |= 1 << left
    if (bits == 0) {
      from += 16
      out += 16
      continue
    }
    const plain = ctz(bits)
    from += plain
    out += plain
    if (plain == left) break
    const byte = <u32>load<u8>(from)
    if (byte < 0x80) {
      out = writeEscape(byte, out)
      from++
      continue
    }
    const sequence: u32 = latin1 ? 1 : utf8Sequence(from, end)
    if (sequence == 0) return writeText(source, length, to, true)
    out = writeWide(from, sequence, out, latin1)
    from += sequence
  }
  return out
}

/** As `writeJsonString`, for texts that are not plain ASCII throughout, and where room is short. */
function writeEscaped(from: usize, length: u32, out: usize, limit: usize, bytesAreLatin1: bool): usize {
  const free: u64 = limit > out ? limit - out : 0
  if (6 * <u64>length + SLACK > free) {
    const latin1 = bytesAreLatin1 || !isUtf8(from, length)
    if (<u64>measure(from, length, latin1) + SLACK > free) return 0
  }
  store<u8>(out, 0x22)
  const end = writeText(from, length, out + 1, bytesAreLatin1)
  store<u8>(end, 0x22)
  return end + 1
}

/**
 * Writes `length` bytes as a JSON string with its quotes; `bytesAreLatin1` when they are ISO-8859-1 whatever they look like.
 * Returns the address behind it; 0 = no room before `limit`.
 */
export function writeJsonString(from: usize, length: u32, out: usize, limit: usize, bytesAreLatin1: bool): usize {
  if (<u64>out + length + SLACK <= limit) {
    store<u8>(out, 0x22)
    if (copyPlain(out + 1, from, length)) {
      store<u8>(out + length, 0x22, 1)
      return out + length + 2
    }
  }
  return writeEscaped(from, length, out, limit, bytesAreLatin1)
}
