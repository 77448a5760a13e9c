import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { DISSECT_ANOMALY } from './anomaly.ts'
import { Counts } from './counts.ts'
import type { FragmentTable } from './fragment-table.ts'
import type { FrameMeta } from './frame-meta.ts'
import { LAYER } from './layer.ts'
import { DISSECT_OUTCOME } from './outcome.ts'
import type { TunnelPorts } from './tunnel-port.ts'

/** The header that stands at `walk.at`. DONE: `walk.outcome` says how it ended. */
export const STEP = {
  DONE: 0,
  /** Chosen by `walk.ethertype`. */
  ETHERTYPE: 1,
  ETHERNET: 2,
  LLC: 3,
  /** IPv4 or IPv6, by the first nibble. */
  IP: 4,
  IPV4: 5,
  IPV6: 6,
  /** Chosen by `walk.protocol`. */
  UPPER: 7,
  PPP: 8,
  MPLS: 9,
  /** 802.11 without padding. */
  WIFI: 10,
} as const
export type STEP = (typeof STEP)[keyof typeof STEP]

/** Headers inside one another, of any kind. */
export const DEPTH_MAX = 16

/** Protocols to write events for: the bits of DissectorOptions.protocols. */
export const PROTOCOL_BIT = {
  TCP: 1, UDP: 2, ICMP: 4, OTHER: 8, ARP: 16,
  /** Of UDP, what begins with a QUIC Initial packet. */
  QUIC: 32,
  ALL: 63,
} as const

/**
 * The state of one frame on its way through the layers. One object per dissector: a frame costs no
 * allocation.
 *
 * `end` bounds every read: no layer looks at a byte from `end` on. `wireEnd` is where the packet ended on the
 * wire, at or after `end`; each layer's own length moves both inwards, so link padding never becomes payload.
 */
export class Walk {
  readonly memory: ByteMemory
  readonly u8: Uint8Array
  readonly fragments: FragmentTable
  readonly anomalies: Counts<keyof typeof DISSECT_ANOMALY>
  readonly layers = new Counts(LAYER)
  readonly tunnelPorts: TunnelPorts
  readonly protocols: number
  readonly verifyChecksums: boolean

  at = 0
  end = 0
  wireEnd = 0
  /** Bytes of the frame on the wire. */
  frameLength = 0
  /** Where the event goes, and its size with framing and padding when there is one. */
  out = 0
  written = 0
  /** Payload bytes left out of the record. */
  bytesCut = 0
  meta: FrameMeta
  outcome: DISSECT_OUTCOME = DISSECT_OUTCOME.DELIVERED
  depth = 0
  direction = 0
  /** Place of the innermost Ethernet header's two addresses, 0 = none. */
  macAt = 0
  ethertype = 0
  vlan0 = 0
  vlan1 = 0
  vlanCount = 0
  /** The innermost IP header, 0 = none. */
  ipAt = 0
  ipVersion = 0
  protocol = 0
  ttl = 0
  tos = 0
  identification = 0
  /** FLAG_ bits of bpf/events.h. */
  flags = 0
  tunnel = 0
  tunnelId = 0
  tunnelDepth = 0
  /** An IPv6 routing header with segments left: the pseudo header's destination is not the packet's. */
  routed = false
  /** The frame has completed a datagram, whose memory is to be given back. */
  fragmentsHeld = false

  constructor(memory: ByteMemory, parts: WalkParts) {
    this.memory = memory
    this.u8 = memory.u8
    this.fragments = parts.fragments
    this.anomalies = parts.anomalies
    this.tunnelPorts = parts.tunnelPorts
    this.protocols = parts.protocols
    this.verifyChecksums = parts.verifyChecksums
    this.meta = parts.meta
  }

  start(frame: number, captured: number, wire: number, meta: FrameMeta, out: number): void {
    this.at = frame
    this.end = frame + captured
    this.wireEnd = frame + (wire > captured ? wire : captured)
    this.frameLength = wire
    this.out = out
    this.written = 0
    this.bytesCut = 0
    this.meta = meta
    this.depth = 0
    this.direction = meta.direction
    this.macAt = 0
    this.ethertype = 0
    this.vlan0 = meta.vlan0
    this.vlan1 = meta.vlan1
    this.vlanCount = meta.vlanCount
    this.ipAt = 0
    this.ipVersion = 0
    this.protocol = 0
    this.ttl = 0
    this.tos = 0
    this.identification = 0
    this.flags = 0
    this.tunnel = 0
    this.tunnelId = 0
    this.tunnelDepth = 0
    this.routed = false
  }

  stop(outcome: DISSECT_OUTCOME): STEP {
    this.outcome = outcome
    return STEP.DONE
  }

  /** True when `count` bytes are there from `at` on. */
  has(count: number): boolean {
    return this.at + count <= this.end
  }

  /**
   * The end of a frame that has not the `count` bytes its header needs: cut by the capture, or short by
   * itself.
   */
  short(count: number): STEP {
    const cut = this.at + count <= this.wireEnd
    return this.stop(cut ? DISSECT_OUTCOME.HEADER_CUT : DISSECT_OUTCOME.HEADER_SHORT)
  }

  /** Bounds the packet to `length` bytes from `at` on; a longer claim than the frame's is not believed. */
  trim(length: number): void {
    const end = this.at + length
    if (end < this.wireEnd) this.wireEnd = end
    if (end < this.end) this.end = end
  }

  /** Goes one header deeper; false when there are too many. */
  enter(): boolean {
    this.depth++
    if (this.depth <= DEPTH_MAX) return true
    this.anomalies.add(DISSECT_ANOMALY.TOO_DEEP)
    this.outcome = DISSECT_OUTCOME.TOO_DEEP
    return false
  }

  enterTunnel(kind: number, id: number, layer: LAYER): void {
    this.tunnel = kind
    this.tunnelId = id
    this.tunnelDepth++
    this.layers.add(layer)
  }

  u16(at: number): number {
    return (this.u8[at]! << 8) | this.u8[at + 1]!
  }

  /** As a signed number: for typed arrays, which take the bits. */
  i32(at: number): number {
    const u8 = this.u8
    return (u8[at]! << 24) | (u8[at + 1]! << 16) | (u8[at + 2]! << 8) | u8[at + 3]!
  }
}

export interface WalkParts {
  fragments: FragmentTable
  anomalies: Counts<keyof typeof DISSECT_ANOMALY>
  tunnelPorts: TunnelPorts
  protocols: number
  verifyChecksums: boolean
  meta: FrameMeta
}
