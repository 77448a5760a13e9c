import { TUNNEL_GENEVE, TUNNEL_GTPU, TUNNEL_OTHER, TUNNEL_TEREDO, TUNNEL_VXLAN } from '../events.gen.ts'
import { DISSECT_ANOMALY } from './anomaly.ts'
import { nextProtocol } from './ethertype.ts'
import { IP_PROTOCOL } from './ip-protocol.ts'
import { l2tp } from './l2tp.ts'
import { LAYER } from './layer.ts'
import { PORT_TUNNEL } from './tunnel-port.ts'
import { STEP, type Walk } from './walk.ts'

const IPV6_BYTES = 40

/**
 * A tunnel that a port announces. Ports prove nothing: what is not the tunnel's header is left as plain UDP.
 *
 * @returns DONE, with `walk.at` where it was, when it is no tunnel (or too deep: then the outcome says so)
 */
export function udpTunnel(walk: Walk, kind: number): STEP {
  if (!walk.enter()) return STEP.DONE
  const step = tunnelStep(walk, kind)
  if (step === STEP.DONE) walk.anomalies.add(DISSECT_ANOMALY.TUNNEL_HEADER_UNKNOWN)
  return step
}

function tunnelStep(walk: Walk, kind: number): STEP {
  switch (kind) {
    case PORT_TUNNEL.VXLAN:
      return vxlan(walk)
    case PORT_TUNNEL.VXLAN_GPE:
      return vxlanGpe(walk)
    case PORT_TUNNEL.GENEVE:
      return geneve(walk)
    case PORT_TUNNEL.GTPU:
      return gtpu(walk)
    case PORT_TUNNEL.TEREDO:
      return teredo(walk)
    case PORT_TUNNEL.AYIYA:
      return ayiya(walk)
    case PORT_TUNNEL.L2TP:
      return l2tp(walk)
    case PORT_TUNNEL.MPLS: // RFC 7510
      return walk.has(4) ? STEP.MPLS : STEP.DONE
    case PORT_TUNNEL.GRE: // RFC 8086
      return greInUdp(walk)
    default:
      return rareTunnel(walk, kind)
  }
}

function rareTunnel(walk: Walk, kind: number): STEP {
  switch (kind) {
    case PORT_TUNNEL.TZSP:
      return tzsp(walk)
    case PORT_TUNNEL.LISP:
      return lisp(walk)
    case PORT_TUNNEL.GUE:
      return genericEncapsulation(walk)
    case PORT_TUNNEL.CAPWAP:
      return capwap(walk)
    default:
      return STEP.DONE
  }
}

/**
 * RFC 7348: the I flag, then the network's number. The other flag bits are used by extensions (group policy).
 */
function vxlan(walk: Walk): STEP {
  const { u8, at } = walk
  if (!walk.has(8) || (u8[at]! & 8) === 0) return STEP.DONE
  walk.enterTunnel(TUNNEL_VXLAN, walk.i32(at + 4) >>> 8, LAYER.VXLAN)
  walk.at = at + 8
  return STEP.ETHERNET
}

/** draft-ietf-nvo3-vxlan-gpe: the P flag and a next protocol. */
function vxlanGpe(walk: Walk): STEP {
  const { u8, at } = walk
  if (!walk.has(8) || (u8[at]! & 8) === 0) return STEP.DONE
  const next = (u8[at]! & 4) === 0 ? 3 : u8[at + 3]!
  if (next < 1 || next > 5) return STEP.DONE
  walk.enterTunnel(TUNNEL_VXLAN, walk.i32(at + 4) >>> 8, LAYER.VXLAN)
  walk.at = at + 8
  return nextProtocol(walk, next)
}

/** RFC 8926: version 0, options, EtherType. */
function geneve(walk: Walk): STEP {
  const { u8, at } = walk
  if (!walk.has(8) || u8[at]! >> 6 !== 0) return STEP.DONE
  const bytes = 8 + (u8[at]! & 0x3f) * 4
  if (!walk.has(bytes)) return STEP.DONE
  walk.enterTunnel(TUNNEL_GENEVE, walk.i32(at + 4) >>> 8, LAYER.GENEVE)
  walk.ethertype = walk.u16(at + 2)
  walk.at = at + bytes
  return STEP.ETHERTYPE
}

/**
 * 3GPP TS 29.281: version 1, message 255 (G-PDU); any of three flags brings four bytes, one a chain of
 * extensions.
 */
function gtpu(walk: Walk): STEP {
  const { u8, at } = walk
  if (!walk.has(8) || u8[at]! >> 4 !== 3 || u8[at + 1] !== 255) return STEP.DONE
  const flags = u8[at]! & 7
  let next = at + 8
  if (flags !== 0) {
    next += 4
    if (next > walk.end) return STEP.DONE
    let kind = (flags & 4) !== 0 ? u8[next - 1]! : 0
    while (kind !== 0) {
      if (next >= walk.end || u8[next] === 0) return STEP.DONE
      next += u8[next]! * 4
      if (next > walk.end) return STEP.DONE
      kind = u8[next - 1]!
    }
  }
  if (next >= walk.end) return STEP.DONE
  const version = u8[next]! >> 4
  if (version !== 4 && version !== 6) return STEP.DONE
  walk.enterTunnel(TUNNEL_GTPU, walk.i32(at + 4) >>> 0, LAYER.GTPU)
  walk.at = next
  return STEP.IP
}

/** RFC 4380 section 5.1.1: authentication, then origin, then IPv6; both may be missing. */
function teredo(walk: Walk): STEP {
  const { u8 } = walk
  let at = walk.at
  if (at + 4 <= walk.end && walk.u16(at) === 1) at += 4 + u8[at + 2]! + u8[at + 3]! + 9
  if (at + 8 <= walk.end && walk.u16(at) === 0) at += 8
  if (at + IPV6_BYTES > walk.end || u8[at]! >> 4 !== 6) return STEP.DONE
  walk.enterTunnel(TUNNEL_TEREDO, 0, LAYER.TEREDO)
  walk.at = at
  return STEP.IP
}

/**
 * Teredo between clients uses any port: IPv6 right behind UDP, of exactly the length that is left, from or to
 * 2001:0::/32, is nothing else.
 */
export function enterTeredo(walk: Walk): boolean {
  const { u8, at } = walk
  if (at >= walk.end || u8[at]! >> 4 !== 6 || !walk.has(IPV6_BYTES)) return false
  if (walk.u16(at + 4) + IPV6_BYTES !== walk.wireEnd - at) return false
  if (walk.i32(at + 8) !== 0x20010000 && walk.i32(at + 24) !== 0x20010000) return false
  if (!walk.enter()) return false
  walk.enterTunnel(TUNNEL_TEREDO, 0, LAYER.TEREDO)
  return true
}

/** Version 0 without source routing; the GRE header itself is read as behind IP. */
function greInUdp(walk: Walk): STEP {
  if (!walk.has(4) || (walk.u16(walk.at) & 0x4fff) !== 0) return STEP.DONE
  walk.protocol = IP_PROTOCOL.GRE
  return STEP.UPPER
}

/** draft-massar-v6ops-ayiya: lengths of identity and signature, operation 1 (forward), next header. */
function ayiya(walk: Walk): STEP {
  const { u8, at } = walk
  if (!walk.has(8)) return STEP.DONE
  const bytes = 8 + (1 << (u8[at]! >> 4)) + (u8[at + 1]! >> 4) * 4
  const forward = (u8[at + 2]! & 15) === 1 && (u8[at + 3] === 41 || u8[at + 3] === 4)
  if (!forward || !walk.has(bytes + 20)) return STEP.DONE
  walk.enterTunnel(TUNNEL_OTHER, 0, LAYER.AYIYA)
  walk.at = at + bytes
  return STEP.IP
}

/** One that has no name and number of its own in a record. */
function enterOther(walk: Walk, at: number, step: STEP): STEP {
  walk.tunnel = TUNNEL_OTHER
  walk.tunnelId = 0
  walk.tunnelDepth++
  walk.at = at
  return step
}

/** TaZmen Sniffer Protocol: version 1, a received packet or one to send, what it is; fields up to the one that ends them. */
function tzsp(walk: Walk): STEP {
  const { u8, at } = walk
  if (!walk.has(5) || u8[at] !== 1 || u8[at + 1]! > 1) return STEP.DONE
  const inner = walk.u16(at + 2)
  let next = at + 4
  for (;;) {
    if (next >= walk.end) return STEP.DONE
    const tag = u8[next]!
    next += 1
    if (tag === 1) break
    if (tag === 0) continue
    if (next >= walk.end) return STEP.DONE
    next += 1 + u8[next]!
  }
  if (inner === 1) return enterOther(walk, next, STEP.ETHERNET)
  return inner === 18 ? enterOther(walk, next, STEP.WIFI) : STEP.DONE
}

/** RFC 9300 5.1: 8 bytes, then an IP packet. */
function lisp(walk: Walk): STEP {
  const { u8, at } = walk
  if (!walk.has(9)) return STEP.DONE
  const version = u8[at + 8]! >> 4
  return version === 4 || version === 6 ? enterOther(walk, at + 8, STEP.IP) : STEP.DONE
}

/** draft-ietf-intarea-gue: an IP packet at once, or a header with the number of its protocol. */
function genericEncapsulation(walk: Walk): STEP {
  const { u8, at } = walk
  if (!walk.has(4)) return STEP.DONE
  const first = u8[at]!
  if (first >> 6 === 1) return enterOther(walk, at, STEP.IP)
  const bytes = 4 + (first & 0x1f) * 4
  if (first >> 5 !== 0 || !walk.has(bytes)) return STEP.DONE
  walk.protocol = u8[at + 1]!
  return enterOther(walk, at + bytes, STEP.UPPER)
}

/** RFC 5415 4.3: in the clear, whole; an Ethernet or an 802.11 frame behind a header of so many words. */
function capwap(walk: Walk): STEP {
  const { u8, at } = walk
  if (!walk.has(8) || u8[at] !== 0) return STEP.DONE
  const bytes = (u8[at + 1]! >> 3) * 4
  const flags = u8[at + 3]!
  const isFragment = (flags & 0x80) !== 0
  if (bytes < 8 || isFragment || !walk.has(bytes + 2)) return STEP.DONE
  const isWifi = (u8[at + 2]! & 1) !== 0
  if (!isWifi) return enterOther(walk, at + bytes, STEP.ETHERNET)
  // The binding of 802.11 is 1; Cisco's access points may turn the two bytes of frame control, which is left unread.
  if ((u8[at + 2]! >> 1 & 0x1f) !== 1) return STEP.DONE
  return enterOther(walk, at + bytes, STEP.WIFI)
}
