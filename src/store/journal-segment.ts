import { rmSync } from 'node:fs'
import { LineTable, OddLinesError, type ParquetColumn, type ParquetFile, type ParquetType, writeParquet } from '../../lib/parquet/mod.ts'
import type { Column } from './columns.ts'
import { headerColumnsOf } from './header-columns.ts'
import { checksumText, type Made, nameSegment, type Numbers, unfinishedSegment } from './segment.ts'

/** Of every record: what a line without them is, others have to say. */
const KIND = 'kind'
const TIME = 'time'
const NS_PER_MS = 1_000_000n

/**
 * Makes segments of journals in a pass of its own over their lines, at a third of what DuckDB takes. It reads what the encoder writes;
 * about anything else it says so, and DuckDB is to be asked.
 */
export class JournalSegments {
  readonly #columns: readonly ParquetColumn[]
  #table: LineTable | undefined

  constructor(columns: readonly Column[]) {
    const repeated = headerColumnsOf(columns).map(({ name, field, header }): ParquetColumn => ({ name, field, key: header, type: 'VARCHAR' }))
    this.#columns = [...columns.map(({ name, field, sqlType }) => ({ name, field, type: sqlType as ParquetType })), ...repeated]
  }

  /**
   * Writes the records of journals that are mended as a segment: whole and on the disk before it gets its name.
   *
   * @param records how many there are
   * @throws {OddLinesError} when there is none, or not every one can be read; {Error} of the file system; no segment was made
   */
  write(folder: string, journals: readonly string[], numbers: Numbers, records: number): Made {
    const path = unfinishedSegment(folder, numbers)
    try {
      const file = writeParquet(path, this.#columns, this.#table ??= new LineTable(this.#columns), journals)
      if (file.rows === 0 || file.rows !== records || file.nulls(KIND) > 0) throw new OddLinesError('a line is no record')
      return { segment: nameSegment(folder, path, { ...numbers, ...timesOf(file), crc32: checksumText(file.crc32) }), rows: records }
    } catch (error) {
      rmSync(path, { force: true })
      throw error
    }
  }
}

function timesOf(file: ParquetFile): { readonly fromMs: number, readonly toMs: number } {
  const [from, to] = file.span(TIME) ?? [0n, 0n]
  return { fromMs: Math.max(0, Number(from / NS_PER_MS)), toMs: Math.max(0, Number(to / NS_PER_MS)) }
}
