import { randomBytes } from 'node:crypto'
import type { ByteMemory } from '../bytes/mod.ts'
import type { FieldTable } from './field-table.ts'

interface JsonExports {
  encodeJson(table: number, record: number, out: number, room: number): number
  setHeaderSeed(first: bigint, second: bigint): void
}

/** Bytes more than the line itself that `encode` asks for, at most. */
export const JSON_ROOM_SLACK = 192

/**
 * Records to lines of JSON, in WebAssembly. A line holds no control byte but its newline: C0, DEL and C1 are escaped.
 * Text that is no valid UTF-8 is shown as ISO-8859-1, the whole value.
 */
export class JsonEncoder {
  readonly #exports: JsonExports
  readonly #table: number

  constructor(memory: ByteMemory, table: FieldTable) {
    this.#exports = memory.exports<JsonExports>()
    this.#table = table.pointer
    const seed = randomBytes(16)
    this.#exports.setHeaderSeed(seed.readBigUInt64LE(0), seed.readBigUInt64LE(8))
  }

  /**
   * @param record address of a record that was made with the encoder's field table
   * @param out    where the line goes; must not overlap the record
   * @param room   bytes that may be written at `out`
   * @returns bytes of the line, its newline included; 0 = it does not fit (line + `JSON_ROOM_SLACK` bytes always do, and
   *   6 times the record + 8 KiB hold any line), or a headers value has more than 32,768 fields
   */
  encode(record: number, out: number, room: number): number {
    return this.#exports.encodeJson(this.#table, record, out, room)
  }
}
