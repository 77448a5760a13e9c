import { DIRECTION_EGRESS, DIRECTION_INGRESS, DIRECTION_UNKNOWN, FLAG_LINK } from '../events.gen.ts'
import { ETHERTYPE } from './ethertype-number.ts'
import { ethertypeOrLength } from './ethertype.ts'
import {
  behind, bridgedAtm, broadcom, classicalIp, extensibleRecord, fireWire, juniper, marvell, pflog, pktap, sunAtm, tokenRing,
} from './link-rare.ts'
import { nflog } from './nflog.ts'
import { DISSECT_OUTCOME } from './outcome.ts'
import { hdlc, pppoeSession } from './ppp.ts'
import { STEP, type Walk } from './walk.ts'
import { avs, ppi, prism, radiotap, wifi } from './wifi.ts'

/** LINKTYPE_ numbers (https://www.tcpdump.org/linktypes.html); DLT_ where a file may hold either. */
export const LINK_TYPE = {
  NULL: 0,
  ETHERNET: 1,
  TOKEN_RING: 6,
  SLIP: 8,
  PPP: 9,
  FDDI: 10,
  RAW_BSD: 12,
  RAW_OPENBSD: 14,
  PPP_HDLC: 50,
  PPP_ETHER: 51,
  ATM_RFC1483: 100,
  RAW: 101,
  C_HDLC: 104,
  IEEE802_11: 105,
  ATM_CLIP: 106,
  FRELAY: 107,
  LOOP: 108,
  ENC: 109,
  LINUX_SLL: 113,
  PFLOG: 117,
  IEEE802_11_PRISM: 119,
  IP_OVER_FC: 122,
  SUNATM: 123,
  IEEE802_11_RADIOTAP: 127,
  APPLE_IP_OVER_IEEE1394: 138,
  /** PKTAP, as macOS itself writes it. */
  USER2: 149,
  IEEE802_11_AVS: 163,
  PPP_PPPD: 166,
  JUNIPER_ETHER: 178,
  JUNIPER_PPP: 179,
  PPI: 192,
  ERF: 197,
  PPP_WITH_DIR: 204,
  IPNET: 226,
  IPV4: 228,
  IPV6: 229,
  NFLOG: 239,
  NETANALYZER: 240,
  NETANALYZER_TRANSPARENT: 241,
  IPOIB: 242,
  PKTAP: 258,
  ETHERNET_MPACKET: 274,
  LINUX_SLL2: 276,
  DSA_TAG_BRCM: 281,
  DSA_TAG_BRCM_PREPEND: 282,
  DSA_TAG_DSA: 284,
  DSA_TAG_EDSA: 285,
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
    case LINK_TYPE.PKTAP:
    case LINK_TYPE.USER2: {
      const inner = pktap(walk)
      if (inner < 0) return STEP.DONE
      const isItself = inner === LINK_TYPE.PKTAP || inner === LINK_TYPE.USER2 || inner === LINK_TYPE.PPI
      return isItself ? walk.stop(DISSECT_OUTCOME.LINK_TYPE_UNKNOWN) : link(walk, inner)
    }
    default:
      return prefixedLink(walk, linkType)
  }
}

/** Links of which only some bytes in front are special. */
function prefixedLink(walk: Walk, linkType: number): STEP {
  switch (linkType) {
    case LINK_TYPE.TOKEN_RING:
      return tokenRing(walk)
    case LINK_TYPE.SLIP: // direction, 15 bytes of compressed header
      return behind(walk, 16, STEP.IP)
    case LINK_TYPE.ATM_RFC1483:
      return bridgedAtm(walk)
    case LINK_TYPE.ATM_CLIP:
      return classicalIp(walk)
    case LINK_TYPE.SUNATM:
      return sunAtm(walk)
    case LINK_TYPE.ENC: // address family, index of the association, flags
      return behind(walk, 12, STEP.IP)
    case LINK_TYPE.PFLOG:
      return pflog(walk)
    case LINK_TYPE.IP_OVER_FC: // RFC 2625: two addresses of 8 bytes
      return behind(walk, 16, STEP.LLC)
    case LINK_TYPE.APPLE_IP_OVER_IEEE1394:
      return fireWire(walk)
    case LINK_TYPE.JUNIPER_ETHER:
      return juniper(walk, STEP.ETHERNET)
    case LINK_TYPE.JUNIPER_PPP:
      return juniper(walk, STEP.PPP)
    case LINK_TYPE.ERF:
      return extensibleRecord(walk)
    case LINK_TYPE.IPNET: // Solaris
      return behind(walk, 24, STEP.IP)
    case LINK_TYPE.NETANALYZER:
      return behind(walk, 4, STEP.ETHERNET)
    case LINK_TYPE.NETANALYZER_TRANSPARENT: // preamble and start of frame too
      return behind(walk, 12, STEP.ETHERNET)
    case LINK_TYPE.ETHERNET_MPACKET:
      return behind(walk, 8, STEP.ETHERNET)
    case LINK_TYPE.DSA_TAG_BRCM:
      return broadcom(walk)
    case LINK_TYPE.DSA_TAG_BRCM_PREPEND:
      return behind(walk, 4, STEP.ETHERNET)
    case LINK_TYPE.DSA_TAG_DSA:
      return marvell(walk, false)
    case LINK_TYPE.DSA_TAG_EDSA:
      return marvell(walk, true)
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
  if (networkLayer === 0xcf) return STEP.PPP
  return networkLayer === 0 ? frameRelaySnap(walk) : walk.stop(DISSECT_OUTCOME.NOT_IP)
}

/** Behind a byte of padding: NLPID 0x80, the organisation of Ethernet, an EtherType. */
function frameRelaySnap(walk: Walk): STEP {
  if (!walk.has(6)) return walk.short(6)
  const { at } = walk
  if (walk.u16(at) !== 0x8000 || walk.u16(at + 2) !== 0) return walk.stop(DISSECT_OUTCOME.NOT_IP)
  walk.ethertype = walk.u16(at + 4)
  return behind(walk, 6, STEP.ETHERTYPE)
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
