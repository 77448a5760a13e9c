/** Sum of `length` bytes in 16-bit words, network order, added to `sum` (RFC 1071); not folded. */
export function addWords(u8: Uint8Array, at: number, length: number, sum: number): number {
  const even = at + (length & ~1)
  let total = sum
  for (let i = at; i < even; i += 2) total += (u8[i]! << 8) | u8[i + 1]!
  if ((length & 1) === 1) total += u8[even]! << 8
  return total
}

/** The 16-bit one's complement of a sum: 0 for data that holds its own right checksum. */
export function foldChecksum(sum: number): number {
  let folded = sum
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 65536)
  return ~folded & 0xffff
}

/** The pseudo header of TCP, UDP and ICMPv6: addresses, length, protocol (RFC 9293 section 3.1, RFC 8200 section 8.1). */
export function pseudoHeader(u8: Uint8Array, ipAt: number, version: number, protocol: number, length: number): number {
  const addresses = version === 4 ? addWords(u8, ipAt + 12, 8, 0) : addWords(u8, ipAt + 8, 32, 0)
  return addresses + protocol + (length & 0xffff) + (length >>> 16)
}
