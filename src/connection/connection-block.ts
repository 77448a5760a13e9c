import type { ByteMemory } from '../../lib/bytes/mod.ts'
import * as L from '../../wasm/layout.ts'
import { FLAG_COUNTED, FLAG_IP_OPTIONS, FLAG_LINK, PACKET_EVENT as E } from '../capture/mod.ts'
import { TCP_SYN } from './segment.ts'
import type { Segment } from './segment.ts'
import type { Side } from './stream.ts'

/** Address of a side's part of a connection block. */
export function sideBlock(block: number, side: Side): number {
  return block + L.CONNECTION_SIDE + side * L.CONNECTION_SIDE_BYTES
}

/** Fills a new connection block from its first packet, whose source is `side`. */
export function fillBlock(memory: ByteMemory, block: number, id: number, side: Side, segment: Segment): void {
  const { u8, u16, u32, f64 } = memory
  const { event } = segment
  u8.fill(0, block, block + L.CONNECTION_BYTES)
  u8[block + L.CONNECTION_IP_VERSION] = u8[event + E.ip_version]!
  u8[block + L.CONNECTION_TRANSPORT] = u8[event + E.ip_protocol]!
  u8[block + L.CONNECTION_CLIENT] = 255
  u32[(block + L.CONNECTION_INTERFACE) >> 2] = segment.interfaceIndex
  const addressBytes = u8[event + E.ip_version] === 4 ? 4 : 16
  for (const end of [0, 1] as const) {
    const isSource = end === side
    const address = event + (isSource ? E.source_address : E.destination_address)
    u8.copyWithin(block + L.CONNECTION_ADDRESS + end * 16, address, address + addressBytes)
    const port = event + (isSource ? E.source_port : E.destination_port)
    u16[(block + L.CONNECTION_PORT + end * 2) >> 1] = u16[port >> 1]!
    u8[sideBlock(block, end) + L.SIDE_WINDOW_SCALE] = 255
  }
  u8[block + L.CONNECTION_VLAN_COUNT] = u8[event + E.vlan_count]!
  u8[block + L.CONNECTION_TUNNEL] = u8[event + E.tunnel]!
  u16[(block + L.CONNECTION_VLAN) >> 1] = u16[(event + E.vlan) >> 1]!
  u16[(block + L.CONNECTION_VLAN + 2) >> 1] = u16[(event + E.vlan + 2) >> 1]!
  u32[(block + L.CONNECTION_TUNNEL_ID) >> 2] = u32[(event + E.tunnel_id) >> 2]!
  u32[(block + L.CONNECTION_ID) >> 2] = id
  u8[block + L.CONNECTION_HOOK] = u8[event + E.hook]!
  f64[(block + L.CONNECTION_START_TIME) >> 3] = segment.time
  f64[(block + L.CONNECTION_HANDSHAKE) >> 3] = -1
}

/** Notes one packet of `side`: a dozen words, no more. */
export function noteBlock(memory: ByteMemory, block: number, side: Side, segment: Segment): void {
  const { u8, u16, u32, f64 } = memory
  const { event } = segment
  const at = block + L.CONNECTION_SIDE + side * L.CONNECTION_SIDE_BYTES
  if (u32[(at + L.SIDE_PACKETS) >> 2] === 0) noteFirst(memory, block, at, side, segment)
  u8[at + L.SIDE_TTL] = u8[event + E.ip_ttl]!
  u8[at + L.SIDE_TOS] = u8[event + E.ip_tos]!
  u16[(at + L.SIDE_TCP_FLAGS) >> 1]! |= segment.tcpFlags
  u16[(at + L.SIDE_WINDOW) >> 1] = u16[(event + E.tcp_window) >> 1]!
  if ((segment.marks & FLAG_COUNTED) !== 0) {
    u32[(at + L.SIDE_PACKETS) >> 2] = u32[(event + E.seen_packets) >> 2]!
    u32[(at + L.SIDE_RETRANSMISSIONS) >> 2] = u32[(event + E.retransmissions) >> 2]!
    const high = u32[(event + E.seen_bytes + 4) >> 2]!
    f64[(at + L.SIDE_BYTES) >> 3] = u32[(event + E.seen_bytes) >> 2]! + high * 2 ** 32
  } else {
    u32[(at + L.SIDE_PACKETS) >> 2]!++
    f64[(at + L.SIDE_BYTES) >> 3]! += segment.length
  }
  const process = u32[(event + E.process) >> 2]!
  if (process !== 0) u32[(at + L.SIDE_PROCESS) >> 2] = process
  if ((segment.tcpFlags & TCP_SYN) !== 0) {
    u16[(at + L.SIDE_MSS) >> 1] = u16[(event + E.tcp_mss) >> 1]!
    u8[at + L.SIDE_WINDOW_SCALE] = u8[event + E.tcp_window_scale]!
  }
  if ((segment.marks & FLAG_IP_OPTIONS) !== 0) u8[block + L.CONNECTION_FLAGS]! |= L.CONNECTION_FLAG_IP_OPTIONS
}

/** What the first packet of a side tells of where it was met. */
function noteFirst(memory: ByteMemory, block: number, at: number, side: Side, segment: Segment): void {
  const { u8, u16 } = memory
  const { event } = segment
  u8[block + L.CONNECTION_DIRECTION + side] = u8[event + E.direction]!
  if ((segment.marks & FLAG_LINK) === 0) return
  u8.copyWithin(at + L.SIDE_MAC, event + E.source_mac, event + E.source_mac + 6)
  u16[(block + L.CONNECTION_ETHERTYPE) >> 1] = u16[(event + E.ethertype) >> 1]!
  if ((u8[block + L.CONNECTION_FLAGS]! & L.CONNECTION_FLAG_LINK) !== 0) return
  u8[block + L.CONNECTION_FLAGS]! |= L.CONNECTION_FLAG_LINK
  // The other end's, until its own first packet says.
  const other = sideBlock(block, side === 0 ? 1 : 0)
  u8.copyWithin(other + L.SIDE_MAC, event + E.destination_mac, event + E.destination_mac + 6)
}
