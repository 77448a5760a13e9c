/** Links that captures seldom come from: what stands before the frame or packet that others read. */
import { DIRECTION_EGRESS, DIRECTION_INGRESS, DIRECTION_UNKNOWN, FLAG_LINK } from '../events.gen.ts'
import { ETHERTYPE } from './ethertype-number.ts'
import { DISSECT_OUTCOME } from './outcome.ts'
import { STEP, type Walk } from './walk.ts'

const ADDRESSES_BYTES = 12
/** Length of an Ethernet frame whose tag stands where the EtherType is otherwise. */
const DSA_BYTES = 4
const EDSA_BYTES = 8
/** ERF record types that hold Ethernet or HDLC (Endace, ERF types reference). */
const ERF = { HDLC: 1, ETHERNET: 2, COLOR_HDLC: 10, COLOR_ETHERNET: 11, EXTENSION: 0x80 } as const
const JUNIPER = { MAGIC: 0x4d4743, HAS_EXTENSIONS: 0x80, NO_LINK: 2, INCOMING: 1 } as const
/** Of a packet that PKTAP describes. */
const PKTAP_PACKET = 1
const PKTAP_BYTES_MIN = 44

/** Bytes that say nothing here, then `step`. */
export function behind(walk: Walk, bytes: number, step: STEP): STEP {
  if (!walk.has(bytes)) return walk.short(bytes)
  walk.at += bytes
  return step
}

/** OpenBSD's packet filter: length, address family and more, padded to 4; then the IP packet. */
export function pflog(walk: Walk): STEP {
  if (!walk.has(2)) return walk.short(2)
  const bytes = (walk.u8[walk.at]! + 3) & ~3
  return bytes < 4 ? walk.stop(DISSECT_OUTCOME.HEADER_SHORT) : behind(walk, bytes, STEP.IP)
}

/** Switch chips of Marvell put their tag before the EtherType; in the longer form an EtherType of its own and two bytes come first. */
export function marvell(walk: Walk, isLong: boolean): STEP {
  return tagged(walk, isLong ? EDSA_BYTES : DSA_BYTES)
}

/** Broadcom's: four bytes, at the same place. */
export function broadcom(walk: Walk): STEP {
  return tagged(walk, DSA_BYTES)
}

function tagged(walk: Walk, tagBytes: number): STEP {
  const bytes = ADDRESSES_BYTES + tagBytes + 2
  if (!walk.has(bytes)) return walk.short(bytes)
  walk.macAt = walk.at
  walk.flags |= FLAG_LINK
  walk.ethertype = walk.u16(walk.at + bytes - 2)
  walk.at += bytes
  return STEP.ETHERTYPE
}

/** IEEE 802.5: access and frame control, two addresses, a route when the sender's first bit says so, 802.2. */
export function tokenRing(walk: Walk): STEP {
  if (!walk.has(14)) return walk.short(14)
  const { u8, at } = walk
  // Only frames of type LLC.
  if (u8[at + 1]! >> 6 !== 1) return walk.stop(DISSECT_OUTCOME.NOT_IP)
  const hasRoute = (u8[at + 8]! & 0x80) !== 0
  if (hasRoute && !walk.has(16)) return walk.short(16)
  walk.macAt = at + 2
  walk.flags |= FLAG_LINK
  return behind(walk, 14 + (hasRoute ? u8[at + 14]! & 0x1f : 0), STEP.LLC)
}

/** SunATM: a byte whose low half says what follows, virtual path and channel. */
export function sunAtm(walk: Walk): STEP {
  if (!walk.has(4)) return walk.short(4)
  const kind = walk.u8[walk.at]! & 15
  if (kind === 2) return behind(walk, 4, STEP.LLC)
  // LAN emulation: two bytes of its own, then Ethernet.
  return kind === 1 ? behind(walk, 6, STEP.ETHERNET) : walk.stop(DISSECT_OUTCOME.NOT_IP)
}

/** Linux's Classical IP over ATM: 802.2, or the IP packet at once. */
export function classicalIp(walk: Walk): STEP {
  if (!walk.has(3)) return walk.short(3)
  return walk.u16(walk.at) === 0xaaaa ? STEP.LLC : STEP.IP
}

/** IP over IEEE 1394, as macOS writes it: two addresses of 8 bytes, EtherType. */
export function fireWire(walk: Walk): STEP {
  if (!walk.has(18)) return walk.short(18)
  walk.ethertype = walk.u16(walk.at + 16)
  return behind(walk, 18, STEP.ETHERTYPE)
}

/** Endace's extensible record: 8 bytes of time, type, flags, three lengths; extensions while their first bit says so. */
export function extensibleRecord(walk: Walk): STEP {
  if (!walk.has(16)) return walk.short(16)
  const { u8 } = walk
  const type = u8[walk.at + 8]! & ~ERF.EXTENSION
  let hasMore = (u8[walk.at + 8]! & ERF.EXTENSION) !== 0
  walk.at += 16
  while (hasMore) {
    if (!walk.has(8)) return walk.short(8)
    hasMore = (u8[walk.at]! & ERF.EXTENSION) !== 0
    walk.at += 8
  }
  // Two bytes bring Ethernet to a multiple of four.
  if (type === ERF.ETHERNET || type === ERF.COLOR_ETHERNET) return behind(walk, 2, STEP.ETHERNET)
  return type === ERF.HDLC || type === ERF.COLOR_HDLC ? STEP.PPP : walk.stop(DISSECT_OUTCOME.NOT_IP)
}

/**
 * Juniper's header: "MGC", flags, and behind them extensions of the length that two bytes say; then the frame, or, with a flag, four
 * bytes and the packet of a network protocol.
 */
export function juniper(walk: Walk, step: STEP): STEP {
  if (!walk.has(4)) return walk.short(4)
  const { u8, at } = walk
  const head = walk.i32(at)
  if (head >>> 8 !== JUNIPER.MAGIC) return walk.stop(DISSECT_OUTCOME.NOT_IP)
  if (walk.direction === DIRECTION_UNKNOWN) {
    walk.direction = (head & JUNIPER.INCOMING) !== 0 ? DIRECTION_INGRESS : DIRECTION_EGRESS
  }
  let bytes = 4
  if ((head & JUNIPER.HAS_EXTENSIONS) !== 0) {
    if (!walk.has(6)) return walk.short(6)
    bytes = 6 + (u8[at + 4]! << 8 | u8[at + 5]!)
  }
  return (head & JUNIPER.NO_LINK) !== 0 ? behind(walk, bytes + 4, STEP.IP) : behind(walk, bytes, step)
}

/**
 * Apple's PKTAP, little endian: its length, what the record is, the link type of what follows, the interface's name.
 *
 * @returns that link type, or -1 when it ended
 */
export function pktap(walk: Walk): number {
  if (!walk.has(PKTAP_BYTES_MIN)) {
    walk.short(PKTAP_BYTES_MIN)
    return -1
  }
  const { u8, at } = walk
  const word = (from: number): number => (u8[from]! | u8[from + 1]! << 8 | u8[from + 2]! << 16 | u8[from + 3]! << 24) >>> 0
  const bytes = word(at)
  if (bytes < PKTAP_BYTES_MIN || word(at + 4) !== PKTAP_PACKET) {
    walk.stop(DISSECT_OUTCOME.NOT_IP)
    return -1
  }
  if (!walk.has(bytes)) {
    walk.short(bytes)
    return -1
  }
  // PTH_FLAG_DIR_IN is 1, PTH_FLAG_DIR_OUT is 2.
  const way = word(at + 36) & 3
  if (walk.direction === DIRECTION_UNKNOWN && (way === 1 || way === 2)) walk.direction = way === 1 ? DIRECTION_INGRESS : DIRECTION_EGRESS
  walk.at += bytes
  return word(at + 8)
}

/** RFC 2684 over ATM: 802.2 with SNAP; an Ethernet frame behind two bytes of padding where the organisation is that of bridging. */
export function bridgedAtm(walk: Walk): STEP {
  if (!walk.has(8)) return walk.short(8)
  const { at } = walk
  const isBridged = walk.u16(at) === 0xaaaa && walk.i32(at + 2) === 0x030080c2 && (walk.u16(at + 6) === 7 || walk.u16(at + 6) === 1)
  if (isBridged) return behind(walk, 10, STEP.ETHERNET)
  // NLPID in place of SNAP, as for Frame Relay.
  if (walk.u16(at) !== 0xfefe) return STEP.LLC
  walk.ethertype = ETHERTYPE.IPV4
  return walk.u8[at + 3] === 0xcc ? behind(walk, 4, STEP.IP) : walk.stop(DISSECT_OUTCOME.NOT_IP)
}
