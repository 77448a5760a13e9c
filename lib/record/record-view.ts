import { isUtf8 } from 'node:buffer'
import type { ByteMemory } from '../bytes/mod.ts'
import * as L from '../../wasm/layout.ts'
import { formatAddress, formatMac, formatTime } from './value-text.ts'
import type { FieldTable } from './field-table.ts'

/**
 * What a field reads as: string, address, mac and time as the text that JSON shows; int and seconds as a number (an int
 * beyond 2^53 as a bigint); headers and marks as a Map; strings and ints as an array.
 */
export type RecordValue =
  | string | number | bigint | boolean | string[] | (number | bigint)[] | Map<string, string[]> | Map<string, string>

/**
 * Reads records in shared memory, each field on demand. One view serves many records: `at` moves it, nothing is copied
 * until a field is asked for. What it gave stays valid; the record need not.
 */
export class RecordView {
  readonly #memory: ByteMemory
  readonly #table: FieldTable
  readonly #bytes: Buffer
  #record = 0

  constructor(memory: ByteMemory, table: FieldTable) {
    this.#memory = memory
    this.#table = table
    this.#bytes = Buffer.from(memory.u8.buffer)
  }

  /** Moves the view to the record at `pointer`. */
  at(pointer: number): this {
    this.#record = pointer
    return this
  }

  get pointer(): number { return this.#record }

  /** KIND_* of the record. */
  get kind(): number { return this.#memory.u16[(this.#record + L.RECORD_KIND) >>> 1]! }

  /** Bytes of the record. */
  get length(): number { return this.#memory.u32[(this.#record + L.RECORD_LENGTH) >>> 2]! }

  /** Entries of the record. */
  get count(): number { return this.#memory.u16[(this.#record + L.RECORD_COUNT) >>> 1]! }

  has(field: number): boolean {
    return this.#find(field) !== 0
  }

  get(field: number): RecordValue | undefined {
    const entry = this.#find(field)
    return entry === 0 ? undefined : this.#value(entry)
  }

  /** ENTRY_FLAG_* of a field; 0 when it is not there. */
  flags(field: number): number {
    const entry = this.#find(field)
    return entry === 0 ? 0 : this.#memory.u8[entry + L.ENTRY_FLAGS]!
  }

  /** The whole number behind an int, seconds or time field, in its stored unit. */
  integer(field: number): bigint | undefined {
    const entry = this.#find(field)
    return entry === 0 ? undefined : this.#memory.view.getBigInt64(entry + L.ENTRY_PAYLOAD, true)
  }

  /**
   * First value of a name in a headers field; cheaper than `get` for one name.
   *
   * @param name lower case
   */
  header(field: number, name: string): string | undefined {
    const entry = this.#find(field)
    if (entry === 0) return undefined
    for (const header of this.#headerFields(entry + L.ENTRY_PAYLOAD)) if (header.name === name) return header.value()
    return undefined
  }

  /** Fields in ascending id. */
  *[Symbol.iterator](): Generator<[field: number, value: RecordValue]> {
    let entry = this.#record + L.RECORD_ENTRIES
    for (let left = this.count; left > 0; left--) {
      yield [this.#memory.u16[(entry + L.ENTRY_FIELD) >>> 1]!, this.#value(entry)]
      entry = this.#next(entry)
    }
  }

  #next(entry: number): number {
    return entry + L.ENTRY_PAYLOAD + ((this.#memory.u32[(entry + L.ENTRY_LENGTH) >>> 2]! + 7) & ~7)
  }

  #find(field: number): number {
    let entry = this.#record + L.RECORD_ENTRIES
    for (let left = this.count; left > 0; left--) {
      const id = this.#memory.u16[(entry + L.ENTRY_FIELD) >>> 1]!
      if (id >= field) return id === field ? entry : 0
      entry = this.#next(entry)
    }
    return 0
  }

  #value(entry: number): RecordValue {
    const memory = this.#memory
    const payload = entry + L.ENTRY_PAYLOAD
    switch (memory.u8[entry + L.ENTRY_TYPE]) {
      case L.TYPE_STRING: return this.#text(payload, memory.u32[(entry + L.ENTRY_LENGTH) >>> 2]!)
      case L.TYPE_INT: return this.#integer(payload)
      case L.TYPE_SECONDS: return Number(memory.view.getBigInt64(payload, true)) / 1e9
      case L.TYPE_TIME: return formatTime(memory.view.getBigInt64(payload, true))
      case L.TYPE_ADDRESS: return formatAddress(memory.u8[payload]!, memory.u8.subarray(payload + 4, payload + 20))
      case L.TYPE_MAC: return formatMac(memory.u8.subarray(payload, payload + 6))
      case L.TYPE_HEADERS: return this.#headers(payload)
      case L.TYPE_STRINGS: return this.#strings(payload)
      case L.TYPE_BOOL: return memory.u8[payload] !== 0
      case L.TYPE_MARKS: return this.#marks(payload)
      case L.TYPE_INTS: return this.#ints(payload)
      default: throw new RangeError(`Cannot read entry type ${memory.u8[entry + L.ENTRY_TYPE]}: it is not known`)
    }
  }

  #integer(payload: number): number | bigint {
    // Both words at once cost an allocation; almost every number fits in what a double holds.
    const high = this.#memory.i32[(payload + 4) >>> 2]!
    if (high >= 0x200000 || high < -0x200000) return this.#memory.view.getBigInt64(payload, true)
    return high * 0x100000000 + this.#memory.u32[payload >>> 2]!
  }

  /** Valid UTF-8 as such, else ISO-8859-1: the encoder's rule. */
  #text(pointer: number, length: number): string {
    const bytes = this.#bytes.subarray(pointer, pointer + length)
    return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1')
  }

  *#headerFields(payload: number): Generator<{ name: string; value: () => string }> {
    const { view } = this.#memory
    let at = payload + 4
    for (let left = view.getUint32(payload, true); left > 0; left--) {
      const nameLength = view.getUint16(at, true)
      const valueLength = view.getUint32(at + 4, true)
      const value = at + 8 + ((nameLength + 3) & ~3)
      const name = this.#bytes.toString('latin1', at + 8, at + 8 + nameLength)
      yield { name, value: () => this.#text(value, valueLength) }
      at = value + ((valueLength + 3) & ~3)
    }
  }

  #headers(payload: number): Map<string, string[]> {
    const headers = new Map<string, string[]>()
    for (const { name, value } of this.#headerFields(payload)) {
      const values = headers.get(name)
      if (values === undefined) headers.set(name, [value()])
      else values.push(value())
    }
    return headers
  }

  #strings(payload: number): string[] {
    const { view } = this.#memory
    const strings: string[] = []
    let at = payload + 4
    for (let left = view.getUint32(payload, true); left > 0; left--) {
      const length = view.getUint32(at, true)
      strings.push(this.#text(at + 4, length))
      at += 4 + ((length + 3) & ~3)
    }
    return strings
  }

  #marks(payload: number): Map<string, string> {
    const { view } = this.#memory
    const marks = new Map<string, string>()
    for (let index = 0; index < view.getUint32(payload, true); index++) {
      const field = this.#table.fields[view.getUint16(payload + 4 + index * 4, true) - 1]
      const reason = this.#table.reasons[view.getUint16(payload + 6 + index * 4, true) - 1]
      if (field !== undefined && reason !== undefined && !marks.has(field.name)) marks.set(field.name, reason)
    }
    return marks
  }

  #ints(payload: number): (number | bigint)[] {
    const count = this.#memory.view.getUint32(payload, true)
    return Array.from({ length: count }, (_, index) => this.#integer(payload + 8 + index * 8))
  }
}
