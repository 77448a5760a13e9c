import type { ByteMemory } from '../../../../lib/bytes/mod.ts'
import { PACKET_EVENT as E } from '../../events.gen.ts'
import { FRAME_BYTES } from '../../source.ts'

/** A packet event as an object, for assertions. */
export interface EventFields {
  timeNs: bigint
  interfaceIndex: number
  frameLength: number
  payloadLength: number
  capturedLength: number
  sequence: number
  acknowledgement: number
  tunnelId: number
  identification: number
  source: string
  destination: string
  ethertype: number
  vlan: number[]
  vlanCount: number
  tcpFlags: number
  window: number
  mss: number
  windowScale: number
  kind: number
  hook: number
  direction: number
  flags: number
  version: number
  protocol: number
  ttl: number
  tos: number
  tunnel: number
  tunnelDepth: number
  sourceMac: string
  destinationMac: string
  payload: Buffer
}

/** Every event of a batch; throws when the framing does not add up. */
export function readEvents(memory: ByteMemory, batch: number, bytes: number): EventFields[] {
  const events: EventFields[] = []
  let at = batch
  while (at < batch + bytes) {
    const length = memory.u32[at >> 2]!
    events.push(readEvent(memory, at + FRAME_BYTES, length))
    at += (FRAME_BYTES + length + 7) & ~7
  }
  if (at !== batch + bytes) throw new Error(`Cannot read the batch of ${bytes} bytes: its records take ${at - batch}`)
  return events
}

function readEvent(memory: ByteMemory, at: number, length: number): EventFields {
  const { view, u8 } = memory
  const u16 = (offset: number): number => view.getUint16(at + offset, true)
  const u32 = (offset: number): number => view.getUint32(at + offset, true)
  const captured = u32(E.captured_length)
  const data = at + u16(E.data_offset)
  if (u16(E.data_offset) + captured > length) throw new Error('Cannot read the event: its bytes go past its record')
  const version = u8[at + E.ip_version]!
  return {
    timeNs: view.getBigUint64(at + E.time_ns, true),
    interfaceIndex: u32(E.interface_index),
    frameLength: u32(E.frame_length),
    payloadLength: u32(E.payload_length),
    capturedLength: captured,
    sequence: u32(E.tcp_sequence),
    acknowledgement: u32(E.tcp_acknowledgement),
    tunnelId: u32(E.tunnel_id),
    identification: u32(E.ip_identification),
    source: endpoint(memory, at + E.source_address, version, u16(E.source_port)),
    destination: endpoint(memory, at + E.destination_address, version, u16(E.destination_port)),
    ethertype: u16(E.ethertype),
    vlan: [u16(E.vlan), u16(E.vlan + 2)],
    vlanCount: u8[at + E.vlan_count]!,
    tcpFlags: u16(E.tcp_flags),
    window: u16(E.tcp_window),
    mss: u16(E.tcp_mss),
    windowScale: u8[at + E.tcp_window_scale]!,
    kind: u8[at + E.kind]!,
    hook: u8[at + E.hook]!,
    direction: u8[at + E.direction]!,
    flags: u8[at + E.flags]!,
    version,
    protocol: u8[at + E.ip_protocol]!,
    ttl: u8[at + E.ip_ttl]!,
    tos: u8[at + E.ip_tos]!,
    tunnel: u8[at + E.tunnel]!,
    tunnelDepth: u8[at + E.tunnel_depth]!,
    sourceMac: Buffer.from(memory.read(at + E.source_mac, 6)).toString('hex'),
    destinationMac: Buffer.from(memory.read(at + E.destination_mac, 6)).toString('hex'),
    payload: Buffer.from(memory.read(data, captured)),
  }
}

/** `10.0.0.1 80`, or eight full groups for IPv6. */
function endpoint(memory: ByteMemory, at: number, version: number, port: number): string {
  const bytes = memory.read(at, 16)
  if (version !== 6) {
    if (bytes.subarray(4).some(byte => byte !== 0)) throw new Error('Cannot read an IPv4 address: more than 4 bytes')
    return `${bytes.subarray(0, 4).join('.')} ${port}`
  }
  const groups = Array.from({ length: 8 }, (_, group) => ((bytes[2 * group]! << 8) | bytes[2 * group + 1]!).toString(16))
  return `${groups.join(':')} ${port}`
}
