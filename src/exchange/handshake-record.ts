import type { ByteMemory } from '../../lib/bytes/mod.ts'
import type { RecordWriter } from '../../lib/record/mod.ts'
import type { Handshake, ProxyHeader } from '../decode/mod.ts'
import * as L from '../../wasm/layout.ts'
import { copyFacts, writeEndpoints } from './connection-record.ts'
import { fieldId } from './fields.ts'
import { HOOK_NAMES } from './names.ts'

const F = {
  kind: fieldId('kind'),
  time: fieldId('time'),
  duration: fieldId('duration'),
  eventName: fieldId('event.name'),
  eventReason: fieldId('event.reason'),
  sequence: fieldId('event.sequence'),
  interfaceName: fieldId('network.interface.name'),
  networkName: fieldId('network.protocol.name'),
  networkVersion: fieldId('network.protocol.version'),
  connectionId: fieldId('network.connection.id'),
  hook: fieldId('network.hook'),
  protocolName: fieldId('tls.protocol.name'),
  protocolVersion: fieldId('tls.protocol.version'),
  cipher: fieldId('tls.cipher'),
  curve: fieldId('tls.curve'),
  nextProtocol: fieldId('tls.next_protocol'),
  resumed: fieldId('tls.resumed'),
  serverName: fieldId('tls.client.server_name'),
  alpn: fieldId('tls.client.alpn'),
  ja4: fieldId('tls.client.ja4'),
  ech: fieldId('tls.client.ech'),
  clientSubject: fieldId('tls.client.subject'),
  clientIssuer: fieldId('tls.client.issuer'),
  serverSubject: fieldId('tls.server.subject'),
  serverIssuer: fieldId('tls.server.issuer'),
  notBefore: fieldId('tls.server.not_before'),
  notAfter: fieldId('tls.server.not_after'),
  names: fieldId('tls.server.subject_alternative_names'),
  proxyVersion: fieldId('proxy.version'),
  proxySource: fieldId('proxy.source.address'),
  proxySourcePort: fieldId('proxy.source.port'),
  proxyDestination: fieldId('proxy.destination.address'),
  proxyDestinationPort: fieldId('proxy.destination.port'),
  proxyAuthority: fieldId('proxy.authority'),
} as const

/** What a handshake record says beside the handshake and the CONNECTION block. */
export interface HandshakeFacts {
  /** Nanoseconds since 1970 at which it began. */
  readonly epochTime: bigint
  readonly interfaceName: string | undefined
}

/** Writes the tls.* fields of a handshake: part of a facts block, or of a record. What is not known is left out. */
export function writeTls(writer: RecordWriter, handshake: Handshake): void {
  const { version, cipher, curve, nextProtocol, isResumed, serverName, offeredProtocols, ja4, client, server } = handshake
  if (version !== undefined) {
    writer.string(F.protocolName, version.name)
    writer.string(F.protocolVersion, version.version)
  }
  if (cipher !== undefined) writer.string(F.cipher, cipher)
  if (curve !== undefined) writer.string(F.curve, curve)
  if (nextProtocol !== undefined) writer.string(F.nextProtocol, nextProtocol)
  if (isResumed !== undefined) writer.bool(F.resumed, isResumed)
  if (serverName !== undefined) writer.string(F.serverName, serverName)
  if (offeredProtocols.length > 0) writer.strings(F.alpn, offeredProtocols)
  if (ja4 !== undefined) writer.string(F.ja4, ja4)
  writer.bool(F.ech, handshake.hasEncryptedHello)
  if (client !== undefined) {
    writer.string(F.clientSubject, client.subject)
    writer.string(F.clientIssuer, client.issuer)
  }
  if (server === undefined) return
  writer.string(F.serverSubject, server.subject)
  writer.string(F.serverIssuer, server.issuer)
  if (server.notBefore !== undefined) writer.time(F.notBefore, server.notBefore)
  if (server.notAfter !== undefined) writer.time(F.notAfter, server.notAfter)
  if (server.names.length > 0) writer.strings(F.names, server.names)
}

/** Writes the proxy.* fields of a PROXY header: a facts block. */
export function writeProxy(writer: RecordWriter, header: ProxyHeader): void {
  writer.int(F.proxyVersion, header.version)
  if (header.ipVersion !== undefined) {
    writer.address(F.proxySource, header.ipVersion, header.source)
    writer.int(F.proxySourcePort, header.sourcePort)
    writer.address(F.proxyDestination, header.ipVersion, header.destination)
    writer.int(F.proxyDestinationPort, header.destinationPort)
  }
  if (header.authority !== undefined) writer.string(F.proxyAuthority, header.authority)
}

/** Writes a `handshake` record of the connection or flow at `block`; `writer` has begun it and is ended by the caller. */
export function writeHandshake(writer: RecordWriter, memory: ByteMemory, block: number, handshake: Handshake, facts: HandshakeFacts): void {
  writer.string(F.kind, 'handshake')
  writer.time(F.time, facts.epochTime)
  if (handshake.answerTime >= handshake.startTime) writer.seconds(F.duration, handshake.answerTime - handshake.startTime)
  writer.string(F.eventName, handshake.outcome)
  if (handshake.reason !== '') writer.string(F.eventReason, handshake.reason)
  writer.int(F.sequence, 0) // set when no filter refused the record
  writeEndpoints(writer, memory, block)
  if (facts.interfaceName !== undefined) writer.string(F.interfaceName, facts.interfaceName)
  writer.string(F.networkName, handshake.protocol)
  if (handshake.protocolVersion !== undefined) writer.string(F.networkVersion, handshake.protocolVersion)
  const id = memory.u32[(block + L.CONNECTION_ID) >>> 2]!
  if (id !== 0) writer.int(F.connectionId, id)
  writer.string(F.hook, HOOK_NAMES[memory.u8[block + L.CONNECTION_HOOK]!] ?? 'unknown')
  writeTls(writer, handshake)
  copyFacts(writer, memory, block, L.FACTS_PROXY)
}
