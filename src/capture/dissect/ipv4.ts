import { addWords, foldChecksum } from '../../../lib/pcap/mod.ts'
import { FLAG_IP_OPTIONS, FLAG_REASSEMBLED } from '../events.gen.ts'
import { DISSECT_ANOMALY } from './anomaly.ts'
import { FRAGMENT_RESULT } from './fragment-table.ts'
import { LAYER } from './layer.ts'
import { DISSECT_OUTCOME } from './outcome.ts'
import { STEP, type Walk } from './walk.ts'

const HEADER_BYTES_MIN = 20
const MORE_FRAGMENTS = 0x2000
const OFFSET_MASK = 0x1fff
const DATAGRAM_BYTES_MAX = 65535

/** RFC 791: header, options stepped over, fragments joined. */
export function ipv4(walk: Walk): STEP {
  if (!walk.enter()) return STEP.DONE
  if (!walk.has(HEADER_BYTES_MIN)) return walk.short(HEADER_BYTES_MIN)
  const { u8, at } = walk
  const first = u8[at]!
  if (first >> 4 !== 4) return walk.stop(DISSECT_OUTCOME.IP_VERSION)
  const headerBytes = (first & 15) << 2
  if (headerBytes < HEADER_BYTES_MIN) return walk.stop(DISSECT_OUTCOME.IP_HEADER_LENGTH)
  const total = walk.u16(at + 2)
  if (total === 0) walk.anomalies.add(DISSECT_ANOMALY.IP_TOTAL_LENGTH_ZERO)
  else if (total < headerBytes) return walk.stop(DISSECT_OUTCOME.IP_TOTAL_LENGTH)
  else if (at + total > walk.wireEnd) walk.anomalies.add(DISSECT_ANOMALY.IP_LENGTH_OVER_FRAME)
  else walk.trim(total)
  if (!walk.has(headerBytes)) return walk.short(headerBytes)
  walk.layers.add(LAYER.IPV4)
  walk.ipAt = at
  walk.ipVersion = 4
  walk.tos = u8[at + 1]!
  walk.identification = walk.u16(at + 4)
  walk.ttl = u8[at + 8]!
  walk.protocol = u8[at + 9]!
  if (headerBytes > HEADER_BYTES_MIN) walk.flags |= FLAG_IP_OPTIONS
  if (walk.verifyChecksums && foldChecksum(addWords(u8, at, headerBytes, 0)) !== 0) {
    return walk.stop(DISSECT_OUTCOME.CHECKSUM_IP)
  }
  const fragment = walk.u16(at + 6)
  walk.at = at + headerBytes
  if ((fragment & (MORE_FRAGMENTS | OFFSET_MASK)) !== 0) return joinFragments(walk, fragment, headerBytes)
  return STEP.UPPER
}

function joinFragments(walk: Walk, fragment: number, headerBytes: number): STEP {
  walk.layers.add(LAYER.IPV4_FRAGMENT)
  const offset = (fragment & OFFSET_MASK) * 8
  const more = (fragment & MORE_FRAGMENTS) !== 0
  if (walk.end < walk.wireEnd) return walk.stop(DISSECT_OUTCOME.FRAGMENT_CUT)
  if (headerBytes + offset + (walk.end - walk.at) > DATAGRAM_BYTES_MAX) {
    walk.anomalies.add(DISSECT_ANOMALY.FRAGMENT_OVERSIZE)
    return walk.stop(DISSECT_OUTCOME.FRAGMENT_MALFORMED)
  }
  return continueJoined(walk, walk.fragments.add(walk, walk.identification, offset, more))
}

/** Goes on inside a datagram that is complete. */
export function continueJoined(walk: Walk, result: FRAGMENT_RESULT): STEP {
  const { fragments } = walk
  if (result === FRAGMENT_RESULT.WAITING) return walk.stop(DISSECT_OUTCOME.FRAGMENT)
  if (result === FRAGMENT_RESULT.MALFORMED) return walk.stop(DISSECT_OUTCOME.FRAGMENT_MALFORMED)
  if (result === FRAGMENT_RESULT.GIVEN_UP) return walk.stop(DISSECT_OUTCOME.FRAGMENT_INCOMPLETE)
  walk.layers.add(LAYER.REASSEMBLED)
  walk.fragmentsHeld = true
  walk.flags |= FLAG_REASSEMBLED
  walk.at = fragments.dataAt
  walk.end = fragments.dataAt + fragments.dataLength
  walk.wireEnd = walk.end
  walk.protocol = fragments.protocol
  return STEP.UPPER
}
