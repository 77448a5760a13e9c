import type { Walk } from './walk.ts'

const VERSION_1 = 1
const VERSION_2 = 0x6b3343cf
/** Drafts of RFC 9000 are 0xff0000xx; of mvfst and Google the versions that look like a draft; reserved ones are 0x?a?a?a?a. */
const DRAFTS: readonly (readonly [mask: number, value: number])[] = [
  [0xffffff00, 0xff000000], [0xfffffff0, 0xfaceb000], [0xfffffff0, 0x54303530],
  [0x0f0f0f0f, 0x0a0a0a0a],
]

/**
 * Whether the datagram at hand begins with a QUIC Initial packet (RFC 9000 17.2.2, RFC 9369 3.2): long header, a known version,
 * and its bits for Initial. The fixed bit may be anything (RFC 9287). bpf/filter.h is stricter: the fixed bit, and no
 * reserved versions.
 */
export function isQuicInitial(walk: Walk): boolean {
  const { at, u8 } = walk
  if (!walk.has(5)) return false
  const first = u8[at]!
  if ((first & 0x80) === 0) return false
  const version = (u8[at + 1]! << 24 | u8[at + 2]! << 16 | u8[at + 3]! << 8 | u8[at + 4]!) >>> 0
  const type = first & 0x30
  if (version === VERSION_2) return type === 0x10
  if (type !== 0) return false
  return version === VERSION_1 || DRAFTS.some(([mask, value]) => (version & mask) >>> 0 === value)
}
