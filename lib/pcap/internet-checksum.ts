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
  while (folded > 0xffff) folded = (folded % 65536) + Math.floor(folded / 65536)
  return ~folded & 0xffff
}
