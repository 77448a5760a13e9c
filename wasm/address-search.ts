/**
 * Addresses inside a text (X-Forwarded-For, Forwarded, a Host that is a number): each is replaced by what the
 * wall shows of it, everything else goes through the search for credentials.
 */
import { writeAddressText } from './address-text'
import { addressMode, writeAddress } from './anonymise'
import { charClass } from './char-class'
import { writeSearched } from './credential'
import { passFrom, roomFor } from './redaction'
import { ADDRESS_KEEP, CHAR_ALNUM, CHAR_COLON, CHAR_DIGIT, CHAR_DOT, CHAR_HEX } from './wall-numbers'

const ADDRESS: usize = memory.data(16)
const TEXT: usize = memory.data(64)
const LONGEST: usize = 45

/** Dotted quad from `p`; returns its end or 0. */
function parseIpv4(p: usize, end: usize, out: usize): usize {
  for (let part: u32 = 0; part < 4; part++) {
    let value: u32 = 0
    let digits: u32 = 0
    while (p < end && digits < 4 && (charClass(p) & CHAR_DIGIT) != 0) {
      value = value * 10 + load<u8>(p) - 48
      digits++
      p++
    }
    if (digits == 0 || digits > 3 || value > 255) return 0
    store<u8>(out + part, value as u8)
    if (part < 3) {
      if (p >= end || load<u8>(p) != 46) return 0
      p++
    }
  }
  return p
}

// @ts-ignore: decorator
@inline
function hexValue(c: u32): u32 {
  return c <= 57 ? c - 48 : (c | 32) - 87
}

/** Text form of IPv6 (RFC 4291 2.2) from `p`; returns its end or 0. */
function parseIpv6(p: usize, end: usize, out: usize): usize {
  const groups: usize = memory.data(16)
  let count: u32 = 0
  let gap: i32 = -1
  if (p + 1 < end && load<u8>(p) == 58 && load<u8>(p + 1) == 58) {
    gap = 0
    p += 2
  }
  while (count < 8 && p < end && (charClass(p) & (CHAR_DIGIT | CHAR_HEX)) != 0) {
    let value: u32 = 0
    const from = p
    while (p < end && p - from < 5 && (charClass(p) & (CHAR_DIGIT | CHAR_HEX)) != 0) value = (value << 4) |
      hexValue(load<u8>(p++))
    if (p - from > 4) return 0
    if (p < end && load<u8>(p) == 46) {
      if (count > 6) return 0
      const quad = parseIpv4(from, end, groups + 2 * count)
      if (quad == 0) return 0
      p = quad
      count += 2
      break
    }
    store<u8>(groups + 2 * count, (value >> 8) as u8)
    store<u8>(groups + 2 * count + 1, value as u8)
    count++
    if (p + 1 < end && load<u8>(p) == 58 && load<u8>(p + 1) == 58) {
      if (gap >= 0) return 0
      gap = count as i32
      p += 2
    } else if (count < 8 && p + 1 < end && load<u8>(p) == 58 &&
      (charClass(p + 1) & (CHAR_DIGIT | CHAR_HEX)) != 0) {
      p++
    } else {
      break
    }
  }
  if (gap < 0 ? count != 8 : count > 7) return 0
  memory.fill(out, 0, 16)
  if (gap < 0) {
    memory.copy(out, groups, 16)
  } else {
    memory.copy(out, groups, 2 * gap)
    const after = 2 * (count - gap)
    memory.copy(out + 16 - after, groups + 2 * gap, after)
  }
  return p
}

// @ts-ignore: decorator
@inline
function isAddressChar(at: usize): bool {
  return (charClass(at) & (CHAR_DIGIT | CHAR_HEX | CHAR_DOT | CHAR_COLON)) != 0
}

/** As the search for credentials, and every address in the text is written as it may be shown. */
export function writeWithAddresses(text: usize, length: u32): void {
  if (addressMode() == ADDRESS_KEEP) {
    writeSearched(text, length, false)
    return
  }
  const end = text + length
  let plain = text
  let p = text
  while (p < end) {
    const inWord = p > text && (charClass(p - 1) & (CHAR_ALNUM | CHAR_DOT | CHAR_COLON)) != 0
    if (inWord || !isAddressChar(p)) {
      p++
      continue
    }
    let version: u32 = 4
    let stop = parseIpv4(p, end, ADDRESS)
    if (stop == 0 || (stop < end && (charClass(stop) & (CHAR_ALNUM | CHAR_DOT)) != 0)) {
      version = 6
      stop = parseIpv6(p, min(end, p + LONGEST + 1), ADDRESS)
      if (stop != 0 && stop < end && (charClass(stop) & CHAR_ALNUM) != 0) stop = 0
    }
    if (stop == 0) {
      p++
      continue
    }
    writeSearched(plain, (p - plain) as u32, false)
    writeAddress(version, ADDRESS, ADDRESS)
    const written = (writeAddressText(version, ADDRESS, TEXT) - TEXT) as u32
    if (roomFor(written, (stop - p) as u32)) passFrom(TEXT, written, (stop - p) as u32)
    p = stop
    plain = stop
  }
  writeSearched(plain, (end - plain) as u32, false)
}
