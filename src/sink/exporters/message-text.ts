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

/** A line for people about a record, for servers that show one: `GET shop.example/cart 200`, `handshake answered`. */
export function messageText(line: Buffer): string {
  const picked = pickedOf(line)
  if (picked === undefined) return kindOf(line) ?? 'record'
  const [method, domain, path, status, event] = MEMBERS.map((_, member) => textOf(picked.json(member)))
  const isHttp = method !== undefined || domain !== undefined || path !== undefined || status !== undefined
  const words = isHttp ? [method, `${domain ?? ''}${path ?? ''}`, status, event] : [kindOf(line), event]
  return words.filter(word => word !== undefined && word !== '').join(' ') || 'record'
}

/** Status of the answer; undefined where there is none. */
export function statusOf(line: Buffer): number | undefined {
  const json = pickedOf(line)?.json(STATUS)
  return json === undefined ? undefined : Number(json)
}

/** A text or a number of a record, of its JSON. */
export function textOf(json: string): string
export function textOf(json: string | undefined): string | undefined
export function textOf(json: string | undefined): string | undefined {
  if (json === undefined || !json.startsWith('"')) return json
  return json.includes('\\') ? JSON.parse(json) as string : json.slice(1, -1)
}

/** Undefined for a line in another form than the encoder's. */
function pickedOf(line: Buffer): MemberPicker | undefined {
  picker ??= new MemberPicker(ownLineArea(), MEMBERS.map(name => ({ name, fit: 'word' as const })))
  return picker.pick(line) ? picker : undefined
}
