import { Output } from '../../../../lib/protobuf/mod.ts'
import { durationOf } from './record-clock.ts'
import type { RecordReader } from './record-reader.ts'
import { slot } from './slots.ts'
import { carriedSpanId, carriedTraceId, madeSpanId, madeTraceId, SPAN_BYTES, TRACE_BYTES } from './span-ids.ts'

const [KIND, EVENT, METHOD, STATUS, RPC_METHOD, RPC_STATUS, PROTOCOL, SAMPLED] = [
  slot('kind'), slot('event.name'), slot('http.request.method'), slot('http.response.status_code'), slot('rpc.method'), slot('rpc.status_code'),
  slot('network.protocol.name'), slot('trace.sampled'),
] as const
const [CLIENT_PID, SERVER_PID] = [slot('client.process.pid'), slot('server.process.pid')] as const
/** What a service is called, the most telling first. */
const CLIENT_NAMES = [slot('client.container.name'), slot('client.systemd.unit'), slot('client.process.executable.name')] as const
const SERVER_NAMES = [slot('server.container.name'), slot('server.systemd.unit'), slot('server.process.executable.name')] as const
const [EXCHANGE, OPEN, TRUE, HTTP_PROTOCOL, OTHER] = ['exchange', 'open', 'true', 'http', '_OTHER'].map(text => Buffer.from(text)) as [
  Buffer, Buffer, Buffer, Buffer, Buffer,
]
/** `lintel.trace.generated` = true, as a KeyValue without its tag. */
const GENERATED = Buffer.concat([Buffer.from([28, 0x0a, 22]), Buffer.from('lintel.trace.generated'), Buffer.from([0x12, 2, 0x10, 1])])

const SPAN_ATTRIBUTE_TAG = 0x4a
const SERVER = 2
const CLIENT = 3
const STATUS_ERROR = 2
const FLAG_SAMPLED = 0x1
/** SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK and SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK: the parent's id came over the network. */
const FLAGS_REMOTE = 0x300
const ROOM = 256

/** https://opentelemetry.io/docs/specs/semconv/rpc/grpc: what is an error for the server; for the client all but OK is. */
const RPC_SERVER_ERRORS = new Set(['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'])

const name = new Output(256)
const HTTP = Buffer.from('HTTP')

/** True for an exchange that is over: one that goes on is told again at its end. */
export function isSpan(reader: RecordReader): boolean {
  return reader.is(KIND, EXCHANGE) && !reader.is(EVENT, OPEN)
}

/** True where the record says that the client is on this machine and the server is not: the span is the client's then. */
function isClient(reader: RecordReader): boolean {
  return reader.has(CLIENT_PID) && !reader.has(SERVER_PID)
}

/** Name of the service whose span it is: container, unit or program; undefined where the record says none. */
export function serviceOf(reader: RecordReader): string | undefined {
  for (const place of isClient(reader) ? CLIENT_NAMES : SERVER_NAMES) if (reader.has(place)) return reader.text(place)
  return undefined
}

/**
 * Appends a Span, without tag and length. Trace and parent are those that the request carried; a trace that it did not carry, or not as 16
 * bytes, is made up, which the attribute `lintel.trace.generated` says, and the span has no parent then.
 *
 * @param made ids made of the record's id
 * @param time when it began, in nanoseconds since the epoch
 */
export function writeSpan(reader: RecordReader, made: Buffer, time: bigint, out: Output): void {
  const { attributes } = reader
  writeName(reader)
  out.reserve(attributes.length + name.at + ROOM)
  out.byte(0x0a) // trace_id = 1
  out.byte(TRACE_BYTES)
  const isCarried = carriedTraceId(reader, out)
  if (!isCarried) madeTraceId(made, out)
  out.byte(0x12) // span_id = 2
  out.byte(SPAN_BYTES)
  out.copy(madeSpanId(made), 0, SPAN_BYTES)
  const parent = out.at
  out.byte(0x22) // parent_span_id = 4
  out.byte(SPAN_BYTES)
  const hasParent = isCarried && carriedSpanId(reader, out)
  if (!hasParent) out.at = parent
  out.field(0x2a, name.view) // name = 5
  const kind = isClient(reader) ? CLIENT : SERVER
  out.byte(0x30) // kind = 6
  out.byte(kind)
  out.byte(0x39) // start_time_unix_nano = 7
  out.fixed64(time)
  out.byte(0x41) // end_time_unix_nano = 8
  out.fixed64(time + durationOf(reader))
  writeAttributes(reader, out)
  if (!isCarried) {
    out.byte(SPAN_ATTRIBUTE_TAG)
    out.copy(GENERATED, 0, GENERATED.length)
  }
  if (isError(reader, kind)) {
    out.byte(0x7a) // status = 15, its code = 3
    out.byte(2)
    out.byte(0x18)
    out.byte(STATUS_ERROR)
  }
  const flags = (reader.is(SAMPLED, TRUE) ? FLAG_SAMPLED : 0) | (hasParent ? FLAGS_REMOTE : 0)
  if (flags === 0) return
  out.byte(0x85) // flags = 16
  out.byte(0x01)
  out.fixed32(flags)
}

/** attributes = 9: as they stand in a log record, but for the tag. */
function writeAttributes(reader: RecordReader, out: Output): void {
  const [start, { attributes, count }] = [out.at, reader]
  out.copy(attributes, 0, attributes.length)
  for (let index = 0; index < count; index++) out.bytes[start + reader.tagAt(index)] = SPAN_ATTRIBUTE_TAG
}

/** Few values: the method; of gRPC the call; of a protocol of one's own its name. */
function writeName(reader: RecordReader): void {
  name.at = 0
  if (reader.has(RPC_METHOD)) reader.copyTo(name, RPC_METHOD)
  else if (reader.has(METHOD) && !reader.is(METHOD, OTHER)) reader.copyTo(name, METHOD)
  else if (reader.has(PROTOCOL) && !reader.is(PROTOCOL, HTTP_PROTOCOL)) reader.copyTo(name, PROTOCOL)
  if (name.at === 0) name.copy(HTTP, 0, HTTP.length)
}

/** https://opentelemetry.io/docs/specs/semconv/http/http-spans: 5xx; for a client 4xx too. */
function isError(reader: RecordReader, kind: number): boolean {
  const rpc = reader.ascii(RPC_STATUS)
  if (rpc !== undefined) return kind === CLIENT ? rpc !== 'OK' : RPC_SERVER_ERRORS.has(rpc)
  return Number(reader.ascii(STATUS) ?? 0) >= (kind === CLIENT ? 400 : 500)
}
