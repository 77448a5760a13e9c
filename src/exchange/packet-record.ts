import type { ByteMemory } from '../../lib/bytes/mod.ts'
import type { RecordWriter } from '../../lib/record/mod.ts'
import { DIRECTION_EGRESS, DIRECTION_INGRESS, FLAG_IP_OPTIONS, FLAG_LINK, PACKET_EVENT as P } from '../capture/mod.ts'
import { fieldId } from './fields.ts'
import { HOOK_NAMES, tcpFlagNames, transportName, TUNNEL_NAMES } from './names.ts'

const TCP = 6
const UDP = 17
const ICMP = 1
const ICMP6 = 58
const SYN = 2

const F = {
  kind: fieldId('kind'),
  time: fieldId('time'),
  sequence: fieldId('event.sequence'),
  sourceAddress: fieldId('source.address'),
  sourcePort: fieldId('source.port'),
  destinationAddress: fieldId('destination.address'),
  destinationPort: fieldId('destination.port'),
  networkType: fieldId('network.type'),
  transport: fieldId('network.transport'),
  interfaceName: fieldId('network.interface.name'),
  direction: fieldId('network.io.direction'),
  hook: fieldId('network.hook'),
  sourceMac: fieldId('link.source.mac'),
  destinationMac: fieldId('link.destination.mac'),
  linkType: fieldId('link.type'),
  vlan: fieldId('link.vlan'),
  tunnelType: fieldId('tunnel.type'),
  tunnelId: fieldId('tunnel.id'),
  ttl: fieldId('ip.ttl'),
  dscp: fieldId('ip.dscp'),
  ecn: fieldId('ip.ecn'),
  identification: fieldId('ip.identification'),
  options: fieldId('ip.options'),
  totalLength: fieldId('ip.total_length'),
  tcpFlags: fieldId('tcp.flags'),
  window: fieldId('tcp.window'),
  tcpSequence: fieldId('tcp.sequence'),
  acknowledgement: fieldId('tcp.acknowledgement'),
  mss: fieldId('tcp.mss'),
  icmpType: fieldId('icmp.type'),
  icmpCode: fieldId('icmp.code'),
} as const

/** What a packet record says beside the packet event. */
export interface PacketFacts {
  readonly epochTime: bigint
  readonly interfaceName: string | undefined
}

/** Writes a `packet` record of the packet event at `event`; `writer` has begun it and is ended by the caller. */
export function writePacket(writer: RecordWriter, memory: ByteMemory, event: number, facts: PacketFacts): void {
  const { u8, view } = memory
  const version = u8[event + P.ip_version]!
  const protocol = u8[event + P.ip_protocol]!
  const ported = version !== 0 && (protocol === TCP || protocol === UDP)
  writer.string(F.kind, 'packet')
  writer.time(F.time, facts.epochTime)
  writer.int(F.sequence, 0) // set when no filter refused the record
  if (version === 4 || version === 6) {
    writer.address(F.sourceAddress, version, u8.subarray(event + P.source_address, event + P.source_address + 16))
    if (ported) writer.int(F.sourcePort, view.getUint16(event + P.source_port, true))
    writer.address(F.destinationAddress, version, u8.subarray(event + P.destination_address, event + P.destination_address + 16))
    if (ported) writer.int(F.destinationPort, view.getUint16(event + P.destination_port, true))
    writer.string(F.networkType, version === 6 ? 'ipv6' : 'ipv4')
    writer.string(F.transport, transportName(protocol))
  }
  if (facts.interfaceName !== undefined) writer.string(F.interfaceName, facts.interfaceName)
  const direction = u8[event + P.direction]!
  if (direction === DIRECTION_INGRESS) writer.string(F.direction, 'receive')
  if (direction === DIRECTION_EGRESS) writer.string(F.direction, 'transmit')
  writer.string(F.hook, HOOK_NAMES[u8[event + P.hook]!] ?? 'unknown')
  writeLink(writer, memory, event)
  if (version !== 0) writeIp(writer, memory, event)
  if (version !== 0 && protocol === TCP) writeTcp(writer, memory, event)
  if (version !== 0 && (protocol === ICMP || protocol === ICMP6)) {
    writer.int(F.icmpType, view.getUint16(event + P.source_port, true))
    writer.int(F.icmpCode, view.getUint16(event + P.destination_port, true))
  }
}

function writeLink(writer: RecordWriter, memory: ByteMemory, event: number): void {
  const { u8, view } = memory
  if ((u8[event + P.flags]! & FLAG_LINK) !== 0) {
    writer.mac(F.sourceMac, u8.subarray(event + P.source_mac, event + P.source_mac + 6))
    writer.mac(F.destinationMac, u8.subarray(event + P.destination_mac, event + P.destination_mac + 6))
    writer.string(F.linkType, `0x${view.getUint16(event + P.ethertype, true).toString(16).padStart(4, '0')}`)
  }
  const tags = Math.min(u8[event + P.vlan_count]!, 2)
  if (tags > 0) writer.ints(F.vlan, Array.from({ length: tags }, (_, tag) => view.getUint16(event + P.vlan + tag * 2, true) & 0xfff))
  const tunnel = u8[event + P.tunnel]!
  if (tunnel !== 0) {
    writer.string(F.tunnelType, TUNNEL_NAMES[tunnel] ?? 'other')
    writer.int(F.tunnelId, view.getUint32(event + P.tunnel_id, true))
  }
}

function writeIp(writer: RecordWriter, memory: ByteMemory, event: number): void {
  const { u8, view } = memory
  const tos = u8[event + P.ip_tos]!
  writer.int(F.ttl, u8[event + P.ip_ttl]!)
  writer.int(F.dscp, tos >> 2)
  writer.int(F.ecn, tos & 3)
  writer.int(F.identification, view.getUint32(event + P.ip_identification, true))
  writer.bool(F.options, (u8[event + P.flags]! & FLAG_IP_OPTIONS) !== 0)
  writer.int(F.totalLength, view.getUint32(event + P.frame_length, true))
}

function writeTcp(writer: RecordWriter, memory: ByteMemory, event: number): void {
  const { view } = memory
  const flags = view.getUint16(event + P.tcp_flags, true)
  writer.string(F.tcpFlags, tcpFlagNames(flags))
  writer.int(F.window, view.getUint16(event + P.tcp_window, true))
  writer.int(F.tcpSequence, view.getUint32(event + P.tcp_sequence, true))
  writer.int(F.acknowledgement, view.getUint32(event + P.tcp_acknowledgement, true))
  const mss = view.getUint16(event + P.tcp_mss, true)
  if ((flags & SYN) !== 0 && mss !== 0) writer.int(F.mss, mss)
}
