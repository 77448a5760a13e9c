/** Records as CEF 0 and LEEF 2.0. What a table does not name goes whole, as JSON text, into one field: no name comes from traffic. */
import type { Output } from '../../../lib/protobuf/mod.ts'
import { MemberPicker } from '../../../lib/record/mod.ts'
import { timeMs } from '../delivery/mod.ts'
import { ownLineArea } from '../own-line-area.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { kindOf, messageOf, textOf } from './message-text.ts'

type Json = Record<string, unknown>
/** Name in docs/fields.md, and the key that it gets when the value, a text or a number, is fit for it. */
type Entry = readonly [from: string, to: string, fit?: 'ipv4' | 'ip']

const VERSION = '1'
const isIpv4 = (value: unknown): boolean => typeof value === 'string' && /^\d{1,3}(?:\.\d{1,3}){3}$/.test(value)
const isIp = (value: unknown): boolean => typeof value === 'string' && (isIpv4(value) || /^[0-9a-f:.]*:[0-9a-f:.]*$/.test(value))

/** Of both. */
const SHARED: readonly Entry[] = [['network.transport', 'proto'], ['event.reason', 'reason']]

/** CEF's dictionary, revision 25: `src` and `dst` are IPv4 addresses. */
export const CEF: readonly Entry[] = [
  ...SHARED, ['client.address', 'src', 'ipv4'], ['client.port', 'spt'], ['server.address', 'dst', 'ipv4'], ['server.port', 'dpt'],
  ['url.domain', 'dhost'], ['url.path', 'request'], ['http.request.method', 'requestMethod'],
  ['user_agent.original', 'requestClientApplication'], ['event.name', 'act'], ['network.protocol.name', 'app'],
  ['http.response.status_code', 'cn1'],
]

/** LEEF's predefined attributes, and names of our own where it has none. */
export const LEEF: readonly Entry[] = [
  ...SHARED, ['client.address', 'src', 'ip'], ['client.port', 'srcPort'], ['server.address', 'dst', 'ip'], ['server.port', 'dstPort'],
  ['url.domain', 'domain'], ['url.path', 'url'], ['http.request.method', 'method'], ['user_agent.original', 'userAgent'],
  ['event.name', 'action'], ['http.response.status_code', 'status'],
]

/**
 * Appends `CEF:0|...`: `|` and `\` of the header, `=`, `\` and line breaks of values escaped as its specification says; other control
 * characters, which it has no escape for, are written as text, `\u001b`.
 *
 * @param severity of syslog, 0 to 7
 */
export function writeCef(record: SpooledRecord, severity: number, out: Output): void {
  const { pairs, rest, kind } = mapped(record, CEF)
  const name = visible(nameOf(kind, pairs)).replace(/[\\|]/g, '\\$&')
  const time = timeMs(record.line)
  const began = time === undefined ? '' : `rt=${Math.floor(time)} `
  let text = `CEF:0|Lintel|lintel|${VERSION}|${kind}|${name}|${rank(severity)}|${began}externalId=${record.id}`
  for (const [key, value] of pairs) text += ` ${key}=${cefValue(value)}`
  if (pairs.some(([key]) => key === 'cn1')) text += ' cn1Label=status'
  out.text(`${text} cs1Label=record cs1=`)
  if (!ownLineArea().isPrintable(rest)) return out.text(cefValue(rest.toString()))
  out.reserve(rest.length * 2)
  out.at = ownLineArea().escape(rest, out.bytes, out.at, EQUALS)
}

const EQUALS = 0x3d

function nameOf(kind: string, pairs: Mapped['pairs']): string {
  const value = (key: string): string | undefined => pairs.find(([found]) => found === key)?.[1]
  return messageOf({
    kind, method: value('requestMethod'), domain: value('dhost'), path: value('request'), status: value('cn1'), event: value('act'),
  })
}

/**
 * Appends `LEEF:2.0|...` with tabs between attributes. LEEF has no escapes: control characters, the tab among them, are written as
 * `\u0009`.
 *
 * @param severity of syslog, 0 to 7
 */
export function writeLeef(record: SpooledRecord, severity: number, out: Output): void {
  const { pairs, rest, kind } = mapped(record, LEEF)
  const time = timeMs(record.line)
  const began = time === undefined ? '' : `devTime=${Math.floor(time)}\t`
  let text = `LEEF:2.0|Lintel|lintel|${VERSION}|${kind}|x09|${began}sev=${rank(severity)}\tid=${record.id}`
  for (const [key, value] of pairs) text += `\t${key}=${visible(value)}`
  out.text(`${text}\trecord=`)
  if (ownLineArea().isPrintable(rest)) out.append(rest)
  else out.text(visible(rest.toString()))
}

/** 0 to 10, as SIEMs count. */
function rank(severity: number): number {
  return severity <= 3 ? 8 : severity === 4 ? 5 : 2
}

const CEF_ESCAPED = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\\=]/g

function cefValue(text: string): string {
  return text.replace(CEF_ESCAPED, char => {
    if (char === '\n') return '\\n'
    if (char === '\r') return '\\r'
    return `\\${char === '=' || char === '\\' ? char : escaped(char)}` // the backslash of `\u001b` is escaped as any other
  })
}

/** Control characters (C0, DEL, C1) and the line breaks of Unicode as text. */
function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, escaped)
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}

export interface Mapped {
  readonly pairs: [key: string, value: string][]
  /** The record without them, as JSON: good until the next line is taken apart. */
  readonly rest: Buffer
  readonly kind: string
}

const pickers = new Map<readonly Entry[], MemberPicker>()

/** What of a line gets a key, in the order of the table. */
export function mapped({ line }: SpooledRecord, table: readonly Entry[]): Mapped {
  let picker = pickers.get(table)
  if (picker === undefined) {
    picker = new MemberPicker(ownLineArea(), table.map(([name, , fit]) => ({ name, fit: fit ?? 'word' })))
    pickers.set(table, picker)
  }
  if (!picker.pick(line)) return mappedPlainly(line, table)
  const pairs: [string, string][] = []
  for (const [slot, [, to]] of table.entries()) {
    const json = picker.json(slot)
    if (json !== undefined) pairs.push([to, textOf(json)])
  }
  return { pairs, rest: picker.restBytes, kind: kindOf(line) ?? 'record' }
}

/** The plain way, that takes any JSON. */
export function mappedPlainly(line: Buffer, table: readonly Entry[]): Mapped {
  const record = JSON.parse(line.toString()) as Json
  const kind = typeof record['kind'] === 'string' && /^[a-z]+$/.test(record['kind']) ? record['kind'] : 'record'
  const pairs: [string, string][] = []
  for (const [from, to, fit] of table) {
    const value = taken(record, from.split('.'), fit === undefined ? () => true : fit === 'ip' ? isIp : isIpv4)
    if (value !== undefined) pairs.push([to, String(value)])
  }
  return { pairs, rest: Buffer.from(JSON.stringify(record)), kind }
}

/** Takes a text or number out of the record, and the objects that are empty then. */
function taken(at: Json, [key, ...below]: readonly string[], isFit: (value: unknown) => boolean): unknown {
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
