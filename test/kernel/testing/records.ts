import { PACKET_EVENT as AT } from '../../../src/capture/events.gen.ts'
import { FRAME_BUSY, FRAME_BYTES, FRAME_DISCARD } from '../../../src/capture/source.ts'

/** One packet event as an object: for tests, where clarity counts and speed does not. */
export interface PacketRecord {
  time: bigint; interface: number; number: number; tag: number; frameLength: number; payloadLength: number; skipped: number; leftOut: number
  sequence: number; acknowledgement: number; tunnelId: number; identification: number; seenPackets: number; seenBytes: number
  retransmissions: number; source: string; destination: string; sourcePort: number; destinationPort: number; linkType: number
  ethertype: number; vlan: number[]; tcpFlags: number; window: number; mss: number; windowScale: number; kind: number
  hook: number; direction: number; flags: number; vlanCount: number; ipVersion: number; protocol: number; ttl: number; tos: number
  tunnel: number; tunnelDepth: number; sourceMac: string; destinationMac: string; data: Buffer
}

/** Every record of a batch; throws when its framing does not hold. */
export function recordsOf(batch: Uint8Array): PacketRecord[] {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength)
  const records: PacketRecord[] = []
  for (let at = 0; at < batch.length;) {
    const word = view.getUint32(at, true)
    if ((word & FRAME_BUSY) !== 0) throw new Error(`Cannot read the record at ${at}: it is still being written`)
    const length = word & ~FRAME_DISCARD
    if (at + FRAME_BYTES + length > batch.length) throw new Error(`Cannot read the record at ${at}: it passes the end`)
    if ((word & FRAME_DISCARD) === 0) records.push(recordAt(batch, at + FRAME_BYTES, length))
    at += (FRAME_BYTES + length + 7) & ~7
  }
  return records
}

function recordAt(batch: Uint8Array, start: number, length: number): PacketRecord {
  const view = new DataView(batch.buffer, batch.byteOffset + start, length)
  const u8 = (at: number): number => view.getUint8(at)
  const u16 = (at: number): number => view.getUint16(at, true)
  const u32 = (at: number): number => view.getUint32(at, true)
  const bytes = (at: number, count: number): Buffer => Buffer.from(batch.subarray(start + at, start + at + count))
  const address = (at: number): string => u8(AT.ip_version) === 6 ? bytes(at, 16).toString('hex') : [...bytes(at, 4)].join('.')
  const offset = u16(AT.data_offset)
  const captured = u32(AT.captured_length)
  if (captured > 0 && offset + captured > length) throw new Error(`The record holds ${length} bytes, not ${offset + captured}`)
  return {
    time: view.getBigUint64(AT.time_ns, true), interface: u32(AT.interface_index), number: u32(AT.record_number),
    tag: u32(AT.connection_tag), frameLength: u32(AT.frame_length), payloadLength: u32(AT.payload_length),
    skipped: u32(AT.payload_skipped), leftOut: u32(AT.left_out), sequence: u32(AT.tcp_sequence), acknowledgement: u32(AT.tcp_acknowledgement),
    tunnelId: u32(AT.tunnel_id), identification: u32(AT.ip_identification), seenPackets: u32(AT.seen_packets),
    seenBytes: Number(view.getBigUint64(AT.seen_bytes, true)), retransmissions: u32(AT.retransmissions),
    source: address(AT.source_address), destination: address(AT.destination_address), sourcePort: u16(AT.source_port),
    destinationPort: u16(AT.destination_port), linkType: u16(AT.link_type), ethertype: u16(AT.ethertype),
    vlan: [u16(AT.vlan), u16(AT.vlan + 2)].slice(0, Math.min(2, u8(AT.vlan_count))), tcpFlags: u16(AT.tcp_flags),
    window: u16(AT.tcp_window), mss: u16(AT.tcp_mss), windowScale: u8(AT.tcp_window_scale), kind: u8(AT.kind), hook: u8(AT.hook),
    direction: u8(AT.direction), flags: u8(AT.flags), vlanCount: u8(AT.vlan_count), ipVersion: u8(AT.ip_version),
    protocol: u8(AT.ip_protocol), ttl: u8(AT.ip_ttl), tos: u8(AT.ip_tos), tunnel: u8(AT.tunnel), tunnelDepth: u8(AT.tunnel_depth),
    sourceMac: bytes(AT.source_mac, 6).toString('hex'), destinationMac: bytes(AT.destination_mac, 6).toString('hex'),
    data: bytes(offset, captured),
  }
}
