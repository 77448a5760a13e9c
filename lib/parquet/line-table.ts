import { isUtf8 } from 'node:buffer'
import { readSync } from 'node:fs'
import * as S from '../../wasm/shred-contract.ts'
import { PICK_SLACK } from '../../wasm/pick-contract.ts'
import { lineMemory, writeTable } from '../record/mod.ts'
import { type Leaf, leavesOf, type ParquetColumn, shapeOf } from './schema.ts'

/** Text of a row group: it stands in memory until its pages are made. */
const TEXT_BYTES = 36 * 1024 * 1024
const READ_BYTES = 4 * 1024 * 1024
const LF = 10
const OUT_BYTES = 64 * 1024 * 1024
const ARENA_BYTES = 112 * 1024 * 1024
/** Rows of a row group: what a reader skips by least and greatest values, and gives a thread at a time. */
export const GROUP_ROWS = 32_768
const TEXT_STATISTICS_MAX = 64

interface ShredExports {
  openRows(state: number): void
  shredLines(state: number, from: number, end: number): number
  closeLeaf(state: number, leaf: number): number
  isDictionary(leaf: number): number
  dictionaryPage(state: number, leaf: number): number
  dataPage(state: number, leaf: number): number
  measureLeaf(state: number, leaf: number): void
}

/** A page: its bytes are good until the next one is made. */
export interface RawPage {
  readonly bytes: Uint8Array
  readonly values: number
}

/** What one leaf has in a row group. */
export interface RawChunk {
  readonly hasDictionary: boolean
  readonly nulls: number
  /** Of a flat leaf; undefined where it has no value, or one of them is long. */
  readonly least: Uint8Array | undefined
  readonly greatest: Uint8Array | undefined
}

/** Lines that are not in the form that the encoder writes, or too much at once. */
export class OddLinesError extends Error {
  override readonly name = 'OddLinesError'
}

/**
 * Lines of JSON taken apart into columns, in WebAssembly, one row group at a time: `take` until it is full, its chunks, `open` again.
 */
export class LineTable {
  readonly leaves: readonly Leaf[]
  readonly #memory = lineMemory()
  readonly #exports = this.#memory.exports<ShredExports>()
  readonly #state = this.#memory.reserve(S.SHRED_STATE_BYTES)
  readonly #firstLeaf: number
  readonly #text: number
  /** Bytes of text that stand in memory, and those of them whose lines were taken. */
  #held = 0
  #taken = 0

  /** @param columns those that repeat what others hold behind all others */
  constructor(columns: readonly ParquetColumn[]) {
    const memory = this.#memory
    this.leaves = columns.flatMap(leavesOf)
    this.#firstLeaf = memory.reserve(this.leaves.length * S.LEAF_BYTES)
    this.leaves.forEach(({ type, definitionMax, repetitionMax }, index) => {
      const at = this.#leaf(index)
      memory.u8[at + S.LEAF_TYPE] = type
      memory.u8[at + S.LEAF_DEFINITION_MAX] = definitionMax
      memory.u8[at + S.LEAF_REPETITION_MAX] = repetitionMax
    })
    const table = writeTable(memory, columns.filter(({ key }) => key === undefined).map(({ field }) => ({ name: field })))
    this.#text = memory.reserve(TEXT_BYTES + PICK_SLACK)
    const [out, arena] = [memory.reserve(OUT_BYTES), memory.reserve(ARENA_BYTES)]
    const fields = [[S.SHRED_TABLE, table], [S.SHRED_COLUMNS, this.#writeColumns(columns)], [S.SHRED_LEAVES, this.#firstLeaf],
      [S.SHRED_LEAF_COUNT, this.leaves.length], [S.SHRED_ARENA, arena], [S.SHRED_ARENA_END, arena + ARENA_BYTES], [S.SHRED_ROWS_MAX, GROUP_ROWS],
      [S.SHRED_OUT, out], [S.SHRED_OUT_END, out + OUT_BYTES]] as const
    for (const [field, value] of fields) memory.view.setUint32(this.#state + field, value, true)
    this.clear()
  }

  /** Rows of the row group so far. */
  get rows(): number {
    return this.#memory.view.getUint32(this.#state + S.SHRED_ROWS, true)
  }

  /** Begins a row group, with what was read and is in no other. */
  open(): void {
    this.#memory.u8.copyWithin(this.#text, this.#text + this.#taken, this.#text + this.#held)
    this.#held -= this.#taken
    this.#taken = 0
    this.#exports.openRows(this.#state)
  }

  /** Forgets what was read, too. */
  clear(): void {
    this.#held = this.#taken = 0
    this.open()
  }

  /**
   * Takes the lines of a file, from where it was read to: to its end, or until the row group is full.
   *
   * @returns true at the end of the file
   * @throws {OddLinesError} nothing of the row group is then to be used
   */
  take(fd: number): boolean {
    const { u8 } = this.#memory
    for (;;) {
      if (!this.#takeHeld()) return false
      const at = this.#text + this.#held
      const read = readSync(fd, u8, at, Math.min(READ_BYTES, TEXT_BYTES - this.#held), null)
      if (read > 0) this.#held += read
      else if (this.#held < TEXT_BYTES) {
        if (this.#held > this.#taken) throw new OddLinesError('its last line has no end')
        return true
      } else if (this.rows > 0) return false
      else throw new OddLinesError('a line is too long')
    }
  }

  /** @returns false when the row group is full */
  #takeHeld(): boolean {
    const { u8 } = this.#memory
    const from = this.#text + this.#taken
    const held = this.#text + this.#held
    const end = u8.subarray(from, held).lastIndexOf(LF) + 1 + from
    if (!isUtf8(u8.subarray(from, end))) throw new OddLinesError('no UTF-8')
    const taken = this.#exports.shredLines(this.#state, from, end)
    if (taken === S.SHRED_ODD) throw new OddLinesError('a line is not as the encoder writes it')
    this.#taken += taken
    return from + taken === end && this.rows < GROUP_ROWS
  }

  /** What a leaf holds. */
  chunk(index: number): RawChunk {
    const { view } = this.#memory
    const at = this.#leaf(index)
    const [values, slots] = [view.getUint32(at + S.LEAF_COUNT, true), this.#exports.closeLeaf(this.#state, at)]
    return { hasDictionary: values > 0 && this.#exports.isDictionary(at) !== 0, nulls: slots - values, ...this.#ends(index, values) }
  }

  /** @throws {OddLinesError} */
  dictionaryPage(index: number): RawPage {
    const at = this.#leaf(index)
    return { bytes: this.#page(this.#exports.dictionaryPage(this.#state, at)), values: this.#memory.view.getUint32(at + S.LEAF_ENTRY_COUNT, true) }
  }

  /** Of a chunk that was asked for. @throws {OddLinesError} */
  dataPage(index: number): RawPage {
    const at = this.#leaf(index)
    return { bytes: this.#page(this.#exports.dataPage(this.#state, at)), values: this.#memory.view.getUint32(at + S.LEAF_SLOTS, true) }
  }

  #ends(index: number, values: number): { readonly least: Uint8Array | undefined, readonly greatest: Uint8Array | undefined } {
    const { type, repetitionMax } = this.leaves[index] as Leaf
    if (values === 0 || repetitionMax > 0 || type === S.TYPE_BOOL) return { least: undefined, greatest: undefined }
    this.#exports.measureLeaf(this.#state, this.#leaf(index))
    const [least, greatest] = [this.#end(type, S.SHRED_LEAST), this.#end(type, S.SHRED_GREATEST)]
    return least === undefined || greatest === undefined ? { least: undefined, greatest: undefined } : { least, greatest }
  }

  #end(type: number, field: number): Uint8Array | undefined {
    const at = this.#state + field
    if (type !== S.TYPE_TEXT) return this.#memory.read(at, 8)
    const [start, length] = [this.#memory.view.getUint32(at, true), this.#memory.view.getUint32(at + 4, true)]
    return length > TEXT_STATISTICS_MAX ? undefined : this.#memory.read(start, length)
  }

  #page(length: number): Uint8Array {
    if (length === S.SHRED_ODD) throw new OddLinesError('a value is not of its type, or there is too much of one row group')
    const out = this.#memory.view.getUint32(this.#state + S.SHRED_OUT, true)
    return this.#memory.u8.subarray(out, out + length)
  }

  #leaf(index: number): number {
    return this.#firstLeaf + index * S.LEAF_BYTES
  }

  #writeColumns(columns: readonly ParquetColumn[]): number {
    const { view } = this.#memory
    const at = this.#memory.reserve(columns.length * S.COLUMN_BYTES)
    let leaf = 0
    columns.forEach((column, index) => {
      view.setUint32(at + index * S.COLUMN_BYTES + S.COLUMN_LEAF, this.#leaf(leaf), true)
      view.setUint32(at + index * S.COLUMN_BYTES + S.COLUMN_SHAPE, shapeOf(column.type), true)
      if (column.key === undefined) this.#writeCopies(at + index * S.COLUMN_BYTES, columns, column.field)
      leaf += leavesOf(column).length
    })
    return at
  }

  /** The keys whose first values are repeated in columns of their own. */
  #writeCopies(at: number, columns: readonly ParquetColumn[], field: string): void {
    const { view, u8 } = this.#memory
    const copies = columns.flatMap(({ key, ...column }, index) => (
      column.field === field && key !== undefined ? [{ key: Buffer.from(key), index }] : []))
    const table = this.#memory.reserve(copies.length * S.COPY_BYTES + 16)
    view.setUint32(at + S.COLUMN_COPIES, table, true)
    view.setUint32(at + S.COLUMN_COPY_COUNT, copies.length, true)
    copies.forEach(({ key, index }, number) => {
      const text = this.#memory.reserve(key.length + PICK_SLACK)
      u8.set(key, text)
      const leaf = columns.slice(0, index).reduce((sum, column) => sum + leavesOf(column).length, 0)
      const fields = [[S.COPY_KEY, text], [S.COPY_KEY_LENGTH, key.length], [S.COPY_LEAF, this.#leaf(leaf)]] as const
      for (const [offset, value] of fields) view.setUint32(table + number * S.COPY_BYTES + offset, value, true)
    })
  }
}
