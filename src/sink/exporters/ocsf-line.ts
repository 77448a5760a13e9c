/** Lines of NDJSON to events of OCSF, by the table in ocsf.ts, from bytes to bytes: texts stay byte for byte what the encoder wrote. */
import type { Piece } from '../../../lib/record/mod.ts'
import { timeMs } from '../delivery/mod.ts'
import { ownLineArea } from '../own-line-area.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { HeaderList } from './header-list.ts'
import { isIpText } from './ip-text.ts'
import { kindOf, textOf } from './message-text.ts'
import { BASE_EVENT, classOf, GROUPS, HTTP_ACTIVITY, OCSF_VERSION, type OcsfClass, OTHER } from './ocsf.ts'
import { OcsfForm, type OcsfLeaf, type OcsfNode, type OcsfObject } from './ocsf-form.ts'

/** Of the numbers of one event, and its id. */
const SCRATCH_BYTES = 512
const ID_BYTES_MAX = 128
/** Headers whose pieces are joined at once. */
const HEADERS_AT_ONCE = 100
const HEAD = `{"metadata":{"version":"${OCSF_VERSION}","product":{"name":"Lintel","vendor_name":"Lintel"},"uid":"`
const IP_VERSION_AT = '"ipv'.length
const [UNKNOWN, INBOUND, OUTBOUND, LATERAL] = [0, 1, 2, 3].map(id => `"direction_id":${id}`) as [string, string, string, string]

/** Makes events of records. All writers of a thread put them together in one place: nothing is to be waited for between `add` and `take`. */
export class OcsfWriter {
  readonly #area = ownLineArea()
  /** By what is left out. Bound: what groups there are; of a run's records a few. */
  readonly #forms = new Map<number, OcsfForm>()
  readonly #requestHeaders = new HeaderList(this.#area)
  readonly #responseHeaders = new HeaderList(this.#area)
  readonly #pieces = new Map<string, Piece>()
  readonly #scratch = this.#area.memory.reserve(SCRATCH_BYTES)
  readonly #firstName = this.#area.text('[{"name":')
  readonly #nextName = this.#area.text(',{"name":')
  readonly #valueKey = this.#area.text(',"value":')
  readonly #close = this.#area.text('}')
  #scratchAt = 0
  /** False for a method that OCSF does not have: it is told as the activity's name. */
  #isMethodKnown = false

  /** The event of one record, without a line's end. */
  event(record: SpooledRecord): Buffer {
    this.clear()
    this.add(record)
    return this.take()
  }

  /** Events of many records. @param format ndjson = one a line; json = one array */
  events(records: readonly SpooledRecord[], format: 'ndjson' | 'json'): Buffer {
    const [open, between, close] = format === 'json' ? ['[', ',', ']'] as const : ['', '\n', '\n'] as const
    this.clear()
    records.forEach((record, index) => {
      this.#constant(index === 0 ? open : between)
      this.add(record)
    })
    this.#constant(close)
    this.#area.join()
    return this.take()
  }

  /** Forgets what was added and not taken. */
  clear(): void {
    this.#area.clear()
  }

  /** All that was added since the last time. */
  take(): Buffer {
    return this.#area.take()
  }

  /** Adds an event. A record that cannot be taken apart (it is longer than 4 MiB) stands whole under `unmapped`. */
  add({ line, id }: SpooledRecord): void {
    const time = String(Math.floor(timeMs(line) ?? Date.now()))
    const kind = kindOf(line)
    const form = id.length > ID_BYTES_MAX ? undefined : this.#formOf(line, kind)
      ?? this.#formOf(Buffer.from(JSON.stringify(JSON.parse(line.toString()))), kind)
    if (form === undefined) {
      this.#area.join()
      const told = { classUid: BASE_EVENT, activityId: 0, severityId: 1, statusId: 0 }
      return this.#area.append(Buffer.from(`${HEAD}${id}"},"time":${time}${classText(told)},"unmapped":${line.toString()}}`))
    }
    this.#scratchAt = this.#scratch
    const told = this.#classOf(form, kind)
    this.#isMethodKnown = told.activityId !== OTHER
    this.#constant(HEAD)
    this.#ascii(id)
    this.#constant('"')
    this.#members(form, form.metadata, false)
    this.#constant('},"time":')
    this.#ascii(time)
    this.#constant(classText(told))
    this.#names(form, told)
    this.#members(form, form.nodes, false)
    if (form.picker.restLength > 0) {
      this.#constant(',"unmapped":')
      this.#area.add(this.#area.rest, form.picker.restLength)
    }
    this.#constant('}')
    this.#area.join()
  }

  /** The form in which OCSF takes the record, its members picked; undefined when the line is not in the encoder's form. */
  #formOf(line: Buffer, kind: string | undefined): OcsfForm | undefined {
    let leftOut: number = kind === undefined || kind === 'exchange' ? 0 : GROUPS.http
    for (;;) {
      const form = this.#form(kind === 'packet', leftOut)
      if (!form.picker.pick(line)) return undefined
      let unfit = form.unfit() | this.#unfitHeaders(form)
      if (!form.hasHttp()) {
        if ((leftOut & GROUPS.http) === 0) unfit |= GROUPS.http // the version is another protocol's
        if (unfit === 0 && !form.hasEndpoint() && (leftOut & GROUPS.network) === 0) unfit = GROUPS.network
      }
      if (unfit === 0) return form
      leftOut |= unfit
    }
  }

  #form(isPacket: boolean, leftOut: number): OcsfForm {
    const key = leftOut * 2 + (isPacket ? 1 : 0)
    let form = this.#forms.get(key)
    if (form === undefined) {
      form = new OcsfForm(this.#area, isPacket, leftOut)
      this.#forms.set(key, form)
    }
    return form
  }

  #unfitHeaders({ picker, slots }: OcsfForm): number {
    const isFit = (slot: number, list: HeaderList): boolean => slot === -1 || !picker.has(slot) || list.read(picker.start(slot), picker.end(slot))
    return (isFit(slots.requestHeaders, this.#requestHeaders) ? 0 : GROUPS.requestHeaders) |
      (isFit(slots.responseHeaders, this.#responseHeaders) ? 0 : GROUPS.responseHeaders)
  }

  #classOf(form: OcsfForm, kind: string | undefined): OcsfClass {
    const { slots } = form
    const status = form.json(slots.status)
    return classOf({
      kind, isHttp: form.hasHttp(), hasEndpoint: form.hasEndpoint(), method: textOf(form.json(slots.method)), event: textOf(form.json(slots.event)),
      status: status === undefined ? undefined : Number(status),
    })
  }

  /** What OCSF wants as text beside its numbers. */
  #names({ picker, slots }: OcsfForm, { classUid, activityId }: OcsfClass): void {
    if (activityId === OTHER) {
      this.#constant(',"activity_name":')
      const slot = classUid === HTTP_ACTIVITY ? slots.method : slots.event
      this.#area.add(picker.start(slot), picker.end(slot) - picker.start(slot))
    }
    if (classUid !== HTTP_ACTIVITY || slots.status === -1 || !picker.has(slots.status)) return
    this.#constant(',"status_code":"')
    this.#area.add(picker.start(slots.status), picker.end(slots.status) - picker.start(slots.status))
    this.#constant('"')
  }

  #members(form: OcsfForm, nodes: readonly OcsfNode[], isFirst: boolean): void {
    let first = isFirst
    for (const node of nodes) {
      if (!this.#isThere(form, node)) continue
      this.#put(first ? node.first : node.next)
      if ('members' in node) this.#object(form, node)
      else this.#value(form, node)
      first = false
    }
  }

  #object(form: OcsfForm, { key, members }: OcsfObject): void {
    const isBegun = this.#begun(form, key)
    this.#members(form, members, !isBegun)
    this.#constant('}')
  }

  /** What comes of more than one field. @returns true when there was such */
  #begun(form: OcsfForm, key: string): boolean {
    const { slots } = form
    if (key === 'connection_info') {
      const [client, server] = [form.picker.has(slots.clientProcess), form.picker.has(slots.serverProcess)]
      this.#constant(client ? server ? LATERAL : OUTBOUND : server ? INBOUND : UNKNOWN)
      return true
    }
    const [headBytes, bodyBytes] = key === 'http_request' ? [slots.requestHeadBytes, slots.requestBodyBytes]
      : key === 'http_response' ? [slots.responseHeadBytes, slots.responseBodyBytes] : [-1, -1]
    const [head, body] = [form.json(headBytes), form.json(bodyBytes)]
    if (head === undefined || body === undefined) return false
    this.#constant('"length":')
    this.#ascii(String(Number(head) + Number(body)))
    return true
  }

  #isThere(form: OcsfForm, node: OcsfNode): boolean {
    if ('members' in node) return form.hasAny(node.slots)
    const { picker } = form
    const { slot, change } = node
    if (!picker.has(slot)) return false
    if (change === 'method') return this.#isMethodKnown
    if (change === 'headers') return this.#list(form, slot).count > 0
    if (change !== 'ip' && change !== 'no ip') return true
    return isIpText(this.#area.memory.u8, picker.start(slot), picker.end(slot)) === (change === 'ip')
  }

  #value(form: OcsfForm, { slot, change }: OcsfLeaf): void {
    const { picker } = form
    const area = this.#area
    const [start, length] = [picker.start(slot), picker.end(slot) - picker.start(slot)]
    switch (change) {
      case 'headers':
        return this.#addHeaders(this.#list(form, slot))
      case 'ms':
        return this.#ascii(String(Math.round(Number(area.utf8(start, length)) * 1000)))
      case 'ip version':
        return area.add(start + IP_VERSION_AT, 1)
      case 'text':
        this.#constant('"')
        area.add(start, length)
        return this.#constant('"')
      case 'ja4':
        this.#constant('[{"type_id":1,"value":')
        area.add(start, length)
        return this.#constant('}]')
      default:
        return area.add(start, length)
    }
  }

  #list({ slots }: OcsfForm, slot: number): HeaderList {
    return slot === slots.requestHeaders ? this.#requestHeaders : this.#responseHeaders
  }

  #addHeaders(list: HeaderList): void {
    const area = this.#area
    for (let index = 0; index < list.count; index++) {
      if (index % HEADERS_AT_ONCE === HEADERS_AT_ONCE - 1) area.join()
      this.#put(index === 0 ? this.#firstName : this.#nextName)
      area.add(list.place(index, 0), list.place(index, 1) - list.place(index, 0))
      this.#put(this.#valueKey)
      area.add(list.place(index, 2), list.place(index, 3) - list.place(index, 2))
      this.#put(this.#close)
    }
    this.#constant(']')
  }

  /** For texts of which there are few. */
  #constant(text: string): void {
    let piece = this.#pieces.get(text)
    if (piece === undefined) {
      piece = this.#area.text(text)
      this.#pieces.set(text, piece)
    }
    this.#put(piece)
  }

  #ascii(text: string): void {
    const { u8 } = this.#area.memory
    for (let at = 0; at < text.length; at++) u8[this.#scratchAt + at] = text.charCodeAt(at)
    this.#area.add(this.#scratchAt, text.length)
    this.#scratchAt += text.length
  }

  #put({ pointer, length }: Piece): void {
    this.#area.add(pointer, length)
  }
}

const classTexts = new Map<number, string>()

function classText({ classUid, activityId, severityId, statusId }: OcsfClass): string {
  const key = ((classUid * 100 + activityId) * 10 + severityId) * 10 + statusId
  let text = classTexts.get(key)
  if (text === undefined) {
    text = `,"category_uid":${Math.floor(classUid / 1000)},"class_uid":${classUid},"activity_id":${activityId},` +
      `"type_uid":${classUid * 100 + activityId},"severity_id":${severityId},"status_id":${statusId}`
    classTexts.set(key, text)
  }
  return text
}
