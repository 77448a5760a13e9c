/** Addresses from text (RFC 4291 2.2, dotted IPv4), strictly: what can be read in two ways is no address. */
import { hexValue } from './hex'
import { isMapped } from './address-text'

/** Dotted decimal, four numbers without leading zeros; true and 4 bytes at `out` when it is one. */
function parseIpv4(at: usize, length: u32, out: usize): bool {
  let part: u32 = 0
  let value: u32 = 0
  let digits: u32 = 0
  for (let index: u32 = 0; index <= length; index++) {
    const byte: u32 = index < length ? load<u8>(at + index) : 0x2e
    if (byte == 0x2e) {
      if (digits == 0 || part > 3) return false
      store<u8>(out + part, <u8>value)
      part++
      value = 0
      digits = 0
      continue
    }
    if (byte - 0x30 > 9 || digits != 0 && value == 0) return false
    value = value * 10 + (byte - 0x30)
    digits++
    if (value > 255) return false
  }
  return part == 4
}

function parseIpv6(at: usize, length: u32, out: usize): bool {
  const end = at + length
  let from = at
  let groups: u32 = 0
  let gap: u32 = 8
  if (length >= 2 && load<u16>(from) == 0x3a3a) {
    gap = 0
    from += 2
  }
  while (from < end) {
    let value: u32 = 0
    let next = from
    while (next < end && next - from < 5 && hexValue(load<u8>(next)) < 16) value = value << 4 | hexValue(load<u8>(next++))
    if (next < end && load<u8>(next) == 0x2e) {
      if (groups > 6 || !parseIpv4(from, <u32>(end - from), out + groups * 2)) return false
      groups += 2
      from = end
      break
    }
    if (next == from || next - from > 4 || groups > 7) return false
    store<u16>(out + groups * 2, bswap<u16>(<u16>value))
    groups++
    from = next
    if (from == end) break
    if (load<u8>(from++) != 0x3a || from == end) return false
    if (load<u8>(from) == 0x3a) {
      if (gap != 8) return false
      gap = groups
      from++
    }
  }
  if (gap == 8) return groups == 8
  if (groups > 7) return false
  const moved = (groups - gap) * 2
  memory.copy(out + 16 - moved, out + gap * 2, moved)
  memory.fill(out + gap * 2, 0, 16 - groups * 2)
  return true
}

/**
 * Version (4 or 6) of the address that `length` bytes at `at` are, 0 = none; its 16 bytes go to `out`. An IPv4-mapped
 * address is the IPv4 address.
 */
export function parseAddress(at: usize, length: u32, out: usize): u32 {
  store<u64>(out, 0)
  store<u64>(out, 0, 8)
  if (length < 2 || length > 45) return 0
  if (parseIpv4(at, length, out)) return 4
  store<u64>(out, 0)
  if (!parseIpv6(at, length, out)) return 0
  if (!isMapped(out)) return 6
  const address = load<u32>(out + 12)
  store<u64>(out, address)
  store<u64>(out, 0, 8)
  return 4
}
