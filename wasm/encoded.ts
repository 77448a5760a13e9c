/**
 * Credentials behind percent-encoding or base64: a piece of the text is decoded once into a scratch region
 * and searched there; when something is found the piece is hidden as it stands.
 */
import { charClass } from './char-class'
import { searchDecoded } from './credential'
import { enterDecoded, foundDecoded, insideDecoded, isHidden, leaveDecoded, markSecret } from './hidden-mask'
import {
  CHAR_ALNUM, CHAR_DASH, CHAR_DIGIT, CHAR_PLUS, CHAR_SLASH, CHAR_SPACE, CHAR_UNDERSCORE, CHAR_UPPER,
} from './wall-numbers'

const BASE64: u32 = CHAR_ALNUM | CHAR_PLUS | CHAR_SLASH | CHAR_DASH | CHAR_UNDERSCORE
const BASE64_LEAST: usize = 16 // 12 bytes

const SEXTETS: usize = memory.data(256)
let percentScratch: usize = 0
let base64Scratch: usize = 0

/** Two regions of TEXT_MAX + 16 bytes. */
export function setDecodeMemory(percent: usize, base64: usize): void {
  percentScratch = percent
  base64Scratch = base64
  for (let i: usize = 0; i < 26; i++) {
    store<u8>(SEXTETS + 65 + i, i as u8)
    store<u8>(SEXTETS + 97 + i, (26 + i) as u8)
  }
  for (let i: usize = 0; i < 10; i++) store<u8>(SEXTETS + 48 + i, (52 + i) as u8)
  store<u8>(SEXTETS + 43, 62)
  store<u8>(SEXTETS + 45, 62)
  store<u8>(SEXTETS + 47, 63)
  store<u8>(SEXTETS + 95, 63)
}

// @ts-ignore: decorator
@inline
function hexValue(c: u32): u32 {
  if (c - 48 < 10) return c - 48
  const lower = c | 32
  return lower - 97 < 6 ? lower - 87 : 255
}

/**
 * Decodes %XX of `from` up to `to` into `out`; returns its length. A percent sign without two digits stays.
 */
export function percentDecode(from: usize, to: usize, out: usize): u32 {
  let q = out
  for (let p = from; p < to; p++) {
    let c = <u32>load<u8>(p)
    if (c == 37 && to - p > 2) {
      const high = hexValue(load<u8>(p + 1))
      const low = hexValue(load<u8>(p + 2))
      if (high < 16 && low < 16) {
        c = (high << 4) | low
        p += 2
      }
    }
    store<u8>(q++, c as u8)
  }
  return (q - out) as u32
}

// @ts-ignore: decorator
@inline
function endsPiece(at: usize): bool {
  const c = <u32>load<u8>(at)
  // No apostrophes and brackets: encodeURIComponent leaves them, so they stand inside encoded pieces.
  return c == 38 || c == 59 || c == 44 || c == 47 || c == 63 || c == 35 || c == 60 || c == 62 || c == 123 ||
    c == 125 ||
    c == 34 || (charClass(at) & CHAR_SPACE) != 0
}

/** %25 and a digit: what is encoded here was encoded before. */
function isTwiceEncoded(from: usize, to: usize): bool {
  for (let p = from; p + 4 < to; p++) {
    if (load<u8>(p) == 37 && load<u16>(p + 1) == 0x3532 && hexValue(load<u8>(p + 3)) < 16) return true
  }
  return false
}

function decodedHolds(from: usize, to: usize, query: bool): bool {
  let length = percentDecode(from, to, percentScratch)
  enterDecoded()
  searchDecoded(percentScratch, length, query, true)
  if (!foundDecoded() && isTwiceEncoded(from, to)) {
    length = percentDecode(percentScratch, percentScratch + length, percentScratch)
    searchDecoded(percentScratch, length, query, true)
  }
  return leaveDecoded()
}

/**
 * A piece is what stands between the delimiters of URLs and lists; behind its first `=` the value alone is
 * hidden.
 */
function checkPiece(from: usize, to: usize, query: bool): void {
  if (!decodedHolds(from, to, query)) return
  let equals = from
  while (equals < to && load<u8>(equals) != 61) equals++
  if (equals + 1 >= to || decodedHolds(from, equals, query)) markSecret(from, to)
  else markSecret(equals + 1, to)
}

/** Searches the percent-encoded pieces between `start` and `end`, not inside decoded text. */
export function searchPercentEncoded(start: usize, end: usize, query: bool): void {
  let from = start
  let encoded = false
  for (let p = start; p <= end; p++) {
    if (p < end && !endsPiece(p)) {
      if (load<u8>(p) == 37) encoded = true
      continue
    }
    if (encoded && !isHidden(from, p)) checkPiece(from, p, query)
    encoded = false
    from = p + 1
  }
}

function base64Decode(from: usize, to: usize): u32 {
  let out = base64Scratch
  let p = from
  for (; p + 4 <= to; p += 4) {
    const bits = (<u32>load<u8>(SEXTETS + <usize>load<u8>(p)) << 18) |
      (<u32>load<u8>(SEXTETS + <usize>load<u8>(p + 1)) << 12) |
      (<u32>load<u8>(SEXTETS + <usize>load<u8>(p + 2)) << 6) | <u32>load<u8>(SEXTETS + <usize>load<u8>(p + 3))
    store<u8>(out, (bits >> 16) as u8)
    store<u8>(out + 1, (bits >> 8) as u8)
    store<u8>(out + 2, bits as u8)
    out += 3
  }
  const rest = to - p
  if (rest >= 2) {
    const bits = (<u32>load<u8>(SEXTETS + <usize>load<u8>(p)) << 18) |
      (<u32>load<u8>(SEXTETS + <usize>load<u8>(p + 1)) << 12) |
      (rest == 3 ? <u32>load<u8>(SEXTETS + <usize>load<u8>(p + 2)) << 6 : 0)
    store<u8>(out++, (bits >> 16) as u8)
    if (rest == 3) store<u8>(out++, (bits >> 8) as u8)
  }
  return (out - base64Scratch) as u32
}

/** The piece may be glued to something else, so all four places where a group can begin are tried. */
function base64Holds(from: usize, to: usize): bool {
  for (let shift: usize = 0; shift < 4; shift++) {
    const length = base64Decode(from + shift, to)
    enterDecoded()
    searchDecoded(base64Scratch, length, false, false)
    if (leaveDecoded()) return true
  }
  return false
}

/** Searches the runs of base64 (standard and URL alphabet) between `start` and `end`. */
export function searchBase64(start: usize, end: usize): void {
  let p = start
  while (p < end) {
    while (p < end && (charClass(p) & BASE64) == 0) p++
    const from = p
    let upper: u32 = 0
    while (p < end) {
      const bits = charClass(p)
      if ((bits & BASE64) == 0) break
      if ((bits & CHAR_UPPER) != 0) upper++
      p++
    }
    // The base64 of text always has capitals; ids in hexadecimal, most paths and host names have none.
    if (p - from < BASE64_LEAST || upper < 2 || isHidden(from, p)) continue
    if (base64Holds(from, p)) {
      while (p < end && load<u8>(p) == 61) p++
      markSecret(from, p)
      if (insideDecoded() && foundDecoded()) return
    }
  }
}
