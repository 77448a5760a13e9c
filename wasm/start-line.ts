/**
 * The first line of an HTTP/1 message (RFC 9112 3 and 4), and the token characters of RFC 9110 5.6.2.
 */
import {
  HEAD_ERROR_START_LINE, HEAD_ERROR_STATUS, HEAD_ERROR_VERSION, INFO_BYTES, INFO_METHOD, METHOD_CONNECT, METHOD_HEAD,
  METHOD_OTHER, SCAN_SIMPLE,
} from './head-contract'
import {
  HEAD_KIND_RESPONSE, HEAD_METHOD, HEAD_STATUS, HEAD_TARGET, HEAD_VERSION, ODDITY_BARE_CR, ODDITY_BARE_LF,
  ODDITY_START_LINE, ODDITY_TARGET_INVALID,
} from './layout'

export const HT: u32 = 0x09
export const LF: u32 = 0x0a
export const CR: u32 = 0x0d
export const SP: u32 = 0x20

/** Where the scan under way is told: the head of a HEAD block, then INFO_*. */
export const info: usize = memory.data(INFO_BYTES, 16)

// Token characters by nibbles: bit h of entry l is set when the byte h * 16 + l is one (h < 8).
const tokenLow = memory.data<u8>([
  0xe8, 0xfc, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xf8, 0xf8, 0xf4, 0x54, 0xd0, 0x54, 0xf4, 0x70,
], 16)
const tokenHigh = memory.data<u8>([1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0], 16)

/** Bit n is set when byte n of the 16 at `at` is no token character. */
// @ts-ignore: decorator
@inline
export function notTokenBits(at: usize): u32 {
  const bytes = v128.load(at)
  const low = i8x16.swizzle(v128.load(tokenLow), v128.and(bytes, i8x16.splat(0x0f)))
  const high = i8x16.swizzle(v128.load(tokenHigh), i8x16.shr_u(bytes, 4))
  return i8x16.bitmask(i8x16.eq(v128.and(low, high), i8x16.splat(0))) as u32
}

/** First byte from `at` on that is no token character; may lie beyond `end`. */
// @ts-ignore: decorator
@inline
export function tokenEnd(at: usize, end: usize): usize {
  while (at < end) {
    const bits = notTokenBits(at)
    if (bits != 0) return at + ctz(bits)
    at += 16
  }
  return at
}

/** Bit n is set when byte n of the 16 at `at` is a control character other than HT: CR, LF, NUL, DEL, ... */
// @ts-ignore: decorator
@inline
export function controlBits(at: usize): u32 {
  const bytes = v128.load(at)
  const control = v128.andnot(i8x16.lt_u(bytes, i8x16.splat(0x20)), i8x16.eq(bytes, i8x16.splat(0x09)))
  return i8x16.bitmask(v128.or(control, i8x16.eq(bytes, i8x16.splat(0x7f)))) as u32
}

/** First LF from `at` on, or `end` (or beyond) when there is none. */
export function findLf(at: usize, end: usize): usize {
  while (at < end) {
    const bits = i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(LF as i8)))
    if (bits != 0) return at + ctz(bits)
    at += 16
  }
  return end
}

export let startLineOddities: u32 = 0
/** The request line read has no version: it is a whole HTTP/0.9 request. */
export let isSimple: bool = false

/** The line's end without its LF or CRLF; a bare LF is noted. */
// @ts-ignore: decorator
@inline
function lineEnd(base: usize, lf: usize): usize {
  if (lf > base && load<u8>(lf - 1) == CR) return lf - 1
  startLineOddities |= ODDITY_BARE_LF
  return lf
}

// @ts-ignore: decorator
@inline
function isDigit(byte: u32): bool {
  return byte - 0x30 < 10
}

/** `HTTP/` digit `.` digit at `at`: major * 16 + minor, else -1. */
// @ts-ignore: decorator
@inline
function versionAt(at: usize): i32 {
  if (load<u32>(at) != 0x50545448 || load<u8>(at, 4) != 0x2f) return -1 // "HTTP" "/"
  const major = load<u8>(at, 5) as u32
  const minor = load<u8>(at, 7) as u32
  if (!isDigit(major) || load<u8>(at, 6) != 0x2e || !isDigit(minor)) return -1
  return (((major - 0x30) << 4) | (minor - 0x30)) as i32
}

// @ts-ignore: decorator
@inline
function span(at: usize, base: usize, from: usize, to: usize): void {
  store<u32>(at, (from - base) as u32)
  store<u32>(at + 4, (to - from) as u32)
}

/**
 * Reads the first line at `base`. Result: > 0 bytes of the line with its end, 0 = no line end before `end`, < 0 HEAD_ERROR_*.
 * Fills version, status, method and target of `info`; a simple request (HTTP/0.9) has version 0x09.
 */
export function startLine(base: usize, end: usize, kind: u32): i32 {
  const lf = findLf(base, end)
  if (lf >= end) return 0
  startLineOddities = 0
  isSimple = false
  const to = lineEnd(base, lf)
  const result = (kind & 15) == HEAD_KIND_RESPONSE ? statusLine(base, to) : requestLine(base, to, kind)
  return result < 0 ? result : ((lf + 1 - base) as i32)
}

/** "ICY ": how SHOUTcast servers begin what is else a response of HTTP/1.0. */
// @ts-ignore: decorator
@inline
function isIcy(base: usize, end: usize): bool {
  return end - base >= 7 && load<u32>(base) == 0x20594349
}

function statusLine(base: usize, end: usize): i32 {
  if (isIcy(base, end)) {
    startLineOddities |= ODDITY_START_LINE
    return statusAt(base, base + 4, end, 0x10)
  }
  if (end - base < 12) return end - base >= 9 && versionAt(base) >= 0 ? HEAD_ERROR_STATUS : HEAD_ERROR_START_LINE
  const version = versionAt(base)
  if (version < 0) {
    const isHttp = load<u32>(base) == 0x50545448 && load<u8>(base, 4) == 0x2f
    return isHttp ? HEAD_ERROR_VERSION : HEAD_ERROR_START_LINE
  }
  const at = base + 8
  if (load<u8>(at) != SP) {
    if (load<u8>(at) != HT) return HEAD_ERROR_VERSION
    startLineOddities |= ODDITY_START_LINE
  }
  return statusAt(base, at + 1, end, version)
}

function statusAt(base: usize, from: usize, end: usize, version: i32): i32 {
  let at = from
  while (at < end && (load<u8>(at) == SP || load<u8>(at) == HT)) {
    startLineOddities |= ODDITY_START_LINE
    at++
  }
  if (end - at < 3) return HEAD_ERROR_STATUS
  const hundreds = (load<u8>(at) as u32) - 0x30
  const tens = (load<u8>(at, 1) as u32) - 0x30
  const ones = (load<u8>(at, 2) as u32) - 0x30
  if (hundreds - 1 > 8 || tens > 9 || ones > 9) return HEAD_ERROR_STATUS
  at += 3
  if (at < end) {
    const byte = load<u8>(at) as u32
    // A CR here ends the line for some recipients: kept as an odd reason, since RFC 9112 2.2 makes it a space.
    if (byte != SP && byte != HT && byte != CR) return HEAD_ERROR_STATUS
    if (byte != SP) startLineOddities |= ODDITY_START_LINE
    at++
  }
  noteControls(at, end)
  if (version != 0x11 && version != 0x10) startLineOddities |= ODDITY_START_LINE
  store<u8>(info, version as u8, HEAD_VERSION)
  store<u16>(info, (hundreds * 100 + tens * 10 + ones) as u16, HEAD_STATUS)
  store<u8>(info, METHOD_OTHER as u8, INFO_METHOD)
  span(info + HEAD_METHOD, base, at, end)
  span(info + HEAD_TARGET, base, base, base)
  return 1
}

/** Control characters of a line: none belongs there. */
function noteControls(at: usize, end: usize): void {
  while (at < end) {
    const bits = controlBits(at)
    if (bits == 0) {
      at += 16
      continue
    }
    at += ctz(bits)
    if (at >= end) return
    startLineOddities |= load<u8>(at) == CR ? ODDITY_BARE_CR | ODDITY_START_LINE : ODDITY_START_LINE
    at++
  }
}

function requestLine(base: usize, end: usize, kind: u32): i32 {
  const methodEnd = tokenEnd(base, end)
  if (methodEnd <= base || methodEnd >= end) return HEAD_ERROR_START_LINE
  const after = load<u8>(methodEnd) as u32
  if (after != SP && after != HT) return HEAD_ERROR_START_LINE
  if (after == HT) startLineOddities |= ODDITY_START_LINE
  let target = methodEnd + 1
  while (target < end && (load<u8>(target) == SP || load<u8>(target) == HT)) {
    startLineOddities |= ODDITY_START_LINE
    target++
  }
  let last = end
  while (last > target && (load<u8>(last - 1) == SP || load<u8>(last - 1) == HT)) last--
  if (last != end) startLineOddities |= ODDITY_START_LINE
  // The version is the last word: a target with spaces in it stays whole (and odd).
  let version: i32 = -1
  let targetEnd = last
  if (last - target >= 9) {
    const before = load<u8>(last - 9) as u32
    if (before == SP || before == HT) {
      version = versionAt(last - 8)
      targetEnd = last - 9
      if (before == HT) startLineOddities |= ODDITY_START_LINE
    }
  }
  if (version < 0) {
    if ((kind & SCAN_SIMPLE) == 0) return HEAD_ERROR_VERSION
    // RFC 1945 4.1: Simple-Request = "GET" SP Request-URI CRLF
    if (methodEnd - base != 3 || (load<u32>(base) & 0xffffff) != 0x544547 || last == target) return HEAD_ERROR_VERSION
    if (load<u8>(target) != 0x2f || hasSpace(target, last)) return HEAD_ERROR_VERSION
    version = 0x09
    isSimple = true
    targetEnd = last
  }
  while (targetEnd > target && (load<u8>(targetEnd - 1) == SP || load<u8>(targetEnd - 1) == HT)) {
    startLineOddities |= ODDITY_START_LINE
    targetEnd--
  }
  if (targetEnd <= target) return HEAD_ERROR_START_LINE
  if (version != 0x11 && version != 0x10) startLineOddities |= ODDITY_START_LINE
  // RFC 9113 3.4: the preface of HTTP/2.
  if (version == 0x20 && load<u32>(base) == 0x20495250) return HEAD_ERROR_VERSION // "PRI "
  const method = methodOf(base, (methodEnd - base) as u32)
  if (!isTargetValid(target, targetEnd, method)) startLineOddities |= ODDITY_TARGET_INVALID
  store<u8>(info, version as u8, HEAD_VERSION)
  store<u16>(info, 0, HEAD_STATUS)
  store<u8>(info, method as u8, INFO_METHOD)
  span(info + HEAD_METHOD, base, base, methodEnd)
  span(info + HEAD_TARGET, base, target, targetEnd)
  return 1
}

function hasSpace(at: usize, end: usize): bool {
  for (; at < end; at++) if (load<u8>(at) == SP) return true
  return false
}

// @ts-ignore: decorator
@inline
function methodOf(at: usize, length: u32): i32 {
  if (length == 4 && load<u32>(at) == 0x44414548) return METHOD_HEAD
  if (length == 7 && load<u32>(at) == 0x4e4e4f43 && load<u32>(at, 3) == 0x5443454e) return METHOD_CONNECT
  return METHOD_OTHER
}

/** RFC 9112 3.2: origin-form, absolute-form, asterisk-form, or (CONNECT) authority-form, in visible ASCII. */
function isTargetValid(at: usize, end: usize, method: i32): bool {
  const first = load<u8>(at) as u32
  for (let p = at; p < end; p += 16) {
    const bytes = v128.load(p)
    // Signed: everything over 0x7f is below 0x21.
    const odd = v128.or(i8x16.lt_s(bytes, i8x16.splat(0x21)), i8x16.eq(bytes, i8x16.splat(0x7f)))
    const bits = i8x16.bitmask(odd) as u32
    if (bits != 0 && p + ctz(bits) < end) return false
  }
  if (first == 0x2f || method == METHOD_CONNECT) return true
  if (first == 0x2a) return end - at == 1
  return isAbsolute(at, end)
}

/** scheme "://" authority, with one "@" at most in the authority. */
function isAbsolute(at: usize, end: usize): bool {
  let p = at
  while (p < end && (((load<u8>(p) as u32) | 0x20) - 0x61 < 26 || (p > at && isSchemeByte(load<u8>(p))))) p++
  if (p == at || end - p < 4) return false
  if (load<u16>(p) != 0x2f3a || load<u8>(p, 2) != 0x2f) return false
  let signs = 0
  for (p += 3; p < end; p++) {
    const byte = load<u8>(p) as u32
    if (byte == 0x2f || byte == 0x3f || byte == 0x23) break
    if (byte == 0x40) signs++
  }
  return signs <= 1
}

// @ts-ignore: decorator
@inline
function isSchemeByte(byte: u32): bool {
  return isDigit(byte) || byte == 0x2b || byte == 0x2d || byte == 0x2e
}

/**
 * Whether the bytes at `pointer` start a message, for detection and for finding the next message after a loss:
 * 2 = a whole simple request (only with SCAN_SIMPLE), 1 = a whole start line of HTTP/1.x or a later version that is written in
 * its form, but not of HTTP/2's preface; 0 = the beginning of what could be one of HTTP/1.x, -1 = no.
 */
export function scanStart(pointer: usize, length: u32, kind: u32): i32 {
  const end = pointer + length
  const line = startLine(pointer, end, kind)
  if (line > 0) {
    const version = load<u8>(info, HEAD_VERSION)
    if (isSimple) return 2
    return version >> 4 == 0 && (kind & SCAN_SIMPLE) == 0 ? -1 : 1
  }
  if (line < 0) return -1
  if ((kind & 15) == HEAD_KIND_RESPONSE) {
    const word: u64 = 0x2e312f50545448 // "HTTP/1."
    const known = min<u32>(length, 7)
    for (let index: u32 = 0; index < known; index++) {
      if (load<u8>(pointer + index) != (((word >> (index << 3)) & 0xff) as u8)) return -1
    }
    return 0
  }
  const methodEnd = tokenEnd(pointer, end)
  if (methodEnd >= end) return 0
  if (methodEnd == pointer || load<u8>(methodEnd) != SP) return -1
  for (let p = methodEnd; p < end; p += 16) {
    const bits = controlBits(p)
    if (bits != 0 && p + ctz(bits) < end) {
      // CR as the last byte may be the line's end, cut before its LF.
      return load<u8>(p + ctz(bits)) == CR && p + ctz(bits) + 1 == end ? 0 : -1
    }
  }
  return 0
}
