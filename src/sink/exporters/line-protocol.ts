/** Records in InfluxDB's line protocol: https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/ */
import { timeNanoseconds } from '../delivery/mod.ts'
import type { SpooledRecord } from '../spool/mod.ts'

type Json = Readonly<Record<string, unknown>>

/** Fields that are fractions of seconds: a field has one type for good, so that a whole second must not become an integer. */
export const FLOAT_FIELDS: ReadonlySet<string> = new Set(['duration', 'time_to_first_byte', 'rpc.deadline', 'tcp.handshake_duration'])

/** Objects whose keys come from traffic, or are many: one field each, of JSON text. Nothing from traffic becomes the name of a field. */
export const JSON_FIELDS: ReadonlySet<string> = new Set([
  'http.request.header', 'http.request.trailer', 'http.response.header', 'http.response.trailer', 'message.request.header',
  'message.response.header', 'marks',
])

const HEADERS = ['http.request.header', 'http.response.header']
/** Of the tags that come from records; what is anything else becomes OTHER, so that they have few values and need no escapes. */
const TAG_VALUE = /^[A-Za-z0-9_-]{1,32}$/
const OTHER = '_OTHER'

/** Nanoseconds of a time that the record's number takes the place of. */
const NUMBER_DIGITS = 3

export interface LineOptions {
  readonly measurement: string
  /** Of every line; checked: no control characters, no backslash. */
  readonly tags: Readonly<Record<string, string>>
  /** Lower-case names of headers that have a field of their own, beside that of all headers. */
  readonly headerFields: readonly string[]
}

/** Makes a line of each record. */
export class LineProtocol {
  readonly #start: string
  readonly #headerFields: readonly string[]

  constructor({ measurement, tags, headerFields }: LineOptions) {
    const own = Object.entries(tags).sort(([a], [b]) => a < b ? -1 : 1).map(([key, value]) => `,${escapeName(key)}=${escapeName(value)}`)
    this.#start = `${measurement.replaceAll(/[, ]/g, '\\$&')}${own.join('')}`
    this.#headerFields = headerFields
  }

  /** The record as a line, ended by LF. Tags: those given, kind, method, status_code; everything else is a field. */
  line(record: SpooledRecord): string {
    const json = JSON.parse(record.line.toString()) as Json
    const { kind, time, ...rest } = json
    const http = json['http'] as { readonly request?: Json, readonly response?: Json } | undefined
    const tags = tag('kind', kind) + tag('method', http?.request?.['method']) + tag('status_code', http?.response?.['status_code'])
    const told = time === undefined ? '' : `,time_text=${quoted(String(time))}`
    return `${this.#start}${tags} id="${record.id}"${told}${this.#fields(rest, '')} ${timestamp(record, json)}\n`
  }

  #fields(object: Json, prefix: string): string {
    let text = ''
    for (const key in object) {
      const name = prefix + key
      const value = object[key]
      if (JSON_FIELDS.has(name)) text += `,${name}=${quoted(JSON.stringify(value))}${this.#headers(value as Json, name)}`
      else if (typeof value === 'number') text += `,${name}=${value}${Number.isInteger(value) && !FLOAT_FIELDS.has(name) ? 'i' : ''}`
      else if (typeof value === 'string') text += `,${name}=${quoted(value)}`
      else if (typeof value === 'boolean') text += `,${name}=${value}`
      else if (Array.isArray(value)) text += `,${name}=${quoted(JSON.stringify(value))}`
      else if (value !== null) text += this.#fields(value as Json, `${name}.`)
    }
    return text
  }

  /** Several values of a name as one, RFC 9110 5.3; as they came they stand in the field of all. */
  #headers(headers: Json, name: string): string {
    if (this.#headerFields.length === 0 || !HEADERS.includes(name)) return ''
    return this.#headerFields.map(header => Object.hasOwn(headers, header)
      ? `,${name}.${header}=${quoted((headers[header] as readonly string[]).join(', '))}` : '').join('')
  }
}

/**
 * InfluxDB keeps one point for a time and set of tags: a second one takes its place. So that no record does that to another, the last
 * three digits of the nanoseconds are those of the record's number; sent again it has the same. The whole time is the field `time_text`.
 */
function timestamp({ id, line }: SpooledRecord, json: Json): string {
  const digits = timeNanoseconds(line) ?? `${Date.now()}000000`
  const sequence = (json['event'] as Json | undefined)?.['sequence']
  const number = typeof sequence === 'number' ? sequence : Number(id.slice(id.indexOf('-') + 1))
  return `${BigInt(digits.slice(0, -NUMBER_DIGITS))}${String(number % 10 ** NUMBER_DIGITS).padStart(NUMBER_DIGITS, '0')}`
}

function tag(name: string, value: unknown): string {
  if (value === undefined) return ''
  const text = String(value)
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
