import { Output } from '../../../../lib/protobuf/mod.ts'
import type { RecordReader } from './record-reader.ts'
import { slot } from './slots.ts'
import { carriedSpanId, carriedTraceId, madeSpanId, madeTraceId, SPAN_BYTES, TRACE_BYTES } from './span-ids.ts'

const [KIND, EVENT, METHOD, STATUS, DOMAIN, PATH, SAMPLED] = [
  slot('kind'), slot('event.name'), slot('http.request.method'), slot('http.response.status_code'), slot('url.domain'), slot('url.path'),
  slot('trace.sampled'),
] as const
const [ANOMALY, TRUE] = [Buffer.from('anomaly'), Buffer.from('true')] as const
const UID = Buffer.concat([Buffer.from([0x0a, 14]), Buffer.from('log.record.uid')])
const SPACE = 0x20

const INFO = 9
const WARN = 13
const ERROR = 17
/** Everything but body and attributes takes less. */
const ROOM = 512

/** What a record's log is part of: see `writeLog`. */
export interface LogContext {
  /** Id of the record. */
  readonly id: string
  /** Ids made of it, where a span of the record is sent too: the log is that span's then. */
  readonly made: Buffer | undefined
  /** What `timeOf` says of it. */
  readonly time: bigint | undefined
  /** When it is sent, in nanoseconds: for records without a time. */
  readonly now: bigint
}

const body = new Output(1024)
const EMPTY = Buffer.from('record')

/**
 * Appends a LogRecord, without tag and length: time and the time of observation are the record's, severity follows the status, the
 * body is a line for people, the event's name is `lintel.` and the kind, attributes are the record's fields and `log.record.uid`.
 */
export function writeLog(reader: RecordReader, { id, made, time, now }: LogContext, out: Output): void {
  const { attributes } = reader
  writeBody(reader)
  out.reserve(attributes.length + body.at + ROOM)
  if (time !== undefined && time !== 0n) {
    out.byte(0x09) // time_unix_nano = 1
    out.fixed64(time)
  }
  out.byte(0x10) // severity_number = 2
  out.byte(severity(reader))
  out.byte(0x2a) // body = 5, its string_value = 1
  writeText(body.view, out)
  out.copy(attributes, 0, attributes.length) // attributes = 6
  out.byte(0x32)
  out.byte(UID.length + 4 + id.length) // ids are of some 30 characters
  out.copy(UID, 0, UID.length)
  out.byte(0x12)
  writeText(Buffer.from(id, 'latin1'), out)
  writeTrace(reader, made, out)
  out.byte(0x59) // observed_time_unix_nano = 11
  out.fixed64(time === undefined || time === 0n ? now : time)
  const kind = reader.ascii(KIND)
  if (kind !== undefined) {
    out.byte(0x62) // event_name = 12
    out.varint(7 + kind.length)
    out.at += out.bytes.write(`lintel.${kind}`, out.at, 'latin1')
  }
}

/** Length and AnyValue of a text. */
function writeText(text: Buffer, out: Output): void {
  const before = out.at
  out.byte(0x0a)
  out.varint(text.length)
  const bytes = out.at - before + text.length
  out.at = before
  out.varint(bytes)
  out.byte(0x0a)
  out.varint(text.length)
  out.copy(text, 0, text.length)
}

/** flags = 8, trace_id = 9, span_id = 10: of the span made of this record, else of the caller's. */
function writeTrace(reader: RecordReader, made: Buffer | undefined, out: Output): void {
  const before = out.at
  if (reader.is(SAMPLED, TRUE)) {
    out.byte(0x45)
    out.fixed32(1)
  }
  out.byte(0x4a)
  out.byte(TRACE_BYTES)
  if (!carriedTraceId(reader, out)) {
    if (made === undefined) {
      out.at = before
      return
    }
    madeTraceId(made, out)
  }
  const span = out.at
  out.byte(0x52)
  out.byte(SPAN_BYTES)
  if (made !== undefined) out.copy(madeSpanId(made), 0, SPAN_BYTES)
  else if (!carriedSpanId(reader, out)) out.at = span
}

function severity(reader: RecordReader): number {
  const status = Number(reader.ascii(STATUS) ?? 0)
  return status >= 500 ? ERROR : status >= 400 || reader.is(KIND, ANOMALY) ? WARN : INFO
}

/** As `messageText` has it: `GET shop.example/cart 200`, `handshake answered`; `websocket close` too. */
function writeBody(reader: RecordReader): void {
  body.at = 0
  const isHttp = reader.has(METHOD) || reader.has(STATUS)
  if (isHttp) {
    word(reader, METHOD)
    word(reader, DOMAIN, PATH)
    word(reader, STATUS)
  } else {
    word(reader, KIND)
  }
  word(reader, EVENT)
  if (body.at === 0) body.copy(EMPTY, 0, EMPTY.length)
}

function word(reader: RecordReader, ...parts: readonly number[]): void {
  const before = body.at
  body.reserve(1)
  if (before !== 0) body.byte(SPACE)
  const start = body.at
  for (const part of parts) reader.copyTo(body, part)
  if (body.at === start) body.at = before
}
