import { TUNNEL_PPPOE } from '../events.gen.ts'
import { ETHERTYPE } from './ethertype-number.ts'
import { LAYER } from './layer.ts'
import { DISSECT_OUTCOME } from './outcome.ts'
import { STEP, type Walk } from './walk.ts'

const PPPOE_BYTES = 6
const PPP_PROTOCOL = { IPV4: 0x21, IPV6: 0x57, MPLS: 0x281, MPLS_MULTICAST: 0x283 } as const

/** RFC 2516, the session stage: version and type, code 0, session, length, then PPP. */
export function pppoeSession(walk: Walk): STEP {
  if (!walk.enter()) return STEP.DONE
  if (!walk.has(PPPOE_BYTES)) return walk.short(PPPOE_BYTES)
  const at = walk.at
  if (walk.u8[at] !== 0x11 || walk.u8[at + 1] !== 0) return walk.stop(DISSECT_OUTCOME.NOT_IP)
  walk.enterTunnel(TUNNEL_PPPOE, walk.u16(at + 2), LAYER.PPPOE)
  walk.at = at + PPPOE_BYTES
  walk.trim(walk.u16(at + 4))
  return STEP.PPP
}

/** RFC 1661: address and control may be left out, and the protocol's first byte when it is 0. */
export function ppp(walk: Walk): STEP {
  if (!walk.has(1)) return walk.short(1)
  const { u8 } = walk
  if (u8[walk.at] === 0xff) {
    if (!walk.has(2)) return walk.short(2)
    if (u8[walk.at + 1] === 3) walk.at += 2
  }
  if (!walk.has(1)) return walk.short(1)
  let protocol = u8[walk.at]!
  if ((protocol & 1) === 1) {
    walk.at += 1
  } else {
    if (!walk.has(2)) return walk.short(2)
    protocol = walk.u16(walk.at)
    walk.at += 2
  }
  return pppProtocol(walk, protocol)
}

function pppProtocol(walk: Walk, protocol: number): STEP {
  switch (protocol) {
    case PPP_PROTOCOL.IPV4:
      walk.ethertype = ETHERTYPE.IPV4
      return STEP.IPV4
    case PPP_PROTOCOL.IPV6:
      walk.ethertype = ETHERTYPE.IPV6
      return STEP.IPV6
    case PPP_PROTOCOL.MPLS:
    case PPP_PROTOCOL.MPLS_MULTICAST:
      walk.ethertype = ETHERTYPE.MPLS
      return STEP.MPLS
    default:
      return walk.stop(DISSECT_OUTCOME.NOT_IP)
  }
}

/** A serial line: PPP in HDLC framing, or Cisco's (address 0x0f or 0x8f, control 0, EtherType). */
export function hdlc(walk: Walk): STEP {
  if (!walk.has(4)) return walk.short(4)
  const address = walk.u8[walk.at]!
  if (address !== 0x0f && address !== 0x8f) return STEP.PPP
  walk.ethertype = walk.u16(walk.at + 2)
  walk.at += 4
  return STEP.ETHERTYPE
}
