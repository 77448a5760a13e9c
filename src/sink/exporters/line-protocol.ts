/** Records in InfluxDB's line protocol: https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/ */
import { Output } from '../../../lib/protobuf/mod.ts'
import { FieldCopier, type KnownField } from '../../../lib/record/mod.ts'
import { timeNanoseconds } from '../delivery/mod.ts'
import { ownLineArea } from '../own-line-area.ts'
import type { SpooledRecord } from '../spool/mod.ts'

/** Fields that are fractions of seconds: a field has one type for good, so that a whole second must not become an integer. */
export const FLOAT_FIELDS: ReadonlySet<string> = new Set(['duration', 'time_to_first_byte', 'rpc.deadline', 'tcp.handshake_duration'])

/** Objects whose keys come from traffic, or are many: one field each, of JSON text. Nothing from traffic becomes the name of a field. */
export const JSON_FIELDS: ReadonlySet<string> = new Set([
  'http.request.header', 'http.request.trailer', 'http.response.header', 'http.response.trailer', 'http.response.interim_header',
  'message.request.header', 'message.response.header', 'marks',
])

/** Of the tags that come from records; what is anything else becomes OTHER, so that they have few values and need no escapes. */
const TAG_VALUE = /^[A-Za-z0-9_-]{1,32}$/
const OTHER = '_OTHER'

const KNOWN: readonly KnownField[] = [
  { name: 'kind', isApart: true }, { name: 'time', isApart: true }, { name: 'http.request.method' }, { name: 'http.response.status_code' },
  { name: 'event.sequence' }, ...[...FLOAT_FIELDS].map(name => ({ name, isDouble: true })), ...[...JSON_FIELDS].map(name => ({ name, isJson: true })),
]
const place = (field: string): number => KNOWN.findIndex(({ name }) => name === field)
const [TIME, SEQUENCE] = [place('time'), place('event.sequence')]
const TAGS = [['kind', place('kind')], ['method', place('http.request.method')], ['status_code', place('http.response.status_code')]] as const
const HEADERS = ['http.request.header', 'http.response.header'].map(name => [name, place(name)] as const)
let copier: FieldCopier | undefined
/** A field is no longer than in the line but for its name, quotes and escapes; the rest of a line is. */
const ROOM = 1024

/** Digits of the nanoseconds that the record's number takes the place of: it tells records of one millisecond apart, but for every millionth. */
const NUMBER_DIGITS = 6

export interface LineOptions {
  readonly measurement: string
  /** Of every line; checked: no control characters, no backslash. */
  readonly tags: Readonly<Record<string, string>>
  /** Lower-case names of headers that have a field of their own, beside that of all headers. */
  readonly headerFields: readonly string[]
}

/** Makes a line of each record. The record is not parsed: its fields are copied from the one form into the other. */
export class LineProtocol {
  readonly #copier = copier ??= new FieldCopier(ownLineArea(), 'line', KNOWN)
  readonly #start: string
  readonly #headerFields: readonly string[]

  constructor({ measurement, tags, headerFields }: LineOptions) {
    const own = Object.entries(tags).sort(([a], [b]) => a < b ? -1 : 1).map(([key, value]) => `,${escapeName(key)}=${escapeName(value)}`)
    this.#start = `${measurement.replaceAll(/[, ]/g, '\\$&')}${own.join('')}`
    this.#headerFields = headerFields
  }

  /**
   * Appends each record as a line, ended by LF. Tags: those given, kind, method, status_code; everything else is a field.
   *
   * @throws {SyntaxError} for a line that is no record
   */
  lines(records: readonly SpooledRecord[]): Buffer {
    const out = new Output(records.reduce((sum, { line }) => sum + line.length * 2 + ROOM, 0))
    for (const record of records) this.#line(record, out)
    return out.view
  }

  #line(record: SpooledRecord, out: Output): void {
    const { line } = record
    if (!this.#copier.copy(line)) throw new SyntaxError(`Cannot send record ${record.id}: it is no JSON of a record`)
    const fields = this.#copier.bytes
    const time = this.#text(line, TIME)
    const sequence = this.#text(line, SEQUENCE)
    const tags = TAGS.map(([name, number]) => tag(name, this.#text(line, number))).join('')
    const head = `${this.#start}${tags} id="${record.id}"${time === undefined ? '' : `,time_text=${time}`}`
    const tail = `${this.#headers(line)} ${timestamp(record, sequence === undefined ? undefined : Number(sequence))}\n`
    out.reserve((head.length + tail.length) * UTF8_MAX + fields.length)
    out.at += out.bytes.write(head, out.at)
    out.copy(fields, 0, fields.length)
    out.at += out.bytes.write(tail, out.at)
  }

  /** A field's value as JSON. */
  #text(line: Buffer, number: number): string | undefined {
    const start = this.#copier.start(number)
    return start === 0 ? undefined : line.toString('utf8', start, this.#copier.end(number))
  }

  /** Several values of a name as one, RFC 9110 5.3; as they came they stand in the field of all. */
  #headers(line: Buffer): string {
    if (this.#headerFields.length === 0) return ''
    return HEADERS.map(([name, number]) => {
      const headers = JSON.parse(this.#text(line, number) ?? '{}') as Readonly<Record<string, readonly string[]>>
      return this.#headerFields.map(header => Object.hasOwn(headers, header)
        ? `,${name}.${header}=${quoted((headers[header] as readonly string[]).join(', '))}` : '').join('')
    }).join('')
  }
}

const UTF8_MAX = 3

/**
 * InfluxDB keeps one point for a time and set of tags: a second one takes its place. So that no record does that to another, the last
 * six digits of the nanoseconds are those of the record's number; sent again it has the same. The whole time is the field `time_text`.
 */
function timestamp({ id, line }: SpooledRecord, sequence: number | undefined): string {
  const digits = timeNanoseconds(line) ?? `${Date.now()}000000`
  const number = Number.isSafeInteger(sequence) ? sequence as number : Number(id.slice(id.indexOf('-') + 1))
  const kept = digits.slice(0, -NUMBER_DIGITS).replace(/^0+(?=.)/, '')
  return `${kept}${String(number % 10 ** NUMBER_DIGITS).padStart(NUMBER_DIGITS, '0')}`
}

/** @param json text or number; undefined = there is none */
function tag(name: string, json: string | undefined): string {
  if (json === undefined) return ''
  const text = json.startsWith('"') ? json.slice(1, -1) : json
  return `,${name}=${TAG_VALUE.test(text) ? text : OTHER}`
}

/** Keys and values of tags. There is no escape for a backslash, which the config's check keeps out. */
function escapeName(text: string): string {
  return text.replaceAll(/[,= ]/g, '\\$&')
}

/** A string field: all bytes may stand in it as they are, but for the quote and the backslash. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}
