import { TUNNEL_MPLS, TUNNEL_OTHER } from '../events.gen.ts'
import { arp } from './arp.ts'
import { ETHERTYPE } from './ethertype-number.ts'
import { erspan } from './gre.ts'
import { LAYER } from './layer.ts'
import { DISSECT_OUTCOME } from './outcome.ts'
import { pppoeSession } from './ppp.ts'
import { STEP, type Walk } from './walk.ts'

/** Values up to here are the length of an 802.3 frame. */
const LENGTH_MAX = 1500

/** What follows an EtherType. */
export function ethertype(walk: Walk): STEP {
  switch (walk.ethertype) {
    case ETHERTYPE.IPV4:
      return STEP.IPV4
    case ETHERTYPE.IPV6:
      return STEP.IPV6
    case ETHERTYPE.VLAN:
    case ETHERTYPE.PROVIDER_VLAN:
    case ETHERTYPE.QINQ_OLD:
    case ETHERTYPE.QINQ_OLDER:
      return vlan(walk)
    case ETHERTYPE.ARP:
      return arp(walk)
    case ETHERTYPE.MPLS:
    case ETHERTYPE.MPLS_MULTICAST:
      return STEP.MPLS
    case ETHERTYPE.PPPOE_SESSION:
      return pppoeSession(walk)
    default:
      return rareEthertype(walk)
  }
}

function rareEthertype(walk: Walk): STEP {
  switch (walk.ethertype) {
    case ETHERTYPE.PPP:
      return STEP.PPP
    case ETHERTYPE.TRANSPARENT_ETHERNET:
      return STEP.ETHERNET
    case ETHERTYPE.ERSPAN_II:
      return erspan(walk, 8)
    case ETHERTYPE.ERSPAN_III:
      return erspan(walk, 12)
    case ETHERTYPE.PROVIDER_BACKBONE: // I-TAG: flags and a 24-bit service number
      return skipToEthernet(walk, 4)
    case ETHERTYPE.VN_TAG:
    case ETHERTYPE.HSR: // IEC 62439-3: path and size, sequence
      return tag(walk, 6)
    case ETHERTYPE.CISCO_METADATA: // version, length, option, a group's number
      return tag(walk, 8)
    case ETHERTYPE.MACSEC:
      return macsec(walk)
    case ETHERTYPE.TRILL:
      return trill(walk)
    case ETHERTYPE.NSH:
      return nsh(walk)
    case ETHERTYPE.WCCP:
      return wccp(walk)
    default:
      return walk.stop(DISSECT_OUTCOME.NOT_IP)
  }
}

/**
 * The same where IEEE 802.3 allows a length instead: 802.2 follows, and what is after the length is padding.
 */
export function ethertypeOrLength(walk: Walk): STEP {
  if (walk.ethertype > LENGTH_MAX) return STEP.ETHERTYPE
  walk.trim(walk.ethertype)
  return STEP.LLC
}

/** 802.1Q and 802.1ad: tag control information, then another EtherType. */
function vlan(walk: Walk): STEP {
  if (!walk.enter()) return STEP.DONE
  if (!walk.has(4)) return walk.short(4)
  const tag = walk.u16(walk.at)
  walk.layers.add(walk.vlanCount === 0 ? LAYER.VLAN : LAYER.QINQ)
  if (walk.vlanCount === 0) walk.vlan0 = tag
  if (walk.vlanCount === 1) walk.vlan1 = tag
  walk.vlanCount++
  walk.ethertype = walk.u16(walk.at + 2)
  walk.at += 4
  return ethertypeOrLength(walk)
}

/** IEEE 802.2, and SNAP with its EtherType. */
export function llc(walk: Walk): STEP {
  if (!walk.has(3)) return walk.short(3)
  const { u8, at } = walk
  const service = walk.u16(at)
  if (service === 0x0606) {
    walk.ethertype = ETHERTYPE.IPV4
    walk.at += 3
    return STEP.IPV4
  }
  if (service !== 0xaaaa || u8[at + 2] !== 3) return walk.stop(DISSECT_OUTCOME.NOT_IP)
  if (!walk.has(8)) return walk.short(8)
  const organisation = (u8[at + 3]! << 16) | walk.u16(at + 4)
  // 0 is Ethernet, 0000f8 what bridges write for it (IEEE 802.1H).
  if (organisation !== 0 && organisation !== 0xf8) return walk.stop(DISSECT_OUTCOME.NOT_IP)
  walk.ethertype = walk.u16(at + 6)
  walk.at += 8
  return STEP.ETHERTYPE
}

/**
 * RFC 3032: labels down to the bottom of the stack; nothing says what follows but its first nibble (RFC
 * 4928).
 */
export function mpls(walk: Walk): STEP {
  if (!walk.enter()) return STEP.DONE
  let label = 0
  for (;;) {
    if (!walk.has(4)) return walk.short(4)
    const entry = walk.i32(walk.at)
    label = entry >>> 12
    walk.at += 4
    if ((entry & 0x100) !== 0) break
    if (!walk.enter()) return STEP.DONE
  }
  walk.enterTunnel(TUNNEL_MPLS, label, LAYER.MPLS)
  if (!walk.has(1)) return walk.short(1)
  const nibble = walk.u8[walk.at]! >> 4
  if (nibble === 4 || nibble === 6) return STEP.IP
  // A pseudowire's Ethernet, after a control word (RFC 4448) or bare: only a known EtherType makes it one.
  if (nibble === 0 && isKnownEthernet(walk, walk.at + 4)) walk.at += 4
  return isKnownEthernet(walk, walk.at) ? STEP.ETHERNET : walk.stop(DISSECT_OUTCOME.NOT_IP)
}

function isKnownEthernet(walk: Walk, at: number): boolean {
  if (at + 14 > walk.end) return false
  switch (walk.u16(at + 12)) {
    case ETHERTYPE.IPV4:
    case ETHERTYPE.IPV6:
    case ETHERTYPE.ARP:
    case ETHERTYPE.VLAN:
    case ETHERTYPE.PROVIDER_VLAN:
    case ETHERTYPE.MPLS:
    case ETHERTYPE.PPPOE_SESSION:
      return true
    default:
      return false
  }
}

function skipToEthernet(walk: Walk, bytes: number): STEP {
  if (!walk.enter()) return STEP.DONE
  if (!walk.has(bytes)) return walk.short(bytes)
  walk.at += bytes
  return STEP.ETHERNET
}

/** A tag whose last two bytes are the EtherType of what follows. */
function tag(walk: Walk, bytes: number): STEP {
  if (!walk.enter()) return STEP.DONE
  if (!walk.has(bytes)) return walk.short(bytes)
  walk.ethertype = walk.u16(walk.at + bytes - 2)
  walk.at += bytes
  return STEP.ETHERTYPE
}

/** IEEE 802.1AE: readable where it only protects integrity. A number of 8 bytes is there when a bit says so. */
function macsec(walk: Walk): STEP {
  if (!walk.enter()) return STEP.DONE
  if (!walk.has(1)) return walk.short(1)
  const control = walk.u8[walk.at]!
  if ((control & 0x0c) !== 0) return walk.stop(DISSECT_OUTCOME.ENCRYPTED)
  const bytes = 6 + ((control & 0x20) !== 0 ? 8 : 0) + 2
  if (!walk.has(bytes)) return walk.short(bytes)
  walk.at += bytes
  walk.ethertype = walk.u16(walk.at - 2)
  return STEP.ETHERTYPE
}

/** RFC 6325: version 0, options in words, hop count, two nicknames; then an Ethernet frame. */
function trill(walk: Walk): STEP {
  if (!walk.has(2)) return walk.short(2)
  const first = walk.u16(walk.at)
  return first >> 14 !== 0 ? walk.stop(DISSECT_OUTCOME.NOT_IP) : skipToEthernet(walk, 6 + (first >> 6 & 0x1f) * 4)
}

/** Network Service Header, RFC 8300: its length in words, then the next protocol. */
function nsh(walk: Walk): STEP {
  if (!walk.enter()) return STEP.DONE
  if (!walk.has(8)) return walk.short(8)
  const bytes = (walk.u8[walk.at + 1]! & 0x3f) * 4
  const next = walk.u8[walk.at + 3]!
  if (bytes < 8 || !walk.has(bytes)) return walk.short(bytes < 8 ? 8 : bytes)
  walk.at += bytes
  return nextProtocol(walk, next)
}

/** The next-protocol numbers that NSH and VXLAN-GPE share. */
export function nextProtocol(walk: Walk, next: number): STEP {
  switch (next) {
    case 1:
    case 2:
      return STEP.IP
    case 3:
      return STEP.ETHERNET
    case 4:
      walk.ethertype = ETHERTYPE.NSH
      return STEP.ETHERTYPE
    case 5:
      return STEP.MPLS
    default:
      return walk.stop(DISSECT_OUTCOME.NOT_IP)
  }
}

/** Web Cache Communication: version 2 puts four bytes before the IP header. */
function wccp(walk: Walk): STEP {
  if (!walk.enter()) return STEP.DONE
  if (!walk.has(5)) return walk.short(5)
  if (walk.u8[walk.at]! >> 4 !== 4) walk.at += 4
  walk.tunnel = TUNNEL_OTHER
  return STEP.IP
}
