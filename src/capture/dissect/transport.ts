import { addWords, foldChecksum } from '../../../lib/pcap/mod.ts'
import { PACKET_EVENT as E } from '../events.gen.ts'
import { DISSECT_ANOMALY } from './anomaly.ts'
import { pseudoHeader } from './checksum.ts'
import { writeEvent } from './event-writer.ts'
import { IP_PROTOCOL } from './ip-protocol.ts'
import { DISSECT_OUTCOME } from './outcome.ts'
import { PROTOCOL_BIT, STEP, type Walk } from './walk.ts'

const TCP_HEADER_BYTES_MIN = 20
const FLAG_SYN = 2
const OPTION = { END: 0, NOTHING: 1, MSS: 2, WINDOW_SCALE: 3 } as const
/** RFC 7323 section 2.3: a larger shift is to be taken as 14. */
const WINDOW_SCALE_MAX = 14

/** RFC 9293. */
export function tcp(walk: Walk): STEP {
  if ((walk.protocols & PROTOCOL_BIT.TCP) === 0) return walk.stop(DISSECT_OUTCOME.PROTOCOL)
  if (!walk.has(TCP_HEADER_BYTES_MIN)) return walk.short(TCP_HEADER_BYTES_MIN)
  const { u8, at } = walk
  const headerBytes = (u8[at + 12]! >> 4) << 2
  const payloadAt = at + headerBytes
  if (headerBytes < TCP_HEADER_BYTES_MIN || payloadAt > walk.wireEnd) {
    return walk.stop(DISSECT_OUTCOME.TCP_HEADER_LENGTH)
  }
  if (walk.verifyChecksums && !isTransportRight(walk)) return walk.stop(DISSECT_OUTCOME.CHECKSUM_TRANSPORT)
  const record = writeEvent(walk, walk.u16(at), walk.u16(at + 2), payloadAt, walk.wireEnd - payloadAt)
  const { i32, u16 } = walk.memory
  const flags = ((u8[at + 12]! & 1) << 8) | u8[at + 13]!
  i32[(record + E.tcp_sequence) >> 2] = walk.i32(at + 4)
  i32[(record + E.tcp_acknowledgement) >> 2] = walk.i32(at + 8)
  u16[(record + E.tcp_flags) >> 1] = flags
  u16[(record + E.tcp_window) >> 1] = walk.u16(at + 14)
  if ((flags & FLAG_SYN) !== 0) readOptions(walk, record, at + TCP_HEADER_BYTES_MIN, payloadAt)
  return walk.stop(DISSECT_OUTCOME.DELIVERED)
}

/** Segment size and window scale of a SYN, as far as the capture holds its options. */
function readOptions(walk: Walk, record: number, from: number, to: number): void {
  const { u8 } = walk
  const end = Math.min(to, walk.end)
  for (let at = from; at < end; ) {
    const kind = u8[at]!
    if (kind === OPTION.END) return
    if (kind === OPTION.NOTHING) {
      at++
      continue
    }
    const length = at + 1 < end ? u8[at + 1]! : 0
    if (length < 2 || at + length > to) {
      // Options that the capture has cut are not the sender's fault.
      if (at + 1 < end || end === to) walk.anomalies.add(DISSECT_ANOMALY.TCP_OPTIONS_MALFORMED)
      return
    }
    if (at + length > end) return
    if (kind === OPTION.MSS && length === 4) walk.memory.u16[(record + E.tcp_mss) >> 1] = walk.u16(at + 2)
    if (kind === OPTION.WINDOW_SCALE && length === 3) {
      u8[record + E.tcp_window_scale] = Math.min(u8[at + 2]!, WINDOW_SCALE_MAX)
    }
    at += length
  }
}

/** ICMP (RFC 792) and ICMPv6 (RFC 4443): type and code stand in the ports, the rest is payload. */
export function icmp(walk: Walk): STEP {
  if ((walk.protocols & PROTOCOL_BIT.ICMP) === 0) return walk.stop(DISSECT_OUTCOME.PROTOCOL)
  if (!walk.has(4)) return walk.short(4)
  if (walk.verifyChecksums && !isTransportRight(walk)) return walk.stop(DISSECT_OUTCOME.CHECKSUM_TRANSPORT)
  const { u8, at } = walk
  writeEvent(walk, u8[at]!, u8[at + 1]!, at + 4, walk.wireEnd - (at + 4))
  return walk.stop(DISSECT_OUTCOME.DELIVERED)
}

/** RFC 9260: ports only; the chunks are the payload, as they are. */
export function sctp(walk: Walk): STEP {
  if ((walk.protocols & PROTOCOL_BIT.OTHER) === 0) return walk.stop(DISSECT_OUTCOME.PROTOCOL)
  if (!walk.has(12)) return walk.short(12)
  const at = walk.at
  writeEvent(walk, walk.u16(at), walk.u16(at + 2), at + 12, walk.wireEnd - (at + 12))
  return walk.stop(DISSECT_OUTCOME.DELIVERED)
}

/** Any other protocol, ESP among them: the IP header's fields, and what follows it as payload. */
export function otherProtocol(walk: Walk): STEP {
  if ((walk.protocols & PROTOCOL_BIT.OTHER) === 0) return walk.stop(DISSECT_OUTCOME.PROTOCOL)
  writeEvent(walk, 0, 0, walk.at, walk.wireEnd - walk.at)
  return walk.stop(DISSECT_OUTCOME.DELIVERED)
}

/**
 * True when the checksum over header and payload is right, or cannot be told: cut, or on its way through
 * routers.
 */
export function isTransportRight(walk: Walk): boolean {
  if (walk.end < walk.wireEnd || walk.routed) return true
  const length = walk.end - walk.at
  const isIcmp = walk.protocol === IP_PROTOCOL.ICMP
  const start = isIcmp ? 0 : pseudoHeader(walk.u8, walk.ipAt, walk.ipVersion, walk.protocol, length)
  return foldChecksum(addWords(walk.u8, walk.at, length, start)) === 0
}
