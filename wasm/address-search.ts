/**
 * Addresses inside a text, whichever it is: each is replaced by what the wall shows of it. An address that
 * stood in one field as it is, beside its replacement in another, would give the replacement away.
 *
 * An IPv4 address whose last three numbers are 0 is a network or a version ("Chrome/120.0.0.0"), never a host.
 */
import { writeAddressText } from './address-text'
import { addressMode, writeAddress } from './anonymise'
import { charClass } from './char-class'
import { pass, passFrom, roomFor } from './redaction'
import { ADDRESS_KEEP, CHAR_ALNUM, CHAR_COLON, CHAR_DIGIT, CHAR_DOT, CHAR_HEX } from './wall-numbers'

const ADDRESS: usize = memory.data(16)
const TEXT: usize = memory.data(64)
const LONGEST: usize = 59 // 45, with 7 colons that are %3A
const HEX: u32 = CHAR_DIGIT | CHAR_HEX

let products: bool = false

/** While on, `name/1.2.3.4` is a product and its version (RFC 9110 10.1.5). */
export function exemptProducts(on: bool): void {
  products = on
}

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

/** Bytes of the colon at `p`, which queries write as %3A; 0 = none. */
// @ts-ignore: decorator
@inline
function colonAt(p: usize, end: usize): usize {
  if (p >= end) return 0
  if (load<u8>(p) == 58) return 1
  return p + 2 < end && load<u8>(p) == 37 && load<u8>(p + 1) == 51 && (load<u8>(p + 2) | 32) == 97 ? 3 : 0
}

/** Text form of IPv6 (RFC 4291 2.2) from `p`; returns its end or 0. `::` alone is nobody's. */
function parseIpv6(p: usize, end: usize, out: usize): usize {
  const groups: usize = memory.data(16)
  let count: u32 = 0
  let gap: i32 = -1
  let colon = colonAt(p, end)
  if (colon != 0) {
    const second = colonAt(p + colon, end)
    if (second == 0) return 0
    gap = 0
    p += colon + second
  }
  while (count < 8 && p < end && (charClass(p) & HEX) != 0) {
    let value: u32 = 0
    const from = p
    while (p < end && p - from < 5 && (charClass(p) & HEX) != 0) {
      value = (value << 4) | hexValue(load<u8>(p++))
    }
    if (p - from > 4) return 0
    if (p < end && load<u8>(p) == 46) {
      const quad: usize = count > 6 ? 0 : parseIpv4(from, end, groups + 2 * count)
      if (quad != 0) {
        p = quad
        count += 2
        break
      }
      // The full stop of a sentence: nothing of a number follows.
      if (p + 1 < end && (charClass(p + 1) & CHAR_DIGIT) != 0) return 0
    }
    store<u8>(groups + 2 * count, (value >> 8) as u8)
    store<u8>(groups + 2 * count + 1, value as u8)
    count++
    colon = colonAt(p, end)
    if (colon == 0) break
    const second = colonAt(p + colon, end)
    if (second != 0) {
      if (gap >= 0) break
      gap = count as i32
      p += colon + second
    } else if (count < 8 && p + colon < end && (charClass(p + colon) & HEX) != 0) {
      p += colon
    } else {
      break
    }
  }
  if (gap < 0 ? count != 8 : count > 7 || count == 0) return 0
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

let found: u32 = 0 // version of the address at ADDRESS

/** End of the address that begins at `p`, 0 = none. */
function addressEnd(p: usize, end: usize): usize {
  found = 4
  let stop = parseIpv4(p, end, ADDRESS)
  if (stop != 0 && (stop == end || (charClass(stop) & (CHAR_ALNUM | CHAR_DOT)) == 0 || (load<u8>(stop) == 46 &&
    (stop + 1 == end || (charClass(stop + 1) & CHAR_DIGIT) == 0)))) return stop
  found = 6
  stop = parseIpv6(p, min(end, p + LONGEST + 1), ADDRESS)
  return stop != 0 && stop < end && (charClass(stop) & CHAR_ALNUM) != 0 ? 0 : stop
}

/** A version behind a product's name. */
// @ts-ignore: decorator
@inline
function isVersion(p: usize, text: usize): bool {
  return products && found == 4 && p - text > 1 && load<u8>(p - 1) == 47 &&
    (charClass(p - 2) & CHAR_ALNUM) != 0
}

/**
 * Lets a text through with every address in it as it may be shown. True when there was any, also one that
 * was left as it is because of where it stands.
 */
export function passAddresses(text: usize, length: u32): bool {
  if (addressMode() == ADDRESS_KEEP) {
    pass(text, length)
    return false
  }
  const end = text + length
  let plain = text
  let p = text
  let any = false
  let border = true // nothing that an address could be the end of stands in front
  while (p < end) {
    const bits = charClass(p)
    const escaped = p + 2 < end && load<u8>(p) == 37 && (charClass(p + 1) & HEX) != 0 &&
      (charClass(p + 2) & HEX) != 0
    const stop = border && ((bits & (HEX | CHAR_COLON)) != 0 || escaped) ? addressEnd(p, end) : 0
    if (stop == 0 || (found == 4 && (load<u32>(ADDRESS) & 0xffffff00) == 0)) {
      border = escaped || (bits & (CHAR_ALNUM | CHAR_DOT)) == 0
      p += escaped ? 3 : 1
      if (stop != 0) {
        p = stop
        border = false
      }
      continue
    }
    any = true
    if (!isVersion(p, text)) {
      pass(plain, (p - plain) as u32)
      writeAddress(found, ADDRESS, ADDRESS)
      const written = (writeAddressText(found, ADDRESS, TEXT) - TEXT) as u32
      if (roomFor(written, (stop - p) as u32)) passFrom(TEXT, written, (stop - p) as u32)
      plain = stop
    }
    p = stop
    border = false
  }
  pass(plain, (end - plain) as u32)
  return any
}
