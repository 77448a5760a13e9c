import { TUNNEL_GRE } from '../events.gen.ts'
import { ETHERTYPE } from './ethertype-number.ts'
import { LAYER } from './layer.ts'
import { DISSECT_OUTCOME } from './outcome.ts'
import { STEP, type Walk } from './walk.ts'
import { wifi } from './wifi.ts'

const FLAG = {
  CHECKSUM: 0x8000, ROUTING: 0x4000, KEY: 0x2000, SEQUENCE: 0x1000, ACKNOWLEDGEMENT: 0x80,
} as const

/** RFC 2784 and 2890, and version 1 for PPTP (RFC 2637). */
export function gre(walk: Walk): STEP {
  if (!walk.enter()) return STEP.DONE
  if (!walk.has(4)) return walk.short(4)
  const flags = walk.u16(walk.at)
  const version = flags & 7
  if (version === 1) return pptp(walk, flags)
  if (version !== 0) return walk.stop(DISSECT_OUTCOME.NOT_IP)
  let bytes = 4
  if ((flags & (FLAG.CHECKSUM | FLAG.ROUTING)) !== 0) bytes += 4
  const keyAt = walk.at + bytes
  if ((flags & FLAG.KEY) !== 0) bytes += 4
  if ((flags & FLAG.SEQUENCE) !== 0) bytes += 4
  if (!walk.has(bytes)) return walk.short(bytes)
  walk.enterTunnel(TUNNEL_GRE, (flags & FLAG.KEY) !== 0 ? walk.i32(keyAt) : 0, LAYER.GRE)
  walk.ethertype = walk.u16(walk.at + 2)
  walk.at += bytes
  if ((flags & FLAG.ROUTING) !== 0 && !skipRouting(walk)) return STEP.DONE
  // ERSPAN type I has no header of its own; II and III come with a sequence number.
  if (walk.ethertype === ETHERTYPE.ERSPAN_II && (flags & FLAG.SEQUENCE) === 0) return STEP.ETHERNET
  // Aruba's access points send 802.11 frames; the low byte is their queue.
  if (walk.ethertype >> 8 === 0x82 || walk.ethertype === 0x9000) return wifi(walk, false)
  return STEP.ETHERTYPE
}

/** RFC 1701: entries of family, offset, length, until family and length are 0. */
function skipRouting(walk: Walk): boolean {
  for (;;) {
    if (!walk.has(4)) {
      walk.short(4)
      return false
    }
    const family = walk.u16(walk.at)
    const length = walk.u8[walk.at + 3]!
    walk.at += 4 + length
    if (family === 0 && length === 0) return true
  }
}

/** Enhanced GRE: the key is payload length and call; without a sequence number there is no payload. */
function pptp(walk: Walk, flags: number): STEP {
  const sequence = (flags & FLAG.SEQUENCE) !== 0
  const bytes = 8 + (sequence ? 4 : 0) + ((flags & FLAG.ACKNOWLEDGEMENT) !== 0 ? 4 : 0)
  if (!walk.has(bytes)) return walk.short(bytes)
  const at = walk.at
  if (walk.u16(at + 2) !== ETHERTYPE.PPP || !sequence) return walk.stop(DISSECT_OUTCOME.NOT_IP)
  walk.enterTunnel(TUNNEL_GRE, walk.u16(at + 6), LAYER.GRE)
  walk.at = at + bytes
  walk.trim(walk.u16(at + 4))
  return STEP.PPP
}

/**
 * ERSPAN types II (8 bytes) and III (12, with 8 more when its last bit says so): a mirrored Ethernet frame.
 */
export function erspan(walk: Walk, bytes: number): STEP {
  if (!walk.enter()) return STEP.DONE
  if (!walk.has(bytes)) return walk.short(bytes)
  walk.layers.add(LAYER.ERSPAN)
  const more = bytes === 12 && (walk.u8[walk.at + 11]! & 1) === 1 ? 8 : 0
  walk.at += bytes + more
  return STEP.ETHERNET
}
