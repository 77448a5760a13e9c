import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { clean, cut, paintFor, prettyLine } from '../src/sink/mod.ts'
import { csvQuoted, jsonText } from '../src/store/mod.ts'
import type { PlainValue } from '../src/store/mod.ts'

export const FORMATS = ['table', 'ndjson', 'csv', 'parquet', 'har'] as const
export type Format = (typeof FORMATS)[number]

/** Rows whose widths decide those of a table; later ones are cut to them. */
const MEASURED_ROWS = 1000
const CELL_MAX = 80

/** Writes rows as they come, no faster than they are read. */
export class AnswerPrinter {
  readonly #stream: Writable
  readonly #line: (row: readonly PlainValue[]) => string
  readonly #names: readonly string[]
  readonly #isTable: boolean
  #waiting: readonly PlainValue[][] = []
  #widths: readonly number[] | undefined

  /**
   * @param record a row as the line of a record, when the rows are records: a table then shows them as `--output pretty` does
   * @param line   a row as a line of NDJSON
   */
  constructor(stream: Writable & { readonly columns?: number }, format: Format, names: readonly string[],
    record?: (row: readonly PlainValue[]) => string, line?: (row: readonly PlainValue[]) => string) {
    this.#stream = stream
    this.#names = names
    this.#isTable = format === 'table' && record === undefined
    const paint = paintFor(stream)
    this.#line = line ?? (format === 'csv' ? row => row.map(csvCell).join(',')
      : record === undefined ? row => this.#tableLine(row.map(cellText))
        : row => prettyLine(JSON.parse(record(row)) as Record<string, unknown>, paint, stream.columns || undefined))
    if (format === 'csv') stream.write(`${names.map(csvQuoted).join(',')}\r\n`)
    this.#ending = format === 'csv' ? '\r\n' : '\n'
  }

  readonly #ending: string

  async rows(rows: readonly PlainValue[][]): Promise<void> {
    if (this.#isTable && this.#widths === undefined) {
      this.#waiting = [...this.#waiting, ...rows]
      if (this.#waiting.length >= MEASURED_ROWS) await this.#begin()
      return
    }
    await this.#write(rows)
  }

  async end(): Promise<void> {
    if (this.#isTable && this.#widths === undefined) await this.#begin()
  }

  async #begin(): Promise<void> {
    const cells = this.#waiting.map(row => row.map(cellText))
    this.#widths = this.#names.map((name, column) => Math.min(CELL_MAX, Math.max(name.length, ...cells.map(row => row[column]?.length ?? 0))))
    this.#stream.write(`${this.#tableLine(this.#names.map(clean))}\n`)
    await this.#write(this.#waiting)
    this.#waiting = []
  }

  async #write(rows: readonly PlainValue[][]): Promise<void> {
    if (rows.length === 0) return
    await writeTo(this.#stream, rows.map(row => this.#line(row) + this.#ending).join(''))
  }

  #tableLine(cells: readonly string[]): string {
    return cells.map((cell, column) => cut(cell, this.#widths?.[column] ?? CELL_MAX).padEnd(this.#widths?.[column] ?? 0)).join('  ').trimEnd()
  }
}

/** Writes no faster than it is read. */
export async function writeTo(stream: Writable, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain')
}

/** Without control characters: values come from traffic. */
function cellText(value: PlainValue): string {
  return value === null ? '' : clean(typeof value === 'string' ? value : jsonText(value))
}

/** Lists and maps as JSON. */
function csvCell(value: PlainValue): string {
  return value === null ? '' : csvQuoted(typeof value === 'string' ? value : jsonText(value))
}
