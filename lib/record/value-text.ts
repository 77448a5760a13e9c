/** Texts of record values, the same as the encoder in wasm/ writes. */

/** RFC 3339 in UTC with nine digits. @param nanoseconds since 1970-01-01T00:00Z */
export function formatTime(nanoseconds: bigint): string {
  const fraction = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const date = new Date(Number((nanoseconds - fraction) / 1_000_000n))
  return `${date.toISOString().slice(0, 19)}.${String(fraction).padStart(9, '0')}Z`
}

/** @param bytes network order, IPv4 in the first 4. @returns dotted, or RFC 5952; '' for another version */
export function formatAddress(version: number, bytes: Uint8Array): string {
  if (version === 4) return bytes.subarray(0, 4).join('.')
  if (version !== 6) return ''
  const groups = Array.from({ length: 8 }, (_, index) => (bytes[index * 2]! << 8) | bytes[index * 2 + 1]!)
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${bytes.subarray(12, 16).join('.')}`
  }
  let bestStart = 8
  let bestLength = 1
  let length = 0
  groups.forEach((group, index) => {
    length = group === 0 ? length + 1 : 0
    if (length > bestLength) {
      bestLength = length
      bestStart = index + 1 - length
    }
  })
  const hex = groups.map((group) => group.toString(16))
  if (bestStart === 8) return hex.join(':')
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLength).join(':')}`
}

export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':')
}
