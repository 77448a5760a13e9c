import { MemberPicker } from '../../../lib/record/mod.ts'
import { ownLineArea } from '../own-line-area.ts'

// The line is not parsed: its members are picked out of it, and its beginning is known.
const KIND = /^\{"kind":"([a-z]{1,32})"/
const KIND_BYTES = 48

/** Kind of the record, with which a line begins; undefined where that field is not logged. */
export function kindOf(line: Buffer): string | undefined {
  return KIND.exec(line.toString('latin1', 0, KIND_BYTES))?.[1]
}

const MEMBERS = ['http.request.method', 'url.domain', 'url.path', 'http.response.status_code', 'event.name'] as const
const STATUS = MEMBERS.indexOf('http.response.status_code')
let picker: MemberPicker | undefined
/** What was picked last: a record's text and its status are asked for one after the other. */
let lastLine: Buffer | undefined
let isPicked = false

/** A line for people about a record, for servers that show one: `GET shop.example/cart 200`, `handshake answered`. */
export function messageText(line: Buffer): string {
  const [method, domain, path, status, event] = MEMBERS.map((_, member) => textOf(jsonOf(line, member)))
  return messageOf({ kind: kindOf(line), method, domain, path, status, event })
}

/** What a line for people is made of, as texts. */
export interface MessageParts {
  readonly kind: string | undefined
  readonly method: string | undefined
  readonly domain: string | undefined
  readonly path: string | undefined
  readonly status: string | undefined
  readonly event: string | undefined
}

/** The same of a record that was taken apart already. */
export function messageOf({ kind, method, domain, path, status, event }: MessageParts): string {
  const isHttp = method !== undefined || domain !== undefined || path !== undefined || status !== undefined
  const words = isHttp ? [method, `${domain ?? ''}${path ?? ''}`, status, event] : [kind, event]
  return words.filter(word => word !== undefined && word !== '').join(' ') || 'record'
}

/** Status of the answer; undefined where there is none. */
export function statusOf(line: Buffer): number | undefined {
  const json = jsonOf(line, STATUS)
  return json === undefined ? undefined : Number(json)
}

/** A text or a number of a record, of its JSON. */
export function textOf(json: string): string
export function textOf(json: string | undefined): string | undefined
export function textOf(json: string | undefined): string | undefined {
  if (json === undefined || !json.startsWith('"')) return json
  return json.includes('\\') ? JSON.parse(json) as string : json.slice(1, -1)
}

/** JSON of one of MEMBERS; undefined where it is not there, and of a line in another form than the encoder's. */
function jsonOf(line: Buffer, member: number): string | undefined {
  const area = ownLineArea()
  const found = picker ??= new MemberPicker(area, MEMBERS.map(name => ({ name, fit: 'word' as const })))
  if (line !== lastLine) {
    lastLine = line
    isPicked = found.pick(line)
  }
  return isPicked && found.has(member) ? line.toString('utf8', found.start(member) - area.line, found.end(member) - area.line) : undefined
}
