import * as P from '../../wasm/pick-contract.ts'
import type { ByteMemory } from '../bytes/mod.ts'

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

const FITS = { any: P.FIT_ANY, word: P.FIT_WORD, ipv4: P.FIT_IPV4, ip: P.FIT_IP } as const

/** As in wasm/member-table.ts. */
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

/** Writes the table of members into memory, for good: where it stands. @throws {RangeError} for names that cannot be held apart, or are too long */
export function writeTable(memory: ByteMemory, members: readonly PickedMember[]): number {
  const { view } = memory
  const children = childrenOf(members)
  const slots = 2 ** Math.ceil(Math.log2(children.length * 2 + 2))
  const table = memory.reserve(P.PICK_SLOTS + slots * 4)
  memory.u8.fill(0, table, table + P.PICK_SLOTS + slots * 4)
  view.setUint32(table + P.PICK_MASK, slots - 1, true)
  for (const { key, node, below, member, stays, fit } of children) {
    const at = memory.reserve(P.CHILD_BYTES)
    const bytes = Buffer.from(key)
    const pointer = memory.reserve(bytes.length + P.PICK_SLACK)
    memory.write(pointer, bytes)
    view.setUint32(at + P.CHILD_KEY, pointer, true)
    view.setUint16(at + P.CHILD_KEY_LENGTH, bytes.length, true)
    view.setUint16(at + P.CHILD_NODE, node, true)
    view.setUint16(at + P.CHILD_BELOW, below, true)
    view.setUint16(at + P.CHILD_MEMBER, member, true)
    view.setUint8(at + P.CHILD_STAYS, stays ? 1 : 0)
    view.setUint8(at + P.CHILD_FIT, fit)
    let slot = (Math.imul(hashOf(key) + node, 0x9e3779b1) >>> 16) & (slots - 1)
    while (view.getUint32(table + P.PICK_SLOTS + slot * 4, true) !== 0) slot = (slot + 1) & (slots - 1)
    view.setUint32(table + P.PICK_SLOTS + slot * 4, at, true)
  }
  return table
}
