import type { ByteMemory } from '../bytes/mod.ts'
import * as L from '../../wasm/layout.ts'
import { VALUE_TYPE } from './field-table.ts'
import type { FieldTable, ValueTypeName } from './field-table.ts'

/** A header field for `RecordWriter.headers`: lower-case name, value; text is written as UTF-8. */
export interface HeaderText {
  readonly name: string | Uint8Array
  readonly value: string | Uint8Array
  /** ENTRY_FLAG_* of the value. */
  readonly flags?: number
}

const HEADER_NAME_BYTES_MAX = 0xffff

/**
 * Writes one record at a time (RECORD in wasm/layout.ts), fields in ascending id: for the kinds off the hot path.
 *
 * `begin`, then one call a field, then `end`, which says how long the record is. What does not fit makes `end` return 0;
 * nothing is ever written behind the room.
 */
export class RecordWriter {
  readonly #memory: ByteMemory
  readonly #table: FieldTable
  #record = 0
  #at = 0
  #limit = 0
  #count = 0
  #lastField = 0
  #overflow = false

  constructor(memory: ByteMemory, table: FieldTable) {
    this.#memory = memory
    this.#table = table
  }

  /** @param pointer 8-byte aligned @param room bytes that may be written there */
  begin(kind: number, pointer: number, room: number): void {
    if (pointer % 8 !== 0) throw new RangeError(`Cannot begin a record at ${pointer}: it must be a multiple of 8`)
    this.#record = pointer
    this.#at = pointer + L.RECORD_ENTRIES
    this.#limit = pointer + room
    this.#count = 0
    this.#lastField = 0
    this.#overflow = room < L.RECORD_ENTRIES
    if (!this.#overflow) this.#memory.view.setUint16(pointer + L.RECORD_KIND, kind, true)
  }

  /** Bytes of the record; 0 = it did not fit. */
  end(): number {
    if (this.#overflow) return 0
    const length = this.#at - this.#record
    this.#memory.view.setUint32(this.#record + L.RECORD_LENGTH, length, true)
    this.#memory.view.setUint16(this.#record + L.RECORD_COUNT, this.#count, true)
    return length
  }

  string(field: number, value: string | Uint8Array, flags = 0): void {
    const bytes = bytesOf(value)
    const payload = this.#entry(field, 'string', bytes.length, flags)
    if (payload !== 0) this.#memory.write(payload, bytes)
  }

  int(field: number, value: number | bigint): void {
    this.#number(field, 'int', value)
  }

  /** @param nanoseconds shown as decimal seconds */
  seconds(field: number, nanoseconds: number | bigint): void {
    this.#number(field, 'seconds', nanoseconds)
  }

  /** @param nanoseconds since 1970-01-01T00:00Z */
  time(field: number, nanoseconds: number | bigint): void {
    this.#number(field, 'time', nanoseconds)
  }

  /** @param bytes network order: 4 bytes for version 4, 16 for version 6 */
  address(field: number, version: 4 | 6, bytes: Uint8Array): void {
    const payload = this.#entry(field, 'address', 20)
    if (payload === 0) return
    this.#memory.u8[payload] = version
    this.#memory.write(payload + 4, bytes.subarray(0, version === 4 ? 4 : 16))
  }

  mac(field: number, bytes: Uint8Array): void {
    const payload = this.#entry(field, 'mac', 6)
    if (payload !== 0) this.#memory.write(payload, bytes.subarray(0, 6))
  }

  bool(field: number, value: boolean): void {
    const payload = this.#entry(field, 'bool', 1)
    if (payload !== 0) this.#memory.u8[payload] = value ? 1 : 0
  }

  /** @throws {RangeError} for a name longer than 65,535 bytes */
  headers(field: number, headers: readonly HeaderText[]): void {
    const fields = headers.map(({ name, value, flags = 0 }) => ({ name: bytesOf(name), value: bytesOf(value), flags }))
    const length = fields.reduce((sum, { name, value }) => sum + 8 + padded(name.length) + padded(value.length), 4)
    if (fields.some(({ name }) => name.length > HEADER_NAME_BYTES_MAX)) {
      throw new RangeError(`Cannot write a header: its name is longer than ${HEADER_NAME_BYTES_MAX} bytes`)
    }
    let at = this.#entry(field, 'headers', length)
    if (at === 0) return
    const view = this.#memory.view
    view.setUint32(at, fields.length, true)
    at += 4
    for (const { name, value, flags } of fields) {
      view.setUint16(at, name.length, true)
      view.setUint16(at + 2, flags, true)
      view.setUint32(at + 4, value.length, true)
      this.#memory.write(at + 8, name)
      this.#memory.write(at + 8 + padded(name.length), value)
      at += 8 + padded(name.length) + padded(value.length)
    }
  }

  strings(field: number, values: readonly (string | Uint8Array)[]): void {
    const items = values.map(bytesOf)
    let at = this.#entry(field, 'strings', items.reduce((sum, item) => sum + 4 + padded(item.length), 4))
    if (at === 0) return
    this.#memory.view.setUint32(at, items.length, true)
    at += 4
    for (const item of items) {
      this.#memory.view.setUint32(at, item.length, true)
      this.#memory.write(at + 4, item)
      at += 4 + padded(item.length)
    }
  }

  /** @param marks pairs of field id and reason id */
  marks(field: number, marks: readonly (readonly [number, number])[]): void {
    const payload = this.#entry(field, 'marks', 4 + marks.length * 4)
    if (payload === 0) return
    this.#memory.view.setUint32(payload, marks.length, true)
    marks.forEach(([id, reason], index) => {
      this.#memory.view.setUint16(payload + 4 + index * 4, id, true)
      this.#memory.view.setUint16(payload + 6 + index * 4, reason, true)
    })
  }

  ints(field: number, values: readonly (number | bigint)[]): void {
    const payload = this.#entry(field, 'ints', 8 + values.length * 8)
    if (payload === 0) return
    this.#memory.view.setUint32(payload, values.length, true)
    values.forEach((value, index) => this.#memory.view.setBigInt64(payload + 8 + index * 8, BigInt(value), true))
  }

  /** Entries of a finished record of the same table, in ascending id behind those already written: raw as they are. */
  copy(record: number): void {
    const { u8, view } = this.#memory
    let entry = record + L.RECORD_ENTRIES
    for (let left = view.getUint16(record + L.RECORD_COUNT, true); left > 0; left--) {
      const length = view.getUint32(entry + L.ENTRY_LENGTH, true)
      const field = view.getUint16(entry + L.ENTRY_FIELD, true)
      const payload = this.#entry(field, this.#table.field(field).type, length, u8[entry + L.ENTRY_FLAGS]!)
      if (payload !== 0) u8.copyWithin(payload, entry + L.ENTRY_PAYLOAD, entry + L.ENTRY_PAYLOAD + length)
      entry += L.ENTRY_PAYLOAD + ((length + 7) & ~7)
    }
  }

  #number(field: number, type: ValueTypeName, value: number | bigint): void {
    const payload = this.#entry(field, type, 8)
    if (payload === 0) return
    this.#memory.view.setBigInt64(payload, typeof value === 'bigint' ? value : BigInt(Math.trunc(value)), true)
  }

  /** Opens an entry and gives the address of its payload, zeroed; 0 = it does not fit. */
  #entry(field: number, type: ValueTypeName, length: number, flags = 0): number {
    const spec = this.#table.field(field)
    if (spec.type !== type) throw new TypeError(`Cannot write field "${spec.name}" as ${type}: it is ${spec.type}`)
    if (field <= this.#lastField) {
      throw new RangeError(`Cannot write field "${spec.name}": fields come in ascending id, once each`)
    }
    this.#lastField = field
    const at = this.#at
    const next = at + L.ENTRY_PAYLOAD + ((length + 7) & ~7)
    if (this.#overflow || next > this.#limit) {
      this.#overflow = true
      return 0
    }
    this.#memory.u8.fill(0, at, next)
    this.#memory.view.setUint16(at + L.ENTRY_FIELD, field, true)
    this.#memory.u8[at + L.ENTRY_TYPE] = VALUE_TYPE[type]
    this.#memory.u8[at + L.ENTRY_FLAGS] = flags
    this.#memory.view.setUint32(at + L.ENTRY_LENGTH, length, true)
    this.#at = next
    this.#count++
    return at + L.ENTRY_PAYLOAD
  }
}

function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value) : value
}

function padded(length: number): number {
  return (length + 3) & ~3
}
