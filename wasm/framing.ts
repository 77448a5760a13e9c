/**
 * The header fields that frame a message: Content-Length, Transfer-Encoding, Connection (RFC 9112 6 and 9).
 *
 * A value may span folded lines: CR and LF count as white space here.
 */
import {
  BODY_CHUNKED, BODY_LENGTH, BODY_NONE, BODY_UNTIL_CLOSE, HEAD_CONNECTION_CLOSE, HEAD_CONNECTION_KEEP_ALIVE,
  HEAD_CONNECTION_UPGRADE, ODDITY_CODING_UNKNOWN, ODDITY_LENGTH_AND_CHUNKED, ODDITY_LENGTH_DIFFERS, ODDITY_LENGTH_INVALID,
  ODDITY_LENGTH_REPEATED,
} from './layout'

const LENGTH_MAX: f64 = 9007199254740991 // 2^53 - 1, what both languages hold exactly

export let oddities: u32 = 0
export let contentLength: f64 = -1
export let connection: u32 = 0
let hasLength: bool = false
let hasCoding: bool = false
let chunkedIsLast: bool = false
let chunkedCount: u32 = 0
/** Any coding that is not "identity". */
let hasRealCoding: bool = false

export function resetFraming(): void {
  oddities = 0
  contentLength = -1
  connection = 0
  hasLength = false
  hasCoding = false
  chunkedIsLast = false
  chunkedCount = 0
  hasRealCoding = false
}

// @ts-ignore: decorator
@inline
function isSpace(byte: u32): bool {
  return byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0a
}

/** RFC 9112 6.3: one decimal number; a list of equal numbers is taken and noted. */
export function addContentLength(at: usize, end: usize): void {
  while (true) {
    let value: f64 = 0
    const start = at
    while (at < end) {
      const digit = (load<u8>(at) as u32) - 0x30
      if (digit > 9) break
      value = value * 10 + (digit as f64)
      at++
    }
    if (at == start || value > LENGTH_MAX) {
      oddities |= ODDITY_LENGTH_INVALID
      return
    }
    while (at < end && isSpace(load<u8>(at))) at++
    if (at < end && load<u8>(at) != 0x2c) {
      oddities |= ODDITY_LENGTH_INVALID
      return
    }
    if (hasLength) {
      oddities |= value == contentLength ? ODDITY_LENGTH_REPEATED : ODDITY_LENGTH_DIFFERS
    } else {
      hasLength = true
      contentLength = value
    }
    if (at >= end) return
    at++
    while (at < end && isSpace(load<u8>(at))) at++
  }
}

/** Whether the `length` bytes at `at` are the lower-case word of 8 bytes or less given as a little-endian number. */
// @ts-ignore: decorator
@inline
function isWord(at: usize, length: u32, word: u64, wordLength: u32): bool {
  if (length != wordLength) return false
  let bytes: u64 = 0
  for (let index: u32 = 0; index < length; index++) bytes |= ((load<u8>(at + index) | 0x20) as u64) << (index << 3)
  return bytes == word
}

/**
 * RFC 9112 6.1: the last coding must be chunked, applied once. "identity", a word of RFC 2616 3.6 for no coding at all, is
 * passed over by recipients that still know it, so it hides no chunked coding; it is odd all the same.
 */
export function addTransferEncoding(at: usize, end: usize): void {
  hasCoding = true
  let items = 0
  while (at < end) {
    const start = at
    while (at < end && load<u8>(at) != 0x2c) at++
    let from = start
    let to = at
    at++
    while (from < to && isSpace(load<u8>(from))) from++
    while (to > from && isSpace(load<u8>(to - 1))) to--
    if (to == from) continue
    items++
    const isIdentity = isWord(from, (to - from) as u32, 0x797469746e656469, 8) // "identity"
    if (isIdentity && items > 1) {
      oddities |= ODDITY_CODING_UNKNOWN
      continue
    }
    if (!isIdentity) hasRealCoding = true
    chunkedIsLast = isWord(from, (to - from) as u32, 0x64656b6e756863, 7) // "chunked"
    if (chunkedIsLast) chunkedCount++
  }
  if (items == 0) chunkedIsLast = false
}

/** RFC 9110 7.6.1. */
export function addConnection(at: usize, end: usize): void {
  while (at < end) {
    let from = at
    while (at < end && load<u8>(at) != 0x2c) at++
    let to = at
    at++
    while (from < to && isSpace(load<u8>(from))) from++
    while (to > from && isSpace(load<u8>(to - 1))) to--
    const length = (to - from) as u32
    if (length == 5 && isWord(from, 5, 0x65736f6c63, 5)) connection |= HEAD_CONNECTION_CLOSE
    else if (length == 7 && isWord(from, 7, 0x65646172677075, 7)) connection |= HEAD_CONNECTION_UPGRADE
    // The dash is compared by itself: 0x20 would make one of a CR.
    else if (length == 10 && load<u8>(from, 4) == 0x2d && isWord(from, 8, 0x696c612d7065656b, 8) 
      && (load<u16>(from, 8) | 0x2020) == 0x6576) {
      connection |= HEAD_CONNECTION_KEEP_ALIVE
    }
  }
}

/**
 * BODY_* of all fields seen since `resetFraming`; a transfer coding overrides a length (RFC 9112 6.3). Of a response "identity"
 * alone does not (RFC 2616 4.4): clients go by the length.
 */
export function bodyKind(isResponse: bool): u32 {
  if (!hasCoding) return hasLength ? BODY_LENGTH : BODY_NONE
  if (isResponse && hasLength && !hasRealCoding) {
    oddities |= ODDITY_CODING_UNKNOWN
    return BODY_LENGTH
  }
  if (hasLength || (oddities & ODDITY_LENGTH_INVALID) != 0) oddities |= ODDITY_LENGTH_AND_CHUNKED
  if (!chunkedIsLast || chunkedCount != 1) oddities |= ODDITY_CODING_UNKNOWN
  return chunkedIsLast ? BODY_CHUNKED : BODY_UNTIL_CLOSE
}
