import * as P from '../../wasm/pick-contract.ts'
import type { LineArea } from './line-area.ts'

/** A member to be taken out of a record. */
export interface PickedMember {
  /** Its keys with dots between, as in docs/fields.md. */
  readonly name: string
  /** The value is told, and left in the rest as well. */
  readonly stays?: boolean
  /** What the value must be; if it is not, it is left in the rest, as if it were not asked for. */
  readonly fit?: 'word' | 'ipv4' | 'ip' | undefined
}

interface Child {
  readonly key: string
  readonly node: number
  /** Number of the group that it is. */
  readonly below: number
  member: number
  readonly stays: boolean
  readonly fit: number
}

interface PickExports {
  pickMembers(picker: number, line: number, length: number, rest: number): number
}

const FITS = { any: P.FIT_ANY, word: P.FIT_WORD, ipv4: P.FIT_IPV4, ip: P.FIT_IP } as const

/**
 * Finds members of a record in its line, and what is left without them, in WebAssembly and without parsing: values stay byte for
 * byte what the encoder wrote, numbers beyond 2^53 too, and names of headers are not looked at.
 *
 * One picker serves many lines, one after the other; what it tells is of the last that its area holds. Bounds: lines of
 * LINE_BYTES_MAX, names of 9 words, 65,534 members.
 */
export class MemberPicker {
  readonly #area: LineArea
  readonly #table: number
  readonly #spans: number
  readonly #pick: PickExports['pickMembers']
  #restLength = 0

  /** @throws {RangeError} for names that cannot be held apart: one twice, one that is a group of another; or too long */
  constructor(area: LineArea, members: readonly PickedMember[]) {
    this.#area = area
    const { table, spans } = writeTable(area, childrenOf(members), members.length)
    this.#table = table
    this.#spans = spans >>> 2
    this.#pick = area.memory.exports<PickExports>().pickMembers
  }

  /**
   * @returns false when the line is no object as the encoder writes it (no white space, no escapes in keys of fields) or too long;
   *   nothing else is then to be read
   */
  pick(line: Uint8Array): boolean {
    if (!this.#area.hold(line)) return false
    this.#restLength = this.#pick(this.#table, this.#area.line, line.length, this.#area.rest)
    return this.#restLength !== P.PICK_ODD
  }

  has(member: number): boolean {
    return this.#area.memory.u32[this.#spans + member * 2] !== 0
  }

  /** Where the value stands in the area's memory; only for one that is there. */
  start(member: number): number {
    return this.#area.line + (this.#area.memory.u32[this.#spans + member * 2] as number)
  }

  end(member: number): number {
    return this.#area.line + (this.#area.memory.u32[this.#spans + member * 2 + 1] as number)
  }

  /** The value as JSON text; undefined where it is not there. */
  json(member: number): string | undefined {
    return this.has(member) ? this.#area.utf8(this.start(member), this.end(member) - this.start(member)) : undefined
  }

  /** Bytes of what is left, at the area's `rest`: a JSON object without the groups that are empty then; 0 = nothing is left. */
  get restLength(): number {
    return this.#restLength
  }

  /** The same as bytes, in the area's memory: good until the next line; `{}` when nothing is left. */
  get restBytes(): Buffer {
    return this.#restLength === 0 ? Buffer.from('{}') : this.#area.bytes.subarray(this.#area.rest, this.#area.rest + this.#restLength)
  }

  /** The same as text; `{}` when nothing is left. */
  get restJson(): string {
    return this.#restLength === 0 ? '{}' : this.#area.utf8(this.#area.rest, this.#restLength)
  }
}

/** As in wasm/pick.ts. */
function hashOf(key: string): number {
  let hash = 0
  for (const code of Buffer.from(key)) hash = (hash << 3) + code | 0
  return hash
}

function childrenOf(members: readonly PickedMember[]): Child[] {
  const children: Child[] = []
  let nodes = 1
  members.forEach(({ name, stays = false, fit }, member) => {
    const keys = name.split('.')
    if (keys.length > P.PICK_DEPTH_MAX + 1) throw new RangeError(`Cannot pick "${name}": it has more than ${P.PICK_DEPTH_MAX + 1} words`)
    let node = 0
    keys.forEach((key, level) => {
      const isLast = level === keys.length - 1
      const known = children.find(child => child.node === node && child.key === key)
      if (known !== undefined && (isLast || known.member !== P.NO_MEMBER)) throw new RangeError(`Cannot pick "${name}": "${key}" is picked already`)
      const child = known ?? { key, node, below: isLast ? 0 : nodes++, member: isLast ? member : P.NO_MEMBER, stays, fit: FITS[fit ?? 'any'] }
      if (known === undefined) children.push(child)
      node = child.below
    })
  })
  return children
}

function writeTable(area: LineArea, children: readonly Child[], count: number): { table: number, spans: number } {
  const { memory } = area
  const { view } = memory
  const slots = 2 ** Math.ceil(Math.log2(children.length * 2 + 2))
  const spans = memory.reserve(count * P.SPAN_BYTES)
  const table = memory.reserve(P.PICK_SLOTS + slots * 4)
  memory.u8.fill(0, table, table + P.PICK_SLOTS + slots * 4)
  view.setUint32(table + P.PICK_MASK, slots - 1, true)
  view.setUint32(table + P.PICK_COUNT, count, true)
  view.setUint32(table + P.PICK_SPANS, spans, true)
  for (const { key, node, below, member, stays, fit } of children) {
    const at = memory.reserve(P.CHILD_BYTES)
    const { pointer, length } = area.text(key)
    view.setUint32(at + P.CHILD_KEY, pointer, true)
    view.setUint16(at + P.CHILD_KEY_LENGTH, length, true)
    view.setUint16(at + P.CHILD_NODE, node, true)
    view.setUint16(at + P.CHILD_BELOW, below, true)
    view.setUint16(at + P.CHILD_MEMBER, member, true)
    view.setUint8(at + P.CHILD_STAYS, stays ? 1 : 0)
    view.setUint8(at + P.CHILD_FIT, fit)
    let slot = (Math.imul(hashOf(key) + node, 0x9e3779b1) >>> 16) & (slots - 1)
    while (view.getUint32(table + P.PICK_SLOTS + slot * 4, true) !== 0) slot = (slot + 1) & (slots - 1)
    view.setUint32(table + P.PICK_SLOTS + slot * 4, at, true)
  }
  return { table, spans }
}
