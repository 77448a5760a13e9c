import { DISSECT_ANOMALY } from './anomaly.ts'
import { writeEvent } from './event-writer.ts'
import { IP_PROTOCOL } from './ip-protocol.ts'
import { DISSECT_OUTCOME } from './outcome.ts'
import { isQuicInitial } from './quic.ts'
import { isTransportRight } from './transport.ts'
import { enterTeredo, udpTunnel } from './udp-tunnel.ts'
import { PROTOCOL_BIT, STEP, type Walk } from './walk.ts'

const HEADER_BYTES = 8

/** RFC 768, and UDP-Lite (RFC 3828), whose length field is the checksum's reach. */
export function udp(walk: Walk): STEP {
  if (!walk.has(HEADER_BYTES)) return walk.short(HEADER_BYTES)
  const at = walk.at
  if (walk.protocol === IP_PROTOCOL.UDP) {
    const length = walk.u16(at + 4)
    if (length === 0) walk.anomalies.add(DISSECT_ANOMALY.UDP_LENGTH_ZERO)
    else if (length < HEADER_BYTES) return walk.stop(DISSECT_OUTCOME.UDP_LENGTH)
    else if (at + length > walk.wireEnd) walk.anomalies.add(DISSECT_ANOMALY.UDP_LENGTH_OVER_IP)
    else walk.trim(length)
    if (walk.verifyChecksums && walk.u16(at + 6) !== 0 && !isTransportRight(walk)) {
      return walk.stop(DISSECT_OUTCOME.CHECKSUM_TRANSPORT)
    }
  }
  const source = walk.u16(at)
  const destination = walk.u16(at + 2)
  walk.at = at + HEADER_BYTES
  const kind = walk.tunnelPorts.of(source, destination)
  if (kind !== 0) {
    const step = udpTunnel(walk, kind)
    if (step !== STEP.DONE) return step
    if (walk.outcome === DISSECT_OUTCOME.TOO_DEEP) return STEP.DONE
  } else if (enterTeredo(walk)) {
    return STEP.IP
  }
  if ((walk.protocols & PROTOCOL_BIT.UDP) === 0 && !((walk.protocols & PROTOCOL_BIT.QUIC) !== 0 && isQuicInitial(walk))) {
    return walk.stop(DISSECT_OUTCOME.PROTOCOL)
  }
  writeEvent(walk, source, destination, walk.at, walk.wireEnd - walk.at)
  return walk.stop(DISSECT_OUTCOME.DELIVERED)
}
