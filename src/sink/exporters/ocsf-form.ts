import { MemberPicker, type LineArea, type Piece } from '../../../lib/record/mod.ts'
import { ANCHORS, LOOKED_AT, OCSF, OCSF_PACKET, type OcsfChange, type OcsfEntry } from './ocsf.ts'

/** A member of a document: of a picked one, or an object of such. */
export type OcsfNode = OcsfLeaf | OcsfObject

interface Named {
  /** `"key":`, and with a comma in front. */
  readonly first: Piece
  readonly next: Piece
}

export interface OcsfLeaf extends Named {
  /** Of the picked member. */
  readonly slot: number
  readonly change: OcsfChange | undefined
}

export interface OcsfObject extends Named {
  readonly key: string
  readonly members: OcsfNode[]
  /** Of all that is in it. */
  readonly slots: number[]
}

type LookedAt = Readonly<Record<'method' | 'status' | 'event' | 'requestHeaders' | 'responseHeaders' | 'requestHeadBytes' | 'requestBodyBytes' |
  'responseHeadBytes' | 'responseBodyBytes' | 'clientProcess' | 'serverProcess', number>>

/** What is picked out of a line when some groups are left out, and how the document is made of it. */
export class OcsfForm {
  readonly picker: MemberPicker
  /** Places of members that are looked at by name; -1 = it is not picked. */
  readonly slots: LookedAt
  readonly nodes: readonly OcsfNode[]
  /** Members of `metadata`: they stand behind what it has in every document. */
  readonly metadata: readonly OcsfNode[]
  readonly #anchors: readonly (readonly [group: number, members: readonly number[], anchors: readonly number[]])[]
  readonly #http: readonly number[]
  readonly #endpoints: readonly number[]

  /** @param leftOut groups, as bits */
  constructor(area: LineArea, isPacket: boolean, leftOut: number) {
    const table = (isPacket ? OCSF_PACKET : OCSF).filter(({ groups }) => (groups & leftOut) === 0)
    const names = [...new Set(table.map(({ from }) => from))]
    const looked = LOOKED_AT.filter(name => !names.includes(name))
    const all = [...names, ...looked]
    const slots = new Map(all.map((name, slot) => [name, slot]))
    const slot = (name: string): number => slots.get(name) ?? -1
    this.slots = {
      method: slot('http.request.method'), status: slot('http.response.status_code'), event: slot('event.name'),
      requestHeaders: slot('http.request.header'), responseHeaders: slot('http.response.header'),
      requestHeadBytes: slot('http.request.header_bytes'), requestBodyBytes: slot('http.request.body.size'),
      responseHeadBytes: slot('http.response.header_bytes'), responseBodyBytes: slot('http.response.body.size'),
      clientProcess: slot('client.process.pid'), serverProcess: slot('server.process.pid'),
    }
    this.picker = new MemberPicker(area, all.map(name => {
      const stays = !names.includes(name) || table.some(({ from, stays: isKept }) => from === name && isKept === true)
      return { name, stays }
    }))
    const slotsOf = (entries: readonly OcsfEntry[]): number[] => entries.map(({ from }) => slot(from))
    this.#anchors = ANCHORS.map(([group, anchors]) => [
      group, slotsOf(table.filter(({ groups }) => (groups & group) !== 0)),
      slotsOf(table.filter(({ to }) => (anchors as readonly string[]).includes(to))),
    ] as const)
    this.#http = slotsOf(table.filter(({ to }) => /^http_/.test(to) && to !== 'http_request.version'))
    this.#endpoints = slotsOf(table.filter(({ to }) => /_endpoint\.(?:ip|uid)$/.test(to)))
    const nodes = treeOf(area, table, slots)
    const isMetadata = (node: OcsfNode): boolean => 'members' in node && node.key === 'metadata'
    this.nodes = nodes.filter(node => !isMetadata(node))
    this.metadata = (nodes.find(isMetadata) as OcsfObject).members
  }

  /** Value of a picked member as JSON; undefined where it is not there, or not picked. */
  json(slot: number): string | undefined {
    return slot === -1 ? undefined : this.picker.json(slot)
  }

  hasAny(slots: readonly number[]): boolean {
    for (const slot of slots) if (this.picker.has(slot)) return true
    return false
  }

  /** Of the line at hand: groups of which members are there, but none that they need. */
  unfit(): number {
    let groups = 0
    for (const [group, members, anchors] of this.#anchors) if (!this.hasAny(anchors) && this.hasAny(members)) groups |= group
    return groups
  }

  hasHttp(): boolean {
    return this.hasAny(this.#http)
  }

  hasEndpoint(): boolean {
    return this.hasAny(this.#endpoints)
  }
}

function treeOf(area: LineArea, table: readonly OcsfEntry[], slots: ReadonlyMap<string, number>): OcsfNode[] {
  const top: OcsfNode[] = []
  const objects = new Map<string, OcsfObject>()
  for (const { from, to, change } of table) {
    const keys = to.split('.')
    let at = top
    keys.slice(0, -1).forEach((key, level) => {
      const path = keys.slice(0, level + 1).join('.')
      let object = objects.get(path)
      if (object === undefined) {
        object = { key, first: area.text(`"${key}":{`), next: area.text(`,"${key}":{`), members: [], slots: [] }
        objects.set(path, object)
        at.push(object)
      }
      object.slots.push(slots.get(from) as number)
      at = object.members
    })
    const key = keys.at(-1) as string
    at.push({ first: area.text(`"${key}":`), next: area.text(`,"${key}":`), slot: slots.get(from) as number, change })
  }
  return top
}
