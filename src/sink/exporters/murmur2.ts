const [SEED, MULTIPLIER, SHIFT] = [0x9747b28c, 0x5bd1e995, 24]

/** murmur2 (A. Appleby) with the seed of Kafka's clients (org.apache.kafka.common.utils.Utils), as a signed 32-bit number. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes
  let hash = SEED ^ length
  const whole = length & ~3
  for (let at = 0; at < whole; at += 4) {
    let word = byteAt(bytes, at) | byteAt(bytes, at + 1) << 8 | byteAt(bytes, at + 2) << 16 | byteAt(bytes, at + 3) << 24
    word = Math.imul(word, MULTIPLIER)
    word ^= word >>> SHIFT
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER)
  }
  for (let left = length & 3; left > 0; left--) hash ^= byteAt(bytes, whole + left - 1) << 8 * (left - 1)
  if (whole < length) hash = Math.imul(hash, MULTIPLIER)
  hash ^= hash >>> 13
  hash = Math.imul(hash, MULTIPLIER)
  return hash ^ hash >>> 15
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number
}
