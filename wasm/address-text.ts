/** Text of addresses. Every function returns the address behind what it wrote; it may touch up to 3 bytes more. */
import { writeU32 } from './digits'

/** For each octet its digits in the low 3 bytes, their number in the highest. */
const OCTETS: usize = octetTable(memory.data(256 * 4))

function octetTable(table: usize): usize {
  for (let octet: u32 = 0; octet < 256; octet++) {
    const entry = table + octet * 4
    store<u32>(entry, 0)
    store<u8>(entry, <u8>(writeU32(octet, entry) - entry), 3)
  }
  return table
}

/** Longest text: 8 groups of 4 and 7 colons; an IPv4-mapped one is shorter. */
export const ADDRESS_TEXT_BYTES = 39

function writeIpv4(address: usize, out: usize): usize {
  let at = out
  for (let index: u32 = 0; index < 4; index++) {
    const text = load<u32>(OCTETS + (<u32>load<u8>(address + index) << 2))
    const length = text >> 24
    store<u32>(at, text)
    store<u8>(at + length, 0x2e)
    at += length + 1
  }
  return at - 1
}

// @ts-ignore: decorator
@inline
function hexDigit(value: u32): u8 {
  return <u8>(value < 10 ? 0x30 + value : 0x57 + value)
}

function writeGroup(group: u32, out: usize): usize {
  let at = out
  if (group >= 0x1000) store<u8>(at++, hexDigit(group >> 12))
  if (group >= 0x100) store<u8>(at++, hexDigit((group >> 8) & 15))
  if (group >= 0x10) store<u8>(at++, hexDigit((group >> 4) & 15))
  store<u8>(at++, hexDigit(group & 15))
  return at
}

/** True for ::ffff:0:0/96 (RFC 4291 2.5.5.2). */
export function isMapped(address: usize): bool {
  return load<u64>(address) == 0 && load<u32>(address + 8) == 0xffff0000
}

/** RFC 5952: lower case, no leading zeros, the longest (first) run of two or more zero groups as `::`. */
function writeIpv6(address: usize, out: usize): usize {
  let at = out
  if (isMapped(address)) {
    for (let index: u32 = 0; index < 7; index++) store<u8>(at + index, index == 0 || index == 1 || index == 6 ? 0x3a : 0x66)
    return writeIpv4(address + 12, at + 7)
  }
  let bestStart: u32 = 8, bestLength: u32 = 1, length: u32 = 0
  for (let index: u32 = 0; index < 8; index++) {
    length = load<u16>(address + index * 2) == 0 ? length + 1 : 0
    if (length > bestLength) {
      bestLength = length
      bestStart = index + 1 - length
    }
  }
  for (let index: u32 = 0; index < 8; index++) {
    if (index == bestStart) {
      store<u16>(at, 0x3a3a)
      at += 2
      index += bestLength - 1
      continue
    }
    if (index != 0 && load<u8>(at - 1) != 0x3a) store<u8>(at++, 0x3a)
    at = writeGroup(<u32>bswap<u16>(load<u16>(address + index * 2)), at)
  }
  return at
}

/** IPv4 dotted, IPv6 as RFC 5952 says, IPv4-mapped as ::ffff:1.2.3.4; nothing for another version. */
export function writeAddressText(version: u32, address: usize, out: usize): usize {
  if (version == 4) return writeIpv4(address, out)
  return version == 6 ? writeIpv6(address, out) : out
}

/** Six bytes as `02:00:00:00:00:01`: 17 bytes. */
export function writeMacText(mac: usize, out: usize): usize {
  for (let index: u32 = 0; index < 6; index++) {
    const value = <u32>load<u8>(mac + index)
    store<u8>(out + index * 3, hexDigit(value >> 4))
    store<u8>(out + index * 3 + 1, hexDigit(value & 15))
    if (index != 5) store<u8>(out + index * 3 + 2, 0x3a)
  }
  return out + 17
}
