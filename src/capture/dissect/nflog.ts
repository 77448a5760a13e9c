import { ETHERTYPE } from './ethertype-number.ts'
import { DISSECT_OUTCOME } from './outcome.ts'
import { STEP, type Walk } from './walk.ts'

const HEADER_BYTES = 4
const ATTRIBUTE_PAYLOAD = 9

/**
 * Netfilter's log: family, version, resource, then attributes in the host's byte order; one of them is the
 * packet.
 */
export function nflog(walk: Walk): STEP {
  if (!walk.has(HEADER_BYTES)) return walk.short(HEADER_BYTES)
  const { u8 } = walk
  const family = u8[walk.at]!
  walk.at += HEADER_BYTES
  while (walk.has(4)) {
    const at = walk.at
    // Lengths are under 64 KiB and kinds under 256: the zero byte tells the order.
    const bigEndian = u8[at + 3] !== 0 && u8[at + 2] === 0
    const length = bigEndian ? walk.u16(at) : u8[at]! | (u8[at + 1]! << 8)
    const kind = bigEndian ? u8[at + 3]! : u8[at + 2]!
    if (length < 4) return walk.stop(DISSECT_OUTCOME.HEADER_SHORT)
    if (kind === ATTRIBUTE_PAYLOAD) {
      walk.at += 4
      walk.trim(length - 4)
      walk.ethertype = family === 10 ? ETHERTYPE.IPV6 : ETHERTYPE.IPV4
      return family === 2 || family === 10 ? STEP.ETHERTYPE : walk.stop(DISSECT_OUTCOME.NOT_IP)
    }
    walk.at += (length + 3) & ~3
  }
  return walk.short(4)
}
