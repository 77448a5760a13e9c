/** Records as CEF 0 and LEEF 2.0. What a table does not name goes whole, as JSON text, into one field: no name comes from traffic. */
import { timeMs } from '../delivery/mod.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { messageText } from './message-text.ts'

type Json = Record<string, unknown>
/** Name in docs/fields.md, and the key that it gets when the value is fit for it. */
type Entry = readonly [from: string, to: string, isFit?: (value: unknown) => boolean]

const VERSION = '1'
const isIpv4 = (value: unknown): boolean => typeof value === 'string' && /^\d{1,3}(?:\.\d{1,3}){3}$/.test(value)
const isIp = (value: unknown): boolean => typeof value === 'string' && (isIpv4(value) || /^[0-9a-f:.]*:[0-9a-f:.]*$/.test(value))

/** Of both. */
const SHARED: readonly Entry[] = [['network.transport', 'proto'], ['event.reason', 'reason']]

/** CEF's dictionary, revision 25: `src` and `dst` are IPv4 addresses. */
const CEF: readonly Entry[] = [
  ...SHARED, ['client.address', 'src', isIpv4], ['client.port', 'spt'], ['server.address', 'dst', isIpv4], ['server.port', 'dpt'],
  ['url.domain', 'dhost'], ['url.path', 'request'], ['http.request.method', 'requestMethod'],
  ['user_agent.original', 'requestClientApplication'], ['event.name', 'act'], ['network.protocol.name', 'app'],
  ['http.response.status_code', 'cn1'],
]

/** LEEF's predefined attributes, and names of our own where it has none. */
const LEEF: readonly Entry[] = [
  ...SHARED, ['client.address', 'src', isIp], ['client.port', 'srcPort'], ['server.address', 'dst', isIp], ['server.port', 'dstPort'],
  ['url.domain', 'domain'], ['url.path', 'url'], ['http.request.method', 'method'], ['user_agent.original', 'userAgent'],
  ['event.name', 'action'], ['http.response.status_code', 'status'],
]

/**
 * `CEF:0|...`: `|` and `\` of the header, `=`, `\` and line breaks of values escaped as its specification says; other control
 * characters, which it has no escape for, are written as text, `\u001b`.
 *
 * @param severity of syslog, 0 to 7
 */
export function cefBody(record: SpooledRecord, severity: number): string {
  const { pairs, rest, kind } = mapped(record, CEF)
  const name = visible(messageText(record.line)).replace(/[\\|]/g, '\\$&')
  const time = timeMs(record.line)
  const all: [string, string][] = time === undefined ? [] : [['rt', String(Math.floor(time))]]
  all.push(['externalId', record.id], ...pairs)
  if (pairs.some(([key]) => key === 'cn1')) all.push(['cn1Label', 'status'])
  all.push(['cs1Label', 'record'], ['cs1', rest])
  const text = all.map(([key, value]) => `${key}=${cefValue(value)}`).join(' ')
  return `CEF:0|Lintel|lintel|${VERSION}|${kind}|${name}|${rank(severity)}|${text}`
}

/**
 * `LEEF:2.0|...` with tabs between attributes. LEEF has no escapes: control characters, the tab among them, are written as `\u0009`.
 *
 * @param severity of syslog, 0 to 7
 */
export function leefBody(record: SpooledRecord, severity: number): string {
  const { pairs, rest, kind } = mapped(record, LEEF)
  const time = timeMs(record.line)
  const all: [string, string][] = time === undefined ? [] : [['devTime', String(Math.floor(time))]]
  all.push(['sev', String(rank(severity))], ['id', record.id], ...pairs, ['record', rest])
  const text = all.map(([key, value]) => `${key}=${visible(value)}`).join('\t')
  return `LEEF:2.0|Lintel|lintel|${VERSION}|${kind}|x09|${text}`
}

/** 0 to 10, as SIEMs count. */
function rank(severity: number): number {
  return severity <= 3 ? 8 : severity === 4 ? 5 : 2
}

function cefValue(text: string): string {
  const lines = text.split(/(\r|\n)/)
  return lines.map(part => part === '\n' ? '\\n' : part === '\r' ? '\\r' : visible(part).replace(/[\\=]/g, '\\$&')).join('')
}

/** Control characters (C0, DEL, C1) and the line breaks of Unicode as text. */
function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function mapped({ line }: SpooledRecord, table: readonly Entry[]): { pairs: [string, string][], rest: string, kind: string } {
  const record = JSON.parse(line.toString()) as Json
  const kind = /^[a-z]+$/.test(String(record['kind'])) ? String(record['kind']) : 'record'
  const pairs: [string, string][] = []
  for (const [from, to, isFit] of table) {
    const value = taken(record, from.split('.'), isFit)
    if (value !== undefined) pairs.push([to, String(value)])
  }
  return { pairs, rest: JSON.stringify(record), kind }
}

/** Takes a text or number out of the record, and the objects that are empty then. */
function taken(at: Json, [key, ...below]: readonly string[], isFit: (value: unknown) => boolean = () => true): unknown {
  const value = at[key as string]
  if (below.length > 0) {
    if (typeof value !== 'object' || value === null) return undefined
    const found = taken(value as Json, below, isFit)
    if (found !== undefined && Object.keys(value).length === 0) delete at[key as string]
    return found
  }
  if ((typeof value !== 'string' && typeof value !== 'number') || !isFit(value)) return undefined
  delete at[key as string]
  return value
}
