import type { ByteMemory } from '../../lib/bytes/mod.ts'
import type { RecordWriter } from '../../lib/record/mod.ts'
import * as L from '../../wasm/layout.ts'
import { fieldId } from './fields.ts'
import { HOOK_NAMES, tcpFlagNames, transportName } from './names.ts'

const F = {
  kind: fieldId('kind'),
  time: fieldId('time'),
  duration: fieldId('duration'),
  eventName: fieldId('event.name'),
  eventReason: fieldId('event.reason'),
  eventCount: fieldId('event.count'),
  sequence: fieldId('event.sequence'),
  clientAddress: fieldId('client.address'),
  clientPort: fieldId('client.port'),
  serverAddress: fieldId('server.address'),
  serverPort: fieldId('server.port'),
  networkType: fieldId('network.type'),
  transport: fieldId('network.transport'),
  interfaceName: fieldId('network.interface.name'),
  protocolName: fieldId('network.protocol.name'),
  connectionId: fieldId('network.connection.id'),
  hook: fieldId('network.hook'),
  tcpFlags: fieldId('tcp.flags'),
  handshake: fieldId('tcp.handshake_duration'),
  retransmissions: fieldId('tcp.retransmissions'),
  resets: fieldId('tcp.resets'),
  clientBytes: fieldId('connection.client.bytes'),
  clientPackets: fieldId('connection.client.packets'),
  serverBytes: fieldId('connection.server.bytes'),
  serverPackets: fieldId('connection.server.packets'),
  lostBytes: fieldId('connection.lost_bytes'),
  exchanges: fieldId('connection.exchanges'),
} as const

export type ConnectionEventName = 'open' | 'close' | 'reset' | 'refused' | 'timeout'

/** What a connection record says beside the CONNECTION block. */
export interface ConnectionFacts {
  readonly event: ConnectionEventName
  readonly reason: string
  /** Nanoseconds since 1970 at which it began. */
  readonly epochTime: bigint
  /** Nanoseconds from its first packet to its last; -1 = still open. */
  readonly durationNs: number
  readonly interfaceName: string | undefined
  readonly protocol: string | undefined
  readonly exchanges: number
}

/** Endpoints of a CONNECTION block, raw; a client that is not known is taken as side 0 by nobody: undefined. */
function clientSide(memory: ByteMemory, block: number): 0 | 1 | undefined {
  const side = memory.u8[block + L.CONNECTION_CLIENT]!
  return side === 0 || side === 1 ? side : undefined
}

/** What is known of the connection beside its packets: each kind at the place of its field ids. */
export function copyFacts(writer: RecordWriter, memory: ByteMemory, block: number, kind: number): void {
  const facts = memory.u32[(block + L.CONNECTION_FACTS + kind) >>> 2]!
  if (facts !== 0) writer.copy(facts + L.FACTS_RAW)
}

/** client.* to network.transport, with what is known of the processes; no addresses where the socket is not known. */
export function writeEndpoints(writer: RecordWriter, memory: ByteMemory, block: number): void {
  const client = clientSide(memory, block) ?? 0
  const ipVersion = memory.u8[block + L.CONNECTION_IP_VERSION]!
  const version = ipVersion === 6 ? 6 : 4
  const address = (side: number): Uint8Array => {
    const at = block + L.CONNECTION_ADDRESS + side * 16
    return memory.u8.subarray(at, at + 16)
  }
  const port = (side: number): number => memory.u16[(block + L.CONNECTION_PORT + side * 2) >>> 1]!
  if (ipVersion !== 0) {
    writer.address(F.clientAddress, version, address(client))
    writer.int(F.clientPort, port(client))
  }
  copyFacts(writer, memory, block, L.FACTS_CLIENT_PROCESS)
  if (ipVersion !== 0) {
    writer.address(F.serverAddress, version, address(1 - client))
    writer.int(F.serverPort, port(1 - client))
  }
  copyFacts(writer, memory, block, L.FACTS_SERVER_PROCESS)
  if (ipVersion !== 0) writer.string(F.networkType, version === 6 ? 'ipv6' : 'ipv4')
  writer.string(F.transport, transportName(memory.u8[block + L.CONNECTION_TRANSPORT]!))
}

/** Writes a `connection` record; `writer` has begun it and is ended by the caller. */
export function writeConnection(writer: RecordWriter, memory: ByteMemory, block: number, facts: ConnectionFacts): void {
  const side = (index: number): number => block + L.CONNECTION_SIDE + index * L.CONNECTION_SIDE_BYTES
  const client = side(clientSide(memory, block) ?? 0)
  const server = side(1 - (clientSide(memory, block) ?? 0))
  const sum32 = (offset: number): number => memory.u32[(client + offset) >>> 2]! + memory.u32[(server + offset) >>> 2]!
  writer.string(F.kind, 'connection')
  writer.time(F.time, facts.epochTime)
  if (facts.durationNs >= 0) writer.seconds(F.duration, facts.durationNs)
  writer.string(F.eventName, facts.event)
  if (facts.reason !== '') writer.string(F.eventReason, facts.reason)
  writer.int(F.sequence, 0) // set when no filter refused the record
  writeEndpoints(writer, memory, block)
  if (facts.interfaceName !== undefined) writer.string(F.interfaceName, facts.interfaceName)
  if (facts.protocol !== undefined) writer.string(F.protocolName, facts.protocol)
  writer.int(F.connectionId, memory.u32[(block + L.CONNECTION_ID) >>> 2]!)
  writer.string(F.hook, HOOK_NAMES[memory.u8[block + L.CONNECTION_HOOK]!] ?? 'unknown')
  copyFacts(writer, memory, block, L.FACTS_TLS)
  copyFacts(writer, memory, block, L.FACTS_PROXY)
  const flagsOf = (state: number): number => memory.u16[(state + L.SIDE_TCP_FLAGS) >>> 1]!
  writer.string(F.tcpFlags, tcpFlagNames(flagsOf(client) | flagsOf(server)))
  const handshake = memory.f64[(block + L.CONNECTION_HANDSHAKE) >>> 3]!
  if (handshake >= 0) writer.seconds(F.handshake, handshake)
  writer.int(F.retransmissions, sum32(L.SIDE_RETRANSMISSIONS))
  writer.int(F.resets, sum32(L.SIDE_RESETS))
  writer.int(F.clientBytes, memory.f64[(client + L.SIDE_BYTES) >>> 3]!)
  writer.int(F.clientPackets, memory.u32[(client + L.SIDE_PACKETS) >>> 2]!)
  writer.int(F.serverBytes, memory.f64[(server + L.SIDE_BYTES) >>> 3]!)
  writer.int(F.serverPackets, memory.u32[(server + L.SIDE_PACKETS) >>> 2]!)
  writer.int(F.lostBytes, memory.f64[(client + L.SIDE_LOST_BYTES) >>> 3]! + memory.f64[(server + L.SIDE_LOST_BYTES) >>> 3]!)
  writer.int(F.exchanges, facts.exchanges)
}

/** What an anomaly record says. */
export interface AnomalyFacts {
  readonly name: string
  readonly reason: string
  readonly count: number
  readonly epochTime: bigint
}

/** Writes an `anomaly` record; `block` is the connection it was last seen on, 0 = none. */
export function writeAnomaly(writer: RecordWriter, memory: ByteMemory, block: number, facts: AnomalyFacts): void {
  writer.string(F.kind, 'anomaly')
  writer.time(F.time, facts.epochTime)
  writer.string(F.eventName, facts.name)
  if (facts.reason !== '') writer.string(F.eventReason, facts.reason)
  writer.int(F.eventCount, facts.count)
  writer.int(F.sequence, 0) // set when no filter refused the record
  if (block !== 0) writeEndpoints(writer, memory, block)
}
