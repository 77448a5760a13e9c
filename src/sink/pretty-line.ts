import { styleText, stripVTControlCharacters } from 'node:util'

type Style = Parameters<typeof styleText>[0]
/** Paints text; the identity when colours are off. */
export type Paint = (style: Style, text: string) => string

/** Colours for this stream: none when it is no terminal or NO_COLOR is set (https://no-color.org). */
export function paintFor(stream: NodeJS.WritableStream): Paint {
  return (style, text) => styleText(style, text, { stream, validateStream: true })
}

export const plain: Paint = (_style, text) => text

type Json = Record<string, unknown>

/** One record as one line for people, without LF, at most `width` columns wide when `width` is given. */
export function prettyLine(record: Json, paint: Paint, width?: number): string {
  const clock = timeOfDay(text(record, 'time'))
  const kind = text(record, 'kind')
  if (kind === 'exchange') return exchangeLine(record, clock, paint, width)
  const head = `${paint('dim', clock)} ${paint('magenta', kind)} `
  const room = width === undefined ? Infinity : Math.max(10, width - clock.length - kind.length - 2)
  return head + cut(otherDetail(record, kind), room)
}

function exchangeLine(record: Json, clock: string, paint: Paint, width: number | undefined): string {
  const client = text(record, 'client', 'real_address') || text(record, 'client', 'address')
  const method = text(record, 'http', 'request', 'method_original') || text(record, 'http', 'request', 'method') ||
    text(record, 'message', 'request', 'method') || '-'
  const status = number(record, 'http', 'response', 'status_code')
  const statusText = status === undefined ? text(record, 'message', 'response', 'status') || '---' : String(status)
  const ms = number(record, 'duration')
  const bytes = number(record, 'http', 'response', 'body', 'size') ?? number(record, 'message', 'response', 'body', 'size')
  const odd = oddities(record)
  const fixed = [clock, cut(client, 39).padEnd(15), cut(method, 8).padEnd(7), cut(statusText, 12),
    (ms === undefined ? '-' : seconds(ms)).padStart(7), (bytes === undefined ? '-' : size(bytes)).padStart(7)] as const
  const used = fixed.reduce((sum, part) => sum + part.length + 1, 0)
  const room = width === undefined ? Infinity : Math.max(12, width - used)
  const oddText = cut(odd, Math.min(room / 2, 80))
  const target = cut(targetOf(record), room - (oddText === '' ? 0 : oddText.length + 1))
  return [
    paint('dim', fixed[0]), fixed[1], paint('bold', fixed[2]), paint(statusStyle(status), fixed[3]), paint('dim', fixed[4]),
    paint('dim', fixed[5]), target, ...(oddText === '' ? [] : [paint('yellow', oddText)]),
  ].join(' ')
}

function targetOf(record: Json): string {
  const query = text(record, 'url', 'query')
  const target = text(record, 'url', 'domain') + text(record, 'url', 'path') + text(record, 'message', 'request', 'path') +
    (query === '' ? '' : `?${query}`)
  return target === '' ? '-' : target
}

/** Anomalies by name, then what is cut, missing or unknown. */
function oddities(record: Json): string {
  const anomalies = Array.isArray(record['anomalies']) ? record['anomalies'].map(String) : []
  const marks = record['marks']
  const reasons = typeof marks === 'object' && marks !== null ? [...new Set(Object.values(marks).map(String))] : []
  const names = [...anomalies, ...reasons].map(clean)
  return names.length === 0 ? '' : `! ${names.join(', ')}`
}

function otherDetail(record: Json, kind: string): string {
  const event = text(record, 'event', 'name')
  const reason = text(record, 'event', 'reason')
  const count = number(record, 'event', 'count')
  const from = endpoint(record, kind === 'packet' ? 'source' : 'client')
  const to = endpoint(record, kind === 'packet' ? 'destination' : 'server')
  const flags = text(record, 'tcp', 'flags')
  const code = number(record, 'websocket', 'close_code')
  const version = text(record, 'tls', 'protocol', 'version')
  const tls = [text(record, 'tls', 'client', 'server_name'), version === '' ? '' : `TLS ${version}`, text(record, 'tls', 'client', 'ja4')]
  return [event, code === undefined ? '' : String(code), from === '' ? '' : `${from} > ${to}`, text(record, 'network', 'transport'),
    flags, ...(kind === 'handshake' ? tls : []),
    reason === '' ? '' : `(${reason})`, count === undefined || count === 1 ? '' : `x${count}`]
    .filter(part => part !== '').join(' ')
}

function endpoint(record: Json, side: string): string {
  const address = text(record, side, 'address')
  const port = number(record, side, 'port')
  if (address === '') return ''
  return port === undefined ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function statusStyle(status: number | undefined): Style {
  if (status === undefined) return 'dim'
  if (status >= 500) return 'red'
  if (status >= 400) return 'yellow'
  return status >= 300 ? 'cyan' : 'green'
}

/** `0.34ms`, `12ms`, `1.52s`, `125s`: seven columns at most. */
function seconds(value: number): string {
  const ms = value * 1000
  if (ms < 10) return `${ms.toFixed(2)}ms`
  if (ms < 1000) return `${ms.toFixed(0)}ms`
  return ms < 100_000 ? `${value.toFixed(2)}s` : `${Math.round(value)}s`
}

/** `0`, `340`, `12.1K`, `3.4M`. */
function size(bytes: number): string {
  if (bytes < 1024) return String(bytes)
  const step = bytes < 1024 ** 2 ? 1 : bytes < 1024 ** 3 ? 2 : 3
  return `${(bytes / 1024 ** step).toFixed(1)}${'KMG'[step - 1]}`
}

/** The clock of the reader's time zone, with milliseconds. */
function timeOfDay(time: string): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return '--:--:--.---'
  const two = (value: number) => String(value).padStart(2, '0')
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`
}

function value(record: Json, path: readonly string[]): unknown {
  let at: unknown = record
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Json)[key]
  }
  return at
}

function number(record: Json, ...path: string[]): number | undefined {
  const found = value(record, path)
  return typeof found === 'number' ? found : undefined
}

function text(record: Json, ...path: string[]): string {
  const found = value(record, path)
  return typeof found === 'string' ? clean(found) : ''
}

/**
 * Text from traffic made safe for a terminal: escape sequences are taken out, every other control character, bidirectional override and
 * zero-width character is shown as its code, so that a header cannot move the cursor or forge a line.
 */
export function clean(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value
  return stripVTControlCharacters(value).replaceAll(UNSAFE, character => {
    const code = character.codePointAt(0) ?? 0
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

// C0, DEL, C1, line and paragraph separators, format characters (bidi, zero width, tags), lone surrogates, private use.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu

/** At most `columns` columns of a terminal; what is cut ends in an ellipsis. */
export function cut(value: string, columns: number): string {
  if (value.length * 2 <= columns) return value
  let width = 0
  let end = 0
  for (const { segment, index } of SEGMENTS.segment(value.slice(0, 4096))) {
    const wide = WIDE.test(segment) ? 2 : 1
    if (width + wide > columns - 1) {
      const rest = value.length - index
      return rest === segment.length && width + wide <= columns ? value : `${value.slice(0, end)}…`
    }
    width += wide
    end = index + segment.length
  }
  return end === value.length ? value : `${value.slice(0, end)}…`
}

const SEGMENTS = new Intl.Segmenter('en', { granularity: 'grapheme' })
// East Asian wide and emoji, near enough for cutting a line.
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u
