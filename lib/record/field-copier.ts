import * as F from '../../wasm/fields-contract.ts'
import { SPAN_BYTES } from '../../wasm/pick-contract.ts'
import type { LineArea } from './line-area.ts'

/** A field that is known by name. */
export interface KnownField {
  /** With dots, as in docs/fields.md. */
  readonly name: string
  /** It is only told where its value stands, not copied. */
  readonly isApart?: boolean | undefined
  /** A number of seconds: a whole one is a fraction too, so that the field has one type. */
  readonly isDouble?: boolean | undefined
  /** An object stays the text of its JSON: what is in it is no field. */
  readonly isJson?: boolean | undefined
}

interface FieldExports {
  copyFields(known: number, room: number, form: number, line: number, length: number): number
  fieldCount(): number
}

const TARGETS = { protobuf: F.TARGET_PROTOBUF, line: F.TARGET_LINE } as const

/**
 * Copies the fields of a record out of its line into another form, in WebAssembly and without parsing: `protobuf` = a KeyValue of
 * OpenTelemetry each, with the tag of attributes of a log record; `line` = `,name=value` of InfluxDB's line protocol.
 *
 * One copier serves many lines, one after the other; what it tells is of the last that its area holds. Bounds: lines of
 * LINE_BYTES_MAX, what becomes of one COPY_BYTES_MAX (line-area.ts), objects nested 32 deep.
 */
export class FieldCopier {
  readonly #area: LineArea
  readonly #form: number
  readonly #table: number
  readonly #spans: number
  readonly #exports: FieldExports
  #length = 0

  /** A field's place in `known` is its number. */
  constructor(area: LineArea, form: keyof typeof TARGETS, known: readonly KnownField[]) {
    this.#area = area
    this.#form = TARGETS[form]
    const { table, spans } = writeTable(area, known)
    this.#table = table
    this.#spans = spans >>> 2
    this.#exports = area.memory.exports<FieldExports>()
  }

  /** @returns false when the line is no record as the encoder writes it, or too long; nothing else is then to be read */
  copy(line: Uint8Array): boolean {
    if (!this.#area.hold(line)) return false
    this.#length = this.#exports.copyFields(this.#table, this.#area.copies.room, this.#form, this.#area.line, line.length)
    return this.#length !== F.FIELDS_ODD
  }

  /** What was made, in the area's memory; good until the area holds another line. */
  get bytes(): Buffer {
    const { out } = this.#area.copies
    return this.#area.bytes.subarray(out, out + this.#length)
  }

  /** Of protobuf: the fields that were copied. */
  get count(): number {
    return this.#exports.fieldCount()
  }

  /** Of protobuf: where the tag of a field stands in `bytes`. */
  tagAt(field: number): number {
    return this.#area.memory.u32[(this.#area.copies.tags >>> 2) + field] as number
  }

  /** Where the value of a known field begins in the line; 0 = it is not there. */
  start(number: number): number {
    return this.#area.memory.u32[this.#spans + number * 2] as number
  }

  end(number: number): number {
    return this.#area.memory.u32[this.#spans + number * 2 + 1] as number
  }
}

/** As in wasm/fields.ts. */
function hashOf(name: string): number {
  let hash = 0
  for (const code of Buffer.from(name)) hash = Math.imul(hash, 31) + code | 0
  return hash
}

function writeTable(area: LineArea, known: readonly KnownField[]): { table: number, spans: number } {
  const { memory } = area
  const { view } = memory
  const slots = 2 ** Math.ceil(Math.log2(known.length * 2 + 2))
  const spans = memory.reserve(known.length * SPAN_BYTES)
  const table = memory.reserve(F.FIELDS_SLOTS + slots * 4)
  memory.u8.fill(0, table, table + F.FIELDS_SLOTS + slots * 4)
  view.setUint32(table + F.FIELDS_MASK, slots - 1, true)
  view.setUint32(table + F.FIELDS_COUNT, known.length, true)
  view.setUint32(table + F.FIELDS_SPANS, spans, true)
  for (const [number, { name, isApart, isDouble, isJson }] of known.entries()) {
    const at = memory.reserve(F.FIELD_BYTES)
    const { pointer, length } = area.text(name)
    view.setUint32(at + F.FIELD_NAME, pointer, true)
    view.setUint16(at + F.FIELD_LENGTH, length, true)
    view.setUint16(at + F.FIELD_TRAITS, (isApart ? F.TRAIT_APART : 0) | (isDouble ? F.TRAIT_DOUBLE : 0) | (isJson ? F.TRAIT_JSON : 0), true)
    view.setUint32(at + F.FIELD_NUMBER, number, true)
    let slot = (Math.imul(hashOf(name), 0x9e3779b1) >>> 16) & (slots - 1)
    while (view.getUint32(table + F.FIELDS_SLOTS + slot * 4, true) !== 0) slot = (slot + 1) & (slots - 1)
    view.setUint32(table + F.FIELDS_SLOTS + slot * 4, at, true)
  }
  return { table, spans }
}
