import { EVENT_SEGMENT, FLAG_CUT, HOOK_FILE, PACKET_EVENT as E } from '../events.gen.ts'
import { FRAME_BYTES } from '../source.ts'
import { DISSECT_ANOMALY } from './anomaly.ts'
import type { Walk } from './walk.ts'

/** Payload bytes that one record holds. */
const RECORD_PAYLOAD_MAX = 65536
/** Under this a loop of byte stores is quicker than a call into the engine. */
const LOOP_BYTES_MAX = 24
const EVENT_WORDS = E.bytes / 8
const WINDOW_SCALE_NONE = 255

/**
 * Writes one event in the framing of the kernel's ring buffer: what the walk knows, and the payload from
 * `payloadAt` to the end of the packet. TCP's own fields are 0 (window scale: none) for the caller to fill.
 *
 * @param payloadLength bytes on the wire from `payloadAt` on
 * @returns place of the struct packet_event
 */
export function writeEvent(
  walk: Walk,
  sourcePort: number,
  destinationPort: number,
  payloadAt: number,
  payloadLength: number,
): number {
  const captured = capturedLength(walk, payloadAt, payloadLength)
  const record = walk.out + FRAME_BYTES
  writeHead(walk, record)
  writeIp(walk, record)
  const { u16, u32 } = walk.memory
  u32[(record + E.payload_length) >> 2] = payloadLength
  u32[(record + E.captured_length) >> 2] = captured
  u16[(record + E.source_port) >> 1] = sourcePort
  u16[(record + E.destination_port) >> 1] = destinationPort
  if (captured > 0) copyPayload(walk.u8, record + E.bytes, payloadAt, captured)
  u32[walk.out >> 2] = E.bytes + captured
  u32[(walk.out >> 2) + 1] = 0
  walk.written = (FRAME_BYTES + E.bytes + captured + 7) & ~7
  return record
}

/** What of the payload goes into the record; sets FLAG_CUT when that is not all. */
function capturedLength(walk: Walk, payloadAt: number, payloadLength: number): number {
  let captured = Math.min(walk.end - payloadAt, payloadLength)
  if (captured < 0) captured = 0
  if (captured > RECORD_PAYLOAD_MAX) {
    walk.anomalies.add(DISSECT_ANOMALY.PAYLOAD_OVER_RECORD)
    captured = RECORD_PAYLOAD_MAX
  }
  if (captured < payloadLength) {
    walk.flags |= FLAG_CUT
    walk.bytesCut = payloadLength - captured
  }
  return captured
}

/** Clears the struct, then fills what does not depend on IP. */
function writeHead(walk: Walk, record: number): void {
  const { f64, u8, u16, u32 } = walk.memory
  const { meta } = walk
  const first = record >> 3
  for (let word = 0; word < EVENT_WORDS; word++) f64[first + word] = 0
  u32[(record + E.time_ns) >> 2] = meta.timeLow
  u32[(record + E.time_ns + 4) >> 2] = meta.timeHigh
  u32[(record + E.interface_index) >> 2] = meta.interfaceIndex
  u32[(record + E.frame_length) >> 2] = walk.frameLength
  u32[(record + E.tunnel_id) >> 2] = walk.tunnelId
  u16[(record + E.data_offset) >> 1] = E.bytes
  u16[(record + E.ethertype) >> 1] = walk.ethertype
  u8[record + E.tcp_window_scale] = WINDOW_SCALE_NONE
  u8[record + E.kind] = EVENT_SEGMENT
  if (meta.hook !== HOOK_FILE) u8[record + E.hook] = meta.hook
  u8[record + E.direction] = walk.direction
  u8[record + E.flags] = walk.flags
  u8[record + E.tunnel] = walk.tunnel
  u8[record + E.tunnel_depth] = walk.tunnelDepth
  if (walk.vlanCount > 0) {
    u16[(record + E.vlan) >> 1] = walk.vlan0
    u16[(record + E.vlan + 2) >> 1] = walk.vlan1
    u8[record + E.vlan_count] = walk.vlanCount
  }
  const mac = walk.macAt
  if (mac !== 0) {
    // Ethernet has the destination first.
    for (let i = 0; i < 6; i++) {
      u8[record + E.destination_mac + i] = u8[mac + i]!
      u8[record + E.source_mac + i] = u8[mac + 6 + i]!
    }
  }
}

function writeIp(walk: Walk, record: number): void {
  const { u8 } = walk
  const ip = walk.ipAt
  if (ip === 0) return
  walk.memory.u32[(record + E.ip_identification) >> 2] = walk.identification
  u8[record + E.ip_version] = walk.ipVersion
  u8[record + E.ip_protocol] = walk.protocol
  u8[record + E.ip_ttl] = walk.ttl
  u8[record + E.ip_tos] = walk.tos
  if (walk.ipVersion === 4) {
    for (let i = 0; i < 4; i++) {
      u8[record + E.source_address + i] = u8[ip + 12 + i]!
      u8[record + E.destination_address + i] = u8[ip + 16 + i]!
    }
  } else {
    // The two stand next to each other in the header and in the event.
    for (let i = 0; i < 32; i++) u8[record + E.source_address + i] = u8[ip + 8 + i]!
  }
}

function copyPayload(u8: Uint8Array, to: number, from: number, length: number): void {
  if (length > LOOP_BYTES_MAX) {
    u8.copyWithin(to, from, from + length)
    return
  }
  for (let i = 0; i < length; i++) u8[to + i] = u8[from + i]!
}
