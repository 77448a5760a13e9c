/** Records in InfluxDB's line protocol: https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/ */
import { timeNanoseconds } from '../delivery/mod.ts'
import type { SpooledRecord } from '../spool/mod.ts'

/** Fields that are fractions of seconds: a field has one type for good, so that a whole second must not become an integer. */
export const FLOAT_FIELDS: ReadonlySet<string> = new Set(['duration', 'time_to_first_byte', 'rpc.deadline', 'tcp.handshake_duration'])

/** Objects whose keys come from traffic, or are many: one field each, of JSON text. Nothing from traffic becomes the name of a field. */
export const JSON_FIELDS: ReadonlySet<string> = new Set([
  'http.request.header', 'http.request.trailer', 'http.response.header', 'http.response.trailer', 'message.request.header',
  'message.response.header', 'marks',
])

const HEADERS = new Set(['http.request.header', 'http.response.header'])
/** Of the tags that come from records; what is anything else becomes OTHER, so that they have few values and need no escapes. */
const TAG_VALUE = /^[A-Za-z0-9_-]{1,32}$/
const OTHER = '_OTHER'

const [QUOTE, COMMA, NINE, OPEN_LIST, OPEN, CLOSE] = [0x22, 0x2c, 0x39, 0x5b, 0x7b, 0x7d]
/** A text, a list, an object without objects in it, or a word. */
const VALUE = /"(?:[^"\\]|\\.)*"|\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\]|\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\}|[a-z0-9.+-]+/y

/** Digits of the nanoseconds that the record's number takes the place of: it tells records of one millisecond apart, but for every millionth. */
const NUMBER_DIGITS = 6

export interface LineOptions {
  readonly measurement: string
  /** Of every line; checked: no control characters, no backslash. */
  readonly tags: Readonly<Record<string, string>>
  /** Lower-case names of headers that have a field of their own, beside that of all headers. */
  readonly headerFields: readonly string[]
}

/** Makes a line of each record. The record is read once, from its text to that of the line: parsing it would cost three times as much. */
export class LineProtocol {
  readonly #start: string
  readonly #headerFields: readonly string[]
  /** Of the record at hand. */
  #text = ''
  #at = 0
  #tags = ''
  #fields = ''
  #sequence: number | undefined

  constructor({ measurement, tags, headerFields }: LineOptions) {
    const own = Object.entries(tags).sort(([a], [b]) => a < b ? -1 : 1).map(([key, value]) => `,${escapeName(key)}=${escapeName(value)}`)
    this.#start = `${measurement.replaceAll(/[, ]/g, '\\$&')}${own.join('')}`
    this.#headerFields = headerFields
  }

  /** The record as a line, ended by LF. Tags: those given, kind, method, status_code; everything else is a field. */
  line(record: SpooledRecord): string {
    this.#text = record.line.toString()
    this.#at = 0
    this.#tags = this.#fields = ''
    this.#sequence = undefined
    this.#object('')
    return `${this.#start}${this.#tags} id="${record.id}"${this.#fields} ${timestamp(record, this.#sequence)}\n`
  }

  /** The object that begins at `#at`; goes on behind it. */
  #object(prefix: string): void {
    const text = this.#text
    for (this.#at++; text.charCodeAt(this.#at) !== CLOSE;) {
      if (text.charCodeAt(this.#at) === COMMA) this.#at++
      const end = text.indexOf('"', this.#at + 1) // names of fields have no escapes
      const name = prefix + text.slice(this.#at + 1, end)
      this.#at = end + 2
      if (text.charCodeAt(this.#at) === OPEN && !JSON_FIELDS.has(name)) this.#object(`${name}.`)
      else this.#member(name, this.#value())
    }
    this.#at++
  }

  /** The text of the value at `#at`; goes on behind it. */
  #value(): string {
    if (this.#text.charCodeAt(this.#at) === QUOTE) { // most are; faster than the expression
      const end = this.#text.indexOf('"', this.#at + 1)
      const value = this.#text.slice(this.#at, end + 1)
      if (!value.includes('\\')) {
        this.#at = end + 1
        return value
      }
    }
    VALUE.lastIndex = this.#at
    const value = VALUE.exec(this.#text)?.[0]
    if (value === undefined) throw new SyntaxError(`Cannot read a record at character ${this.#at}: it is no JSON of a record`)
    this.#at += value.length
    return value
  }

  #member(name: string, json: string): void {
    switch (name) {
      case 'kind': this.#tags += tag('kind', json); return
      case 'time': this.#fields += `,time_text=${json}`; return
      case 'http.request.method': this.#tags += tag('method', json); break
      case 'http.response.status_code': this.#tags += tag('status_code', json); break
      case 'event.sequence': this.#sequence = Number(json); break
    }
    const first = json.charCodeAt(0)
    if (first === QUOTE) this.#fields += `,${name}=${json.includes('\\') ? quoted(JSON.parse(json) as string) : json}`
    else if (first === OPEN || first === OPEN_LIST) this.#fields += `,${name}=${quotedJson(json)}${this.#headers(name, json)}`
    else if (json !== 'null') this.#fields += `,${name}=${json}${isInteger(name, json) ? 'i' : ''}`
  }

  /** Several values of a name as one, RFC 9110 5.3; as they came they stand in the field of all. */
  #headers(name: string, json: string): string {
    if (this.#headerFields.length === 0 || !HEADERS.has(name)) return ''
    const headers = JSON.parse(json) as Readonly<Record<string, readonly string[]>>
    return this.#headerFields.map(header => Object.hasOwn(headers, header)
      ? `,${name}.${header}=${quoted((headers[header] as readonly string[]).join(', '))}` : '').join('')
  }
}

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

/** @param json text or number */
function tag(name: string, json: string): string {
  const text = json.startsWith('"') ? json.slice(1, -1) : json
  return `,${name}=${TAG_VALUE.test(text) ? text : OTHER}`
}

function isInteger(name: string, json: string): boolean {
  return json.charCodeAt(0) <= NINE && !json.includes('.') && !json.includes('e') && !FLOAT_FIELDS.has(name)
}

/** Keys and values of tags. There is no escape for a backslash, which the config's check keeps out. */
function escapeName(text: string): string {
  return text.replaceAll(/[,= ]/g, '\\$&')
}

/** A string field: all bytes may stand in it as they are, but for the quote and the backslash. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}

/** A string field of JSON text: that has no control characters, so that JSON's own escapes are the two. */
function quotedJson(json: string): string {
  return JSON.stringify(json)
}
