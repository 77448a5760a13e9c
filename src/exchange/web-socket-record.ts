import type { ByteMemory } from '../../lib/bytes/mod.ts'
import type { RecordWriter } from '../../lib/record/mod.ts'
import * as L from '../../wasm/layout.ts'
import type { End, Side } from '../connection/mod.ts'
import { FRAMES } from '../decode/mod.ts'
import type { WebSocket } from '../decode/mod.ts'
import { copyFacts, writeEndpoints } from './connection-record.ts'
import { fieldId, MARK_REASONS } from './fields.ts'
import type { MarkReason } from './fields.ts'
import { HOOK_NAMES } from './names.ts'

const F = {
  kind: fieldId('kind'),
  time: fieldId('time'),
  duration: fieldId('duration'),
  eventName: fieldId('event.name'),
  eventReason: fieldId('event.reason'),
  sequence: fieldId('event.sequence'),
  interfaceName: fieldId('network.interface.name'),
  protocolName: fieldId('network.protocol.name'),
  connectionId: fieldId('network.connection.id'),
  hook: fieldId('network.hook'),
  clientAddress: fieldId('client.address'),
  depth: fieldId('http.request.depth'),
  subprotocol: fieldId('websocket.subprotocol'),
  extensions: fieldId('websocket.extensions'),
  closeCode: fieldId('websocket.close_code'),
  closeReason: fieldId('websocket.close_reason'),
  closedBy: fieldId('websocket.closed_by'),
  client: {
    messages: fieldId('websocket.client.messages'),
    compressedMessages: fieldId('websocket.client.compressed_messages'),
    frames: fieldId('websocket.client.frames'),
    bytes: fieldId('websocket.client.bytes'),
    pings: fieldId('websocket.client.pings'),
    pongs: fieldId('websocket.client.pongs'),
  },
  server: {
    messages: fieldId('websocket.server.messages'),
    compressedMessages: fieldId('websocket.server.compressed_messages'),
    frames: fieldId('websocket.server.frames'),
    bytes: fieldId('websocket.server.bytes'),
    pings: fieldId('websocket.server.pings'),
    pongs: fieldId('websocket.server.pongs'),
  },
  marks: fieldId('marks'),
} as const

/** How the end reads where not both sides sent a close frame: event, then the reason. */
const ENDS: Readonly<Record<End, readonly [event: string, reason: string]>> = {
  fin: ['close', 'the connection closed without close frames of both sides'],
  reset: ['reset', 'one side reset the connection'],
  idle: ['timeout', 'no packet for longer than the limit'],
  evicted: ['close', 'given up: the connection table was full'],
  replaced: ['close', 'another connection began on the same addresses and ports'],
  overload: ['close', 'given up: the agent could not keep up'],
  shutdown: ['close', 'the capture ended'],
}
const CLOSED = ['close', 'close frames of both sides'] as const

/** What a websocket record says beside the CONNECTION block. */
export interface WebSocketFacts {
  readonly webSocket: WebSocket
  /** Nanoseconds since 1970 at which the response that opened it began. */
  readonly epochTime: bigint
  readonly interfaceName: string | undefined
}

/** Writes a `websocket` record; `writer` has begun it and is ended by the caller. */
export function writeWebSocket(writer: RecordWriter, memory: ByteMemory, block: number, facts: WebSocketFacts): void {
  const { webSocket } = facts
  const { client, cause, depth, closedBy } = webSocket
  const [event, reason] = cause === undefined ? CLOSED : ENDS[cause]
  writer.string(F.kind, 'websocket')
  writer.time(F.time, facts.epochTime)
  writer.seconds(F.duration, Math.max(0, webSocket.lastTime - webSocket.startTime))
  writer.string(F.eventName, event)
  writer.string(F.eventReason, reason)
  writer.int(F.sequence, 0) // set when no filter refused the record
  writeEndpoints(writer, memory, block)
  if (facts.interfaceName !== undefined) writer.string(F.interfaceName, facts.interfaceName)
  writer.string(F.protocolName, 'websocket')
  writer.int(F.connectionId, memory.u32[(block + L.CONNECTION_ID) >>> 2]!)
  writer.string(F.hook, HOOK_NAMES[memory.u8[block + L.CONNECTION_HOOK]!] ?? 'unknown')
  if (depth > 0) writer.int(F.depth, depth)
  if (webSocket.subprotocol !== undefined) writer.string(F.subprotocol, Buffer.from(webSocket.subprotocol, 'latin1'))
  if (webSocket.extensions !== undefined) writer.string(F.extensions, Buffer.from(webSocket.extensions, 'latin1'))
  if (closedBy !== undefined) {
    const { closeCode, closeReason } = webSocket.frames(closedBy)
    if (closeCode !== undefined) writer.int(F.closeCode, closeCode)
    if (closeReason !== undefined && closeReason.length > 0) writer.string(F.closeReason, closeReason)
    writer.string(F.closedBy, closedBy === client ? 'client' : 'server')
  }
  const server: Side = client === 0 ? 1 : 0
  writeCounts(writer, webSocket, client, F.client)
  writeCounts(writer, webSocket, server, F.server)
  copyFacts(writer, memory, block, L.FACTS_TLS)
  copyFacts(writer, memory, block, L.FACTS_PROXY)
  const isWithoutSocket = memory.u8[block + L.CONNECTION_IP_VERSION] === 0
  writeMarks(writer, webSocket, isWithoutSocket, [[client, F.client.messages], [server, F.server.messages]])
}

function writeCounts(writer: RecordWriter, webSocket: WebSocket, side: Side, field: typeof F.client | typeof F.server): void {
  const frames = webSocket.frames(side)
  writer.int(field.messages, frames.messages)
  if (frames.compressedMessages > 0) writer.int(field.compressedMessages, frames.compressedMessages)
  writer.int(field.frames, frames.frames)
  writer.int(field.bytes, frames.bytes)
  writer.int(field.pings, frames.pings)
  writer.int(field.pongs, frames.pongs)
}

/** Why a side's counts do not hold to its end: on the count of its messages; and why there are no addresses. */
function writeMarks(writer: RecordWriter, webSocket: WebSocket, isWithoutSocket: boolean,
  sides: readonly (readonly [side: Side, field: number])[]): void {
  const marks = sides.flatMap(([side, field]): [number, number][] => {
    const { state } = webSocket.frames(side)
    if (state === FRAMES.whole) return []
    return [[field, reasonId(state === FRAMES.lost ? 'counted up to where bytes are missing' : 'counted up to a malformed frame')]]
  })
  if (isWithoutSocket) marks.unshift([F.clientAddress, reasonId('socket not known: the program keeps its TLS library away from it')])
  const { closedBy } = webSocket
  if (closedBy !== undefined && webSocket.frames(closedBy).isReasonCut) {
    marks.push([F.closeReason, reasonId('cut: more than the bound')])
  }
  if (marks.length > 0) writer.marks(F.marks, marks)
}

function reasonId(reason: MarkReason): number {
  return MARK_REASONS.indexOf(reason) + 1
}
