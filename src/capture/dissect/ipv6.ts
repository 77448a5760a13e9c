import { FLAG_IP_OPTIONS } from '../events.gen.ts'
import { DISSECT_ANOMALY } from './anomaly.ts'
import { IP_PROTOCOL } from './ip-protocol.ts'
import { continueJoined } from './ipv4.ts'
import { LAYER } from './layer.ts'
import { DISSECT_OUTCOME } from './outcome.ts'
import { STEP, type Walk } from './walk.ts'

const HEADER_BYTES = 40
const PAYLOAD_BYTES_MAX = 65535
const OPTION_PAD1 = 0
const OPTION_JUMBO = 0xc2

/** RFC 8200: header and extension headers, fragments joined. */
export function ipv6(walk: Walk): STEP {
  if (!walk.enter()) return STEP.DONE
  if (!walk.has(HEADER_BYTES)) return walk.short(HEADER_BYTES)
  const { u8, at } = walk
  const word = walk.i32(at)
  if (word >>> 28 !== 6) return walk.stop(DISSECT_OUTCOME.IP_VERSION)
  walk.layers.add(LAYER.IPV6)
  walk.ipAt = at
  walk.ipVersion = 6
  walk.tos = (word >>> 20) & 0xff
  walk.identification = word & 0xfffff
  walk.protocol = u8[at + 6]!
  walk.ttl = u8[at + 7]!
  walk.routed = false
  walk.at = at + HEADER_BYTES
  const length = walk.u16(at + 4)
  if (length === 0) zeroLength(walk)
  else if (walk.at + length > walk.wireEnd) walk.anomalies.add(DISSECT_ANOMALY.IP_LENGTH_OVER_FRAME)
  else walk.trim(length)
  return STEP.UPPER
}

/** Nothing follows, or a jumbogram (RFC 2675), or a segment that the card was to split. */
function zeroLength(walk: Walk): void {
  if (walk.protocol === IP_PROTOCOL.NONE) {
    walk.trim(0)
    return
  }
  const jumbo = walk.protocol === IP_PROTOCOL.HOP_BY_HOP ? jumboLength(walk) : 0
  if (jumbo > PAYLOAD_BYTES_MAX) walk.trim(jumbo)
  else walk.anomalies.add(DISSECT_ANOMALY.IP6_PAYLOAD_LENGTH_ZERO)
}

/** The jumbo payload option's value, 0 = none. */
function jumboLength(walk: Walk): number {
  const { u8, at } = walk
  if (!walk.has(8)) return 0
  const end = Math.min(walk.end, at + (u8[at + 1]! + 1) * 8)
  for (let option = at + 2; option + 2 <= end; ) {
    const kind = u8[option]!
    if (kind === OPTION_JUMBO && u8[option + 1] === 4 && option + 6 <= end) return walk.i32(option + 2) >>> 0
    option += kind === OPTION_PAD1 ? 1 : 2 + u8[option + 1]!
  }
  return 0
}

/**
 * An extension header at `walk.at`; AH counts its length in words, the others in eights (RFC 4302 section
 * 2.2).
 */
export function extension(walk: Walk): STEP {
  if (!walk.enter()) return STEP.DONE
  if (!walk.has(8)) return walk.short(8)
  const { u8, at } = walk
  const kind = walk.protocol
  const bytes = kind === IP_PROTOCOL.AUTHENTICATION ? (u8[at + 1]! + 2) * 4 : (u8[at + 1]! + 1) * 8
  if (!walk.has(bytes)) return walk.short(bytes)
  if (kind === IP_PROTOCOL.ROUTING && u8[at + 3] !== 0) walk.routed = true
  walk.flags |= FLAG_IP_OPTIONS
  walk.protocol = u8[at]!
  walk.at = at + bytes
  return STEP.UPPER
}

/** RFC 8200 section 4.5. */
export function fragmentHeader(walk: Walk): STEP {
  if (!walk.enter()) return STEP.DONE
  if (!walk.has(8)) return walk.short(8)
  const at = walk.at
  const field = walk.u16(at + 2)
  walk.flags |= FLAG_IP_OPTIONS
  walk.protocol = walk.u8[at]!
  walk.at = at + 8
  // An atomic fragment is a whole packet (RFC 6946).
  if ((field & 0xfff9) === 0) return STEP.UPPER
  walk.layers.add(LAYER.IPV6_FRAGMENT)
  if (walk.end < walk.wireEnd) return walk.stop(DISSECT_OUTCOME.FRAGMENT_CUT)
  const offset = field & 0xfff8
  if (offset + (walk.end - walk.at) > PAYLOAD_BYTES_MAX) {
    walk.anomalies.add(DISSECT_ANOMALY.FRAGMENT_OVERSIZE)
    return walk.stop(DISSECT_OUTCOME.FRAGMENT_MALFORMED)
  }
  return continueJoined(walk, walk.fragments.add(walk, walk.i32(at + 4), offset, (field & 1) === 1))
}
