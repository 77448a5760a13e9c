import { closeSync, openSync } from 'node:fs'
import { constants, zstdCompressSync } from 'node:zlib'
import { TYPE_INT } from '../../wasm/shred-contract.ts'
import { CheckedFile } from './checked-file.ts'
import { binary, compact, type Fields, i32, i32s, i64, struct, structs, texts, type Thrift } from './compact-writer.ts'
import { fileMetaData, MAGIC } from './file-meta-data.ts'
import type { LineTable, RawChunk, RawPage } from './line-table.ts'
import { type Leaf, type ParquetColumn, physicalOf, schemaOf } from './schema.ts'

const [DATA_PAGE, DICTIONARY_PAGE] = [0, 2]
const [PLAIN, RLE, RLE_DICTIONARY] = [0, 3, 8]
const WHOLE_NUMBER = physicalOf(TYPE_INT)
const [UNCOMPRESSED, ZSTD] = [0, 6]
/** Compressing less is not worth a page's head. */
const SMALL_BYTES = 128
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
/** What zstd may add to what it cannot make smaller. */
const PACKED_SLACK = 65_536

export interface ParquetFile {
  readonly rows: number
  /** CRC-32 of its bytes. */
  readonly crc32: number
  /** The least and the greatest number of a column of whole numbers or times; undefined = it has none. */
  span(column: string): readonly [least: bigint, greatest: bigint] | undefined
  /** Rows without a value of a column that is neither list nor map. */
  nulls(column: string): number
}

/**
 * Writes lines of files as a Parquet file, which is on the disk afterwards.
 *
 * @param table of the same columns
 * @throws {OddLinesError} for lines that cannot be read; {Error} with `code` of the system call; the file is then to be removed
 */
export function writeParquet(path: string, columns: readonly ParquetColumn[], table: LineTable, sources: readonly string[]): ParquetFile {
  const file = new GrowingFile(path, table.leaves)
  try {
    table.clear()
    for (const source of sources) takeFile(file, table, source)
    file.addGroup(table)
    return file.close(columns)
  } finally {
    file.end()
  }
}

function takeFile(file: GrowingFile, table: LineTable, path: string): void {
  const fd = openSync(path, 'r')
  try {
    while (!table.take(fd)) {
      file.addGroup(table)
      table.open()
    }
  } finally {
    closeSync(fd)
  }
}

function packed(bytes: Uint8Array): Buffer {
  return zstdCompressSync(bytes, { ...LEVEL, chunkSize: bytes.length + PACKED_SLACK }) // in one piece
}

/** The file while row groups are put behind it. */
class GrowingFile {
  readonly #file: CheckedFile
  readonly #leaves: readonly Leaf[]
  readonly #groups: Fields[] = []
  readonly #spans: ([bigint, bigint] | undefined)[] = []
  readonly #nulls: number[] = []
  #rows = 0

  constructor(path: string, leaves: readonly Leaf[]) {
    this.#file = new CheckedFile(path)
    this.#leaves = leaves
    this.#file.write(MAGIC)
  }

  /** The rows that the table holds; nothing where there are none. */
  addGroup(table: LineTable): void {
    const { rows } = table
    if (rows === 0) return
    const start = this.#file.at
    let rawBytes = 0
    const columns = this.#leaves.map((leaf, index) => {
      const chunk = table.chunk(index)
      this.#measure(index, chunk)
      const { fields, bytes } = this.#addChunk(leaf, chunk, table, index)
      rawBytes += bytes
      return fields
    })
    this.#groups.push([[1, structs(columns)], [2, i64(rawBytes)], [3, i64(rows)], [5, i64(start)], [6, i64(this.#file.at - start)]])
    this.#rows += rows
  }

  close(columns: readonly ParquetColumn[]): ParquetFile {
    this.#file.write(...fileMetaData(schemaOf(columns), this.#rows, this.#groups))
    this.#file.sync()
    const indexOf = (column: string): number => this.#leaves.findIndex(({ path }) => path.length === 1 && path[0] === column)
    return {
      rows: this.#rows, crc32: this.#file.crc32,
      span: column => this.#spans[indexOf(column)], nulls: column => this.#nulls[indexOf(column)] ?? 0,
    }
  }

  /** Without a dictionary, and small, it stands there as it is. */
  #addChunk(leaf: Leaf, { hasDictionary, nulls, least, greatest }: RawChunk, table: LineTable,
    index: number): { readonly fields: Thrift, readonly bytes: number } {
    const start = this.#file.at
    let bytes = 0
    if (hasDictionary) bytes += this.#addPage(table.dictionaryPage(index), true)
    const data = table.dataPage(index)
    const isPacked = hasDictionary || data.bytes.length >= SMALL_BYTES
    const dataAt = this.#file.at
    bytes += this.#addPage(data, isPacked, hasDictionary ? RLE_DICTIONARY : PLAIN)
    const fields = struct([2, i64(start)], [3, struct(
      [1, i32(physicalOf(leaf.type))], [2, i32s(!hasDictionary ? [PLAIN, RLE] : [PLAIN, RLE, RLE_DICTIONARY])], [3, texts(leaf.path)],
      [4, i32(isPacked ? ZSTD : UNCOMPRESSED)], [5, i64(data.values)], [6, i64(bytes)], [7, i64(this.#file.at - start)], [9, i64(dataAt)],
      [11, hasDictionary ? i64(start) : undefined],
      [12, struct([3, i64(nulls)], [5, greatest && binary(greatest)], [6, least && binary(least)])],
    )])
    return { fields, bytes }
  }

  /**
   * @param encoding of a page of values; none = it is a dictionary
   * @returns bytes of it when nothing is packed
   */
  #addPage({ bytes, values }: RawPage, isPacked: boolean, encoding?: number): number {
    const body = isPacked ? packed(bytes) : bytes
    const head = compact([
      [1, i32(encoding === undefined ? DICTIONARY_PAGE : DATA_PAGE)], [2, i32(bytes.length)], [3, i32(body.length)],
      [5, encoding === undefined ? undefined : struct([1, i32(values)], [2, i32(encoding)], [3, i32(RLE)], [4, i32(RLE)])],
      [7, encoding === undefined ? struct([1, i32(values)], [2, i32(PLAIN)]) : undefined],
    ])
    this.#file.write(head, body)
    return head.length + bytes.length
  }

  #measure(index: number, { nulls, least, greatest }: RawChunk): void {
    this.#nulls[index] = (this.#nulls[index] ?? 0) + nulls
    if (physicalOf((this.#leaves[index] as Leaf).type) !== WHOLE_NUMBER || least === undefined || greatest === undefined) return
    const [low, high] = [least, greatest].map(bytes => Buffer.from(bytes).readBigInt64LE()) as [bigint, bigint]
    const known = this.#spans[index]
    this.#spans[index] = known === undefined ? [low, high] : [low < known[0] ? low : known[0], high > known[1] ? high : known[1]]
  }

  end(): void {
    this.#file.close()
  }
}
