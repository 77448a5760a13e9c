/** Records as events of the Open Cybersecurity Schema Framework. What it has no name for stands in `unmapped`, in our names. */
import { MemberPicker } from '../../../lib/record/mod.ts'
import { timeMs } from '../delivery/mod.ts'
import { ownLineArea } from '../own-line-area.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { kindOf, messageText, statusOf, textOf } from './message-text.ts'

/** https://schema.ocsf.io/1.7.0 */
export const OCSF_VERSION = '1.7.0'
/** Connection info has one always, 0 = unknown. */
const DIRECTION = ',"direction_id":'
const PRODUCT = '"product":{"name":"lintel","vendor_name":"Lintel"}'

type Group = '' | 'metadata' | 'src_endpoint' | 'dst_endpoint' | 'connection_info' | 'traffic' | 'tls' | 'url' | 'http_request' | 'http_response'

interface Entry {
  /** Name in docs/fields.md. */
  readonly from: string
  readonly group: Group
  /** Name within the group; with `!`, also what a group of its class cannot be without. */
  readonly key: string
  /** JSON of ours to JSON of theirs; undefined = theirs has no room for it. */
  readonly as?: ((json: string) => string | undefined) | undefined
  /** Stands in `unmapped` as well: theirs is less exact. */
  readonly stays?: boolean
}

/** HTTP Activity's activity_id. */
const METHODS: Readonly<Record<string, number>> = { CONNECT: 1, DELETE: 2, GET: 3, HEAD: 4, OPTIONS: 5, POST: 6, PUT: 7, TRACE: 8, PATCH: 9 }
const OTHER = 99
const DIRECTIONS: Readonly<Record<string, string>> = { '"receive"': '1', '"transmit"': '2' }
const VERSIONS: Readonly<Record<string, string>> = { '"ipv4"': '4', '"ipv6"': '6' }

const entry = (from: string, group: Group, key: string, as?: Entry['as'], stays = false): Entry => ({ from, group, key, as, stays })
const quoted = (json: string): string => json.startsWith('"') ? json : `"${json}"`

/** The table: a field that is not in it stays in `unmapped`. */
export const OCSF: readonly Entry[] = [
  entry('duration', '', 'duration', json => String(Math.round(Number(json) * 1000)), true),
  entry('network.protocol.name', '', 'app_name'),
  entry('event.sequence', 'metadata', 'sequence'), entry('event.name', 'metadata', 'event_code'), entry('trace.id', 'metadata', 'correlation_uid'),
  ...(['client', 'server'] as const).flatMap((end, index) => {
    const group = index === 0 ? 'src_endpoint' : 'dst_endpoint'
    return [entry(`${end}.address`, group, 'ip!'), entry(`${end}.port`, group, 'port')]
  }),
  entry('network.io.direction', 'connection_info', 'direction_id', json => DIRECTIONS[json]),
  entry('network.type', 'connection_info', 'protocol_ver_id', json => VERSIONS[json]),
  entry('network.transport', 'connection_info', 'protocol_name'), entry('network.connection.id', 'connection_info', 'uid', quoted),
  entry('connection.client.bytes', 'traffic', 'bytes_out'), entry('connection.server.bytes', 'traffic', 'bytes_in'),
  entry('connection.client.packets', 'traffic', 'packets_out'), entry('connection.server.packets', 'traffic', 'packets_in'),
  entry('connection.lost_bytes', 'traffic', 'bytes_missed'),
  entry('tls.protocol.version', 'tls', 'version!'), entry('tls.cipher', 'tls', 'cipher'), entry('tls.client.server_name', 'tls', 'sni'),
  entry('url.path', 'url', 'path!'), entry('url.scheme', 'url', 'scheme'), entry('url.domain', 'url', 'hostname'),
  entry('url.query', 'url', 'query_string'),
  entry('http.request.method', 'http_request', 'http_method', json => METHODS[textOf(json)] === undefined ? undefined : json),
  entry('user_agent.original', 'http_request', 'user_agent'), entry('network.protocol.version', 'http_request', 'version'),
  entry('request.id', 'http_request', 'uid'), entry('http.request.body.size', 'http_request', 'body_length'),
  entry('http.request.header', 'http_request', 'http_headers', headerList),
  entry('http.response.status_code', 'http_response', 'code!'), entry('http.response.reason_phrase', 'http_response', 'status'),
  entry('http.response.body.size', 'http_response', 'body_length'), entry('http.response.header', 'http_response', 'http_headers', headerList),
]
const slotOf = (name: string): number => OCSF.findIndex(({ from }) => from === name)
const [METHOD, STATUS, CLIENT, SERVER] = ['http.request.method', 'http.response.status_code', 'client.address', 'server.address'].map(slotOf) as
  [number, number, number, number]

interface Place {
  readonly entry: Entry
  readonly slot: number
  /** `"key":` */
  readonly head: string
}

interface GroupPlan { readonly group: Group, readonly places: readonly Place[], readonly needed: number }

/** In the order in which they are written: a url is put into the request that follows it. */
const PLANS: readonly GroupPlan[] = [...new Set(OCSF.map(({ group }) => group))].map(group => {
  const places = OCSF.map((each, slot) => ({ entry: each, slot, head: `"${each.key.replace('!', '')}":` }))
    .filter(({ entry: each }) => each.group === group)
  return { group, places, needed: places.find(({ entry: { key } }) => key.endsWith('!'))?.slot ?? -1 }
})

interface EventClass { readonly uid: number, readonly category: number, readonly groups: ReadonlySet<Group> }

const NETWORK: readonly Group[] = ['', 'metadata', 'src_endpoint', 'dst_endpoint', 'connection_info', 'traffic', 'tls', 'url']
const BASE_EVENT: EventClass = { uid: 0, category: 0, groups: new Set<Group>(['metadata']) }
const NETWORK_ACTIVITY: EventClass = { uid: 4001, category: 4, groups: new Set(NETWORK) }
const HTTP_ACTIVITY: EventClass = { uid: 4002, category: 4, groups: new Set<Group>([...NETWORK, 'http_request', 'http_response']) }
/** Network Activity's activity_id; what is not in it is traffic. */
const NETWORK_ACTIVITIES: Readonly<Record<string, number>> = { connection: 2, handshake: 1 }
const TRAFFIC = 6

let picker: MemberPicker | undefined

/**
 * An event: HTTP Activity (4002) of what has a method or a status, Network Activity (4001) of what else has an address, Base Event
 * of the rest, and of a line that is not in the encoder's form. `metadata.uid` is the record's id. One JSON object in one line.
 *
 * Texts are put together as latin1, a character for each byte of UTF-8: nothing of a line is decoded.
 *
 * @param severity of syslog, 0 to 7
 */
export function ocsfBody(record: SpooledRecord, severity: number): Buffer {
  const { line } = record
  const [message, status, kind] = [messageText(line), statusOf(line), kindOf(line) ?? 'record'] // before the picker: they share its place
  picker ??= new MemberPicker(ownLineArea(), OCSF.map(({ from, stays }) => ({ name: from, ...(stays === true ? { stays } : {}) })))
  const isPicked = picker.pick(line)
  const text = line.toString('latin1').trimEnd()
  const eventClass = isPicked ? classOf(picker) : BASE_EVENT
  const { placed, left } = isPicked ? place(picker, text, eventClass.groups) : { placed: new Map<Group, string>(), left: '' }
  const activity = activityOf(eventClass, kind, isPicked ? jsonAt(picker, METHOD, text) : undefined)
  const head = `{"class_uid":${eventClass.uid},"category_uid":${eventClass.category},"activity_id":${activity},` +
    `"type_uid":${eventClass.uid * 100 + activity},"severity_id":${rank(severity)},"time":${Math.floor(timeMs(line) ?? 0)},` +
    `"status_id":${status === undefined ? 0 : status < 400 ? 1 : 2}${status === undefined ? '' : `,"status_code":"${status}"`},` +
    `"message":${Buffer.from(JSON.stringify(message)).toString('latin1')}${placed.get('') ?? ''},` +
    `"metadata":{"version":"${OCSF_VERSION}",${PRODUCT},"uid":${JSON.stringify(record.id)},"log_name":"${kind}"${placed.get('metadata') ?? ''}}`
  return Buffer.from(`${head}${groupsText(placed)},"unmapped":${merged(isPicked ? restOf(picker) : text, left)}}`, 'latin1')
}

function classOf(picked: MemberPicker): EventClass {
  if (picked.has(METHOD) || picked.has(STATUS)) return HTTP_ACTIVITY
  return picked.has(CLIENT) || picked.has(SERVER) ? NETWORK_ACTIVITY : BASE_EVENT
}

function activityOf({ uid }: EventClass, kind: string, method: string | undefined): number {
  if (uid === HTTP_ACTIVITY.uid) return method === undefined ? 0 : METHODS[textOf(method)] ?? OTHER
  return uid === NETWORK_ACTIVITY.uid ? NETWORK_ACTIVITIES[kind] ?? TRAFFIC : OTHER
}

/** 1 = informational to 3 = medium. */
function rank(severity: number): number {
  return severity <= 3 ? 3 : severity === 4 ? 2 : 1
}

function jsonAt(picked: MemberPicker, slot: number, text: string): string | undefined {
  const { line } = ownLineArea()
  return picked.has(slot) ? text.slice(picked.start(slot) - line, picked.end(slot) - line) : undefined
}

function restOf(picked: MemberPicker): string {
  const { memory, rest } = ownLineArea()
  return picked.restLength === 0 ? '{}' : memory.latin1(rest, picked.restLength)
}

/**
 * @returns members of each group, each behind a comma; and, in our names, those of groups that the class has not, or that lack what they
 *   cannot be without
 */
function place(picked: MemberPicker, text: string, allowed: ReadonlySet<Group>): { readonly placed: Map<Group, string>, readonly left: string } {
  const placed = new Map<Group, string>()
  let left = ''
  for (const { group, places, needed } of PLANS) {
    const isWhole = allowed.has(group) && (needed === -1 || picked.has(needed))
    let members = ''
    for (const { entry: each, slot, head } of places) {
      const json = jsonAt(picked, slot, text)
      if (json === undefined) continue
      const value = isWhole ? each.as === undefined ? json : each.as(json) : undefined
      if (value !== undefined) members += `,${each.key === 'ip!' && !IP.test(json) ? '"name":' : head}${value}`
      else if (each.stays !== true) left += `,"${each.from}":${json}`
    }
    if (members === '') continue
    placed.set(group, group === 'connection_info' && !members.startsWith(DIRECTION) ? `${DIRECTION}0${members}` : members)
  }
  return { placed, left }
}

/** What privacy made something else of is a name. */
const IP = /^"[0-9a-f.:]{2,45}"$/

/** HTTP Activity has the url within the request. */
function groupsText(placed: ReadonlyMap<Group, string>): string {
  const isHttp = placed.has('http_request') || placed.has('http_response')
  let text = ''
  for (const { group } of PLANS) {
    if (group === '' || group === 'metadata' || (group === 'url' && isHttp)) continue
    const url = group === 'http_request' && isHttp ? placed.get('url') : undefined
    const members = `${placed.get(group) ?? ''}${url === undefined ? '' : `,"url":{${url.slice(1)}}`}`
    if (members !== '') text += `,"${group}":{${members.slice(1)}}`
  }
  return text
}

/** An object with members behind it: names of ours have dots, and are no names in it. */
function merged(object: string, members: string): string {
  if (members === '') return object
  return object === '{}' ? `{${members.slice(1)}}` : `${object.slice(0, -1)}${members}}`
}

const NAME = /("(?:[^"\\]|\\.)*"):\[/y
const VALUE = /"(?:[^"\\]|\\.)*"/y

/** `{"name":["value",...],...}` to `[{"name":"name","value":"value"},...]`, in the same order; undefined for anything else. */
function headerList(json: string): string | undefined {
  const pairs: string[] = []
  let at = 1
  while (json[at] === '"') {
    NAME.lastIndex = at
    const name = NAME.exec(json)?.[1]
    if (name === undefined) return undefined
    at = NAME.lastIndex
    do {
      VALUE.lastIndex = at
      const value = VALUE.exec(json)?.[0]
      if (value === undefined) return undefined
      pairs.push(`{"name":${name},"value":${value}}`)
      at = VALUE.lastIndex
    } while (json[at++] === ',')
    if (json[at - 1] !== ']') return undefined
    if (json[at] === ',') at++
  }
  return json[at] === '}' && at === json.length - 1 ? `[${pairs.join(',')}]` : undefined
}
