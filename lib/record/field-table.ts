import type { ByteMemory } from '../bytes/mod.ts'
import * as T from '../../wasm/field-table.ts'
import * as L from '../../wasm/layout.ts'

/** TYPE_* number of each type of value. */
export const VALUE_TYPE = {
  string: L.TYPE_STRING,
  int: L.TYPE_INT,
  seconds: L.TYPE_SECONDS,
  time: L.TYPE_TIME,
  address: L.TYPE_ADDRESS,
  mac: L.TYPE_MAC,
  headers: L.TYPE_HEADERS,
  strings: L.TYPE_STRINGS,
  bool: L.TYPE_BOOL,
  marks: L.TYPE_MARKS,
  ints: L.TYPE_INTS,
} as const
export type ValueTypeName = keyof typeof VALUE_TYPE

/** One field: its dotted name nests it in JSON. Its id is its place in the list + 1. */
export interface FieldSpec {
  readonly name: string
  readonly type: ValueTypeName
}

/**
 * The fields of all records, in shared memory too (wasm/field-table.ts), where the encoder reads the JSON path of each.
 *
 * @throws {RangeError} when a name is empty, twice there, deeper than 8 levels, both field and group, or apart from its
 *   group: encoders nest in one walk over ascending ids
 */
export class FieldTable {
  readonly fields: readonly FieldSpec[]
  /** Texts behind the reason ids of `marks` values: id = place + 1. */
  readonly reasons: readonly string[]
  /** Address of the table. */
  readonly pointer: number
  readonly #ids: ReadonlyMap<string, number>

  constructor(memory: ByteMemory, fields: readonly FieldSpec[], reasons: readonly string[] = []) {
    this.fields = fields
    this.reasons = reasons
    this.#ids = new Map(fields.map((field, index) => [field.name, index + 1]))
    this.pointer = writeTable(memory, fields, reasons, groupNumbers(fields))
  }

  /** @throws {RangeError} for a name that is not in the table */
  id(name: string): number {
    const id = this.#ids.get(name)
    if (id === undefined) throw new RangeError(`Cannot find field "${name}": it is not in the table`)
    return id
  }

  has(name: string): boolean {
    return this.#ids.has(name)
  }

  /** @throws {RangeError} for an id that is not in the table */
  field(id: number): FieldSpec {
    const field = this.fields[id - 1]
    if (field === undefined) throw new RangeError(`Cannot find field ${id}: the table has ${this.fields.length}`)
    return field
  }
}

/** For each field, the number of the group that each prefix of its name makes. */
function groupNumbers(fields: readonly FieldSpec[]): number[][] {
  const groups = new Map<string, { number: number; last: number }>()
  const names = new Set<string>()
  const numbers = fields.map(({ name }, index) => {
    const segments = name.split('.')
    if (segments.includes('') || segments.length > T.FIELD_DEPTH_MAX) {
      throw new RangeError(`Cannot nest field "${name}": it needs 1 to ${T.FIELD_DEPTH_MAX} words with dots between`)
    }
    if (names.has(name)) throw new RangeError(`Cannot add field "${name}": it is there already`)
    names.add(name)
    return segments.slice(0, -1).map((_, level) => {
      const prefix = segments.slice(0, level + 1).join('.')
      const group = groups.get(prefix) ?? { number: groups.size + 1, last: index }
      if (group.last < index - 1) {
        throw new RangeError(`Cannot nest field "${name}": other fields stand between it and the rest of "${prefix}"`)
      }
      group.last = index
      groups.set(prefix, group)
      return group.number
    })
  })
  for (const name of names) {
    if (groups.has(name)) throw new RangeError(`Cannot nest under "${name}": it is a field and a group`)
  }
  return numbers
}

/** Texts laid one behind the other; the encoder reads up to 32 bytes too many, so the last one has room behind it. */
class TextArea {
  readonly #chunks: Buffer[] = []
  #length = 0

  /** Offset of the text in the area. */
  add(text: string): { offset: number; length: number } {
    const bytes = Buffer.from(text)
    const place = { offset: this.#length, length: bytes.length }
    this.#chunks.push(bytes)
    this.#length += bytes.length
    return place
  }

  bytes(): Buffer {
    return Buffer.concat([...this.#chunks, Buffer.alloc(32)])
  }
}

function sharedGroups(left: readonly number[], right: readonly number[]): number {
  const differs = left.findIndex((group, level) => group !== right[level])
  return differs === -1 ? left.length : differs
}

function writeTable(memory: ByteMemory, fields: readonly FieldSpec[], reasons: readonly string[],
  groups: readonly number[][]): number {
  const area = new TextArea()
  const paths = fields.map(({ name }) => {
    const segments = name.split('.').map((segment, level) => (level === 0 ? '' : '{') + `${JSON.stringify(segment)}:`)
    return { segments, path: area.add(segments.join('')), name: area.add(`${JSON.stringify(name)}:`) }
  })
  const reasonTexts = reasons.map((reason) => area.add(JSON.stringify(reason)))
  const reasonsOffset = T.TABLE_FIELDS + (fields.length + 1) * T.FIELD_BYTES
  const textsOffset = reasonsOffset + reasons.length * T.REASON_BYTES
  const texts = area.bytes()
  const table = memory.reserve(textsOffset + texts.length)
  const view = memory.view
  memory.u8.fill(0, table, table + textsOffset)
  memory.write(table + textsOffset, texts)
  view.setUint32(table + T.TABLE_FIELD_COUNT, fields.length, true)
  view.setUint32(table + T.TABLE_REASON_COUNT, reasons.length, true)
  view.setUint32(table + T.TABLE_REASONS, table + reasonsOffset, true)
  paths.forEach(({ segments, path, name }, index) => {
    const field = table + T.TABLE_FIELDS + (index + 1) * T.FIELD_BYTES
    view.setUint8(field + T.FIELD_DEPTH, segments.length)
    view.setUint8(field + T.FIELD_TYPE, VALUE_TYPE[fields[index]!.type])
    view.setUint16(field + T.FIELD_PATH_LENGTH, path.length, true)
    view.setUint8(field + T.FIELD_SHARED, sharedGroups(groups[index - 1] ?? [], groups[index]!))
    view.setUint32(field + T.FIELD_PATH, table + textsOffset + path.offset, true)
    view.setUint32(field + T.FIELD_NAME, table + textsOffset + name.offset, true)
    view.setUint16(field + T.FIELD_NAME_LENGTH, name.length, true)
    let start = 0
    segments.forEach((segment, level) => {
      // Behind a group that is open already comes no brace.
      view.setUint16(field + T.FIELD_LEVELS + level * 2, level === 0 ? 0 : start + 1, true)
      view.setUint16(field + T.FIELD_GROUPS + level * 2, groups[index]![level] ?? 0, true)
      start += Buffer.byteLength(segment)
    })
  })
  reasonTexts.forEach(({ offset, length }, index) => {
    view.setUint32(table + reasonsOffset + index * T.REASON_BYTES, table + textsOffset + offset, true)
    view.setUint32(table + reasonsOffset + index * T.REASON_BYTES + 4, length, true)
  })
  return table
}
