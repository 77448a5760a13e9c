import { DIRECTION_EGRESS, DIRECTION_INGRESS, DIRECTION_UNKNOWN, FLAG_LINK } from '../events.gen.ts'
import { ETHERTYPE } from './ethertype-number.ts'
import { ethertypeOrLength } from './ethertype.ts'
import { nflog } from './nflog.ts'
import { DISSECT_OUTCOME } from './outcome.ts'
import { hdlc, pppoeSession } from './ppp.ts'
import { STEP, type Walk } from './walk.ts'
import { avs, ppi, prism, radiotap, wifi } from './wifi.ts'

/** LINKTYPE_ numbers (https://www.tcpdump.org/linktypes.html); DLT_ where a file may hold either. */
export const LINK_TYPE = {
  NULL: 0,
  ETHERNET: 1,
  PPP: 9,
  FDDI: 10,
  RAW_BSD: 12,
  RAW_OPENBSD: 14,
  PPP_HDLC: 50,
  PPP_ETHER: 51,
  RAW: 101,
  C_HDLC: 104,
  IEEE802_11: 105,
  FRELAY: 107,
  LOOP: 108,
  LINUX_SLL: 113,
  IEEE802_11_PRISM: 119,
  IEEE802_11_RADIOTAP: 127,
  IEEE802_11_AVS: 163,
  PPP_PPPD: 166,
  PPI: 192,
  PPP_WITH_DIR: 204,
  IPV4: 228,
  IPV6: 229,
  NFLOG: 239,
  IPOIB: 242,
  LINUX_SLL2: 276,
} as const

const ETHERNET_BYTES = 14
const SLL_BYTES = 16
const SLL2_BYTES = 20
/** sll_pkttype of a packet that the host sends (PACKET_OUTGOING). */
const SLL_OUTGOING = 4

/** The first header of a frame. */
export function link(walk: Walk, linkType: number): STEP {
  switch (linkType) {
    case LINK_TYPE.ETHERNET:
      return ethernet(walk)
    case LINK_TYPE.RAW:
    case LINK_TYPE.RAW_BSD:
    case LINK_TYPE.RAW_OPENBSD:
      return STEP.IP
    case LINK_TYPE.IPV4:
      return rawIp(walk, ETHERTYPE.IPV4)
    case LINK_TYPE.IPV6:
      return rawIp(walk, ETHERTYPE.IPV6)
    case LINK_TYPE.LINUX_SLL:
      return cooked(walk, SLL_BYTES, 14, 1)
    case LINK_TYPE.LINUX_SLL2:
      return cooked(walk, SLL2_BYTES, 0, 10)
    case LINK_TYPE.NULL:
    case LINK_TYPE.LOOP:
      return loopback(walk)
    case LINK_TYPE.NFLOG:
      return nflog(walk)
    default:
      return rareLink(walk, linkType)
  }
}

function rareLink(walk: Walk, linkType: number): STEP {
  switch (linkType) {
    case LINK_TYPE.PPP:
    case LINK_TYPE.PPP_HDLC:
    case LINK_TYPE.C_HDLC:
      return hdlc(walk)
    case LINK_TYPE.PPP_PPPD:
    case LINK_TYPE.PPP_WITH_DIR:
      return pppWithDirection(walk, linkType)
    case LINK_TYPE.PPP_ETHER:
      return pppoeSession(walk)
    case LINK_TYPE.FRELAY:
      return frameRelay(walk)
    case LINK_TYPE.IPOIB:
      return infiniband(walk)
    case LINK_TYPE.FDDI:
      return fddi(walk)
    case LINK_TYPE.IEEE802_11:
      return wifi(walk, false)
    case LINK_TYPE.IEEE802_11_RADIOTAP:
      return radiotap(walk)
    case LINK_TYPE.IEEE802_11_PRISM:
      return prism(walk)
    case LINK_TYPE.IEEE802_11_AVS:
      return avs(walk)
    case LINK_TYPE.PPI: {
      const inner = ppi(walk)
      return inner < 0 || inner === LINK_TYPE.PPI ? STEP.DONE : link(walk, inner)
    }
    default:
      return walk.stop(DISSECT_OUTCOME.LINK_TYPE_UNKNOWN)
  }
}

/** IEEE 802.3: two addresses and an EtherType, or a length and 802.2. */
export function ethernet(walk: Walk): STEP {
  if (!walk.has(ETHERNET_BYTES)) return walk.short(ETHERNET_BYTES)
  const at = walk.at
  walk.macAt = at
  walk.flags |= FLAG_LINK
  walk.ethertype = walk.u16(at + 12)
  walk.at = at + ETHERNET_BYTES
  return walk.ethertype === ETHERTYPE.IPV4 ? STEP.IPV4 : ethertypeOrLength(walk)
}

function rawIp(walk: Walk, ethertype: number): STEP {
  walk.ethertype = ethertype
  return STEP.ETHERTYPE
}

/** Linux cooked capture: EtherType and packet type stand at different places in the two versions. */
function cooked(walk: Walk, bytes: number, ethertypeAt: number, packetTypeAt: number): STEP {
  if (!walk.has(bytes)) return walk.short(bytes)
  if (walk.direction === DIRECTION_UNKNOWN) {
    const outgoing = walk.u8[walk.at + packetTypeAt] === SLL_OUTGOING
    walk.direction = outgoing ? DIRECTION_EGRESS : DIRECTION_INGRESS
  }
  walk.ethertype = walk.u16(walk.at + ethertypeAt)
  walk.at += bytes
  // Protocol 4 is "802.2 LLC follows" (LINUX_SLL_P_802_2).
  return walk.ethertype === 4 ? STEP.LLC : STEP.ETHERTYPE
}

/**
 * An address family in the byte order of the host that captured, which the file does not tell: it is small.
 */
function loopback(walk: Walk): STEP {
  if (!walk.has(4)) return walk.short(4)
  const { u8, at } = walk
  const family = u8[at]! !== 0 ? u8[at]! | (u8[at + 1]! << 8) : u8[at + 3]! | (u8[at + 2]! << 8)
  walk.at += 4
  switch (family) {
    case 2:
      return rawIp(walk, ETHERTYPE.IPV4)
    case 10: // Linux
    case 24: // NetBSD, OpenBSD
    case 28: // FreeBSD
    case 30: // macOS
      return rawIp(walk, ETHERTYPE.IPV6)
    default:
      return walk.stop(DISSECT_OUTCOME.NOT_IP)
  }
}

function pppWithDirection(walk: Walk, linkType: number): STEP {
  if (!walk.has(2)) return walk.short(2)
  if (walk.direction === DIRECTION_UNKNOWN) {
    walk.direction = walk.u8[walk.at] === 1 ? DIRECTION_EGRESS : DIRECTION_INGRESS
  }
  // pppd puts its direction over the address byte, the other form before it.
  walk.at += linkType === LINK_TYPE.PPP_PPPD ? 2 : 1
  return STEP.PPP
}

/** RFC 2427, or Cisco's EtherType, behind a two-byte Q.922 address. */
function frameRelay(walk: Walk): STEP {
  if (!walk.has(4)) return walk.short(4)
  const { u8, at } = walk
  if ((u8[at]! & 1) !== 0 || (u8[at + 1]! & 1) !== 1) return walk.stop(DISSECT_OUTCOME.NOT_IP)
  const networkLayer = u8[at + 3]!
  walk.at += 4
  if (u8[at + 2] !== 3) {
    walk.ethertype = walk.u16(at + 2)
    return STEP.ETHERTYPE
  }
  if (networkLayer === 0xcc) return rawIp(walk, ETHERTYPE.IPV4)
  if (networkLayer === 0x8e) return rawIp(walk, ETHERTYPE.IPV6)
  return walk.stop(DISSECT_OUTCOME.NOT_IP)
}

/** A global routing header of 40 bytes, EtherType, two reserved bytes. */
function infiniband(walk: Walk): STEP {
  if (!walk.has(44)) return walk.short(44)
  walk.ethertype = walk.u16(walk.at + 40)
  walk.at += 44
  return STEP.ETHERTYPE
}

/** Frame control, two addresses, 802.2. */
function fddi(walk: Walk): STEP {
  if (!walk.has(13)) return walk.short(13)
  walk.macAt = walk.at + 1
  walk.flags |= FLAG_LINK
  walk.at += 13
  return STEP.LLC
}
