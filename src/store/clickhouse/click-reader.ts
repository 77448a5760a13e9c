import { type HttpConfig, NoAnswer, Transport } from '../../sink/http/mod.ts'
import { type Answer, checkQuestion, QueryError, type Reader, recordSql } from '../answer.ts'
import type { Column } from '../columns.ts'
import { CLICKHOUSE, filterSql } from '../filter-sql/mod.ts'
import type { PlainValue } from '../plain-value.ts'
import { recordColumns, recordRow } from './click-records.ts'
import { clickName } from './click-text.ts'
import { clickValue } from './click-value.ts'

export interface ClickReaderOptions {
  readonly server: Omit<HttpConfig, 'compression' | 'timeout'>
  readonly database: string
  readonly columns: readonly Column[]
  /** Only records from this time on; milliseconds since the epoch, 0 = all. */
  readonly sinceMs: number
  readonly memoryMiB: number
  /** A query that takes longer is ended. */
  readonly timeoutMs: number
}

const FORMAT = 'JSONCompactEachRowWithNamesAndTypes'
const ROWS_A_PIECE = 2048
/** Of an answer: it is read as a whole. */
const ANSWER_BYTES_MAX = 30 * 1024 * 1024

/**
 * Answers questions from the tables that `lintel clickhouse schema` makes. The SQL may be anybody's: it runs with `readonly`, which allows
 * one SELECT, no functions that reach other servers or files, and no change of settings, within bounds of memory, time and rows. What else
 * it may see is what the user was granted.
 *
 * Of records that are there twice it sees one (`final`).
 */
export class ClickReader implements Reader {
  readonly notes: readonly string[] = []
  readonly #transport: Transport
  readonly #settings: Readonly<Record<string, string>>
  readonly #columns: readonly Column[]
  readonly #stop = new AbortController()
  #ended: string | undefined

  /** @throws {Error} with the mend, when a secret or certificate is not to be had */
  constructor(options: ClickReaderOptions) {
    const { database, sinceMs, memoryMiB, timeoutMs } = options
    this.#columns = options.columns
    this.#transport = new Transport({ ...options.server, timeout: timeoutMs + 5000, compression: 'none' })
    const since = `time >= fromUnixTimestamp64Milli(${Math.floor(sinceMs)}, 'UTC')`
    this.#settings = {
      database, default_format: FORMAT, readonly: '1', final: '1', do_not_merge_across_partitions_select_final: '1',
      max_execution_time: String(Math.ceil(timeoutMs / 1000)), max_memory_usage: String(memoryMiB * 1024 * 1024),
      max_result_bytes: String(ANSWER_BYTES_MAX), result_overflow_mode: 'throw', date_time_output_format: 'iso',
      output_format_json_quote_64bit_integers: '1', output_format_json_quote_denormals: '1', output_format_json_map_as_array_of_tuples: '1',
      output_format_json_named_tuples_as_objects: '0',
      ...sinceMs === 0 ? {} : { additional_table_filters: `{'${clickName(database).slice(1, -1)}.records': '${since.replaceAll("'", "\\'")}'}` },
    }
  }

  async records(filter: string, limit: number): Promise<Answer> {
    const columns = this.#columns
    const { rows } = await this.ask(recordSql(recordColumns(columns), filterSql(filter, columns, CLICKHOUSE), limit))
    async function* records(): AsyncGenerator<readonly PlainValue[][]> {
      for await (const piece of rows) yield piece.map(row => recordRow(columns, row))
    }
    return { names: columns.map(({ name }) => name), rows: records() }
  }

  async ask(sql: string): Promise<Answer> {
    checkQuestion(sql)
    const path = `/?${new URLSearchParams(this.#settings)}`
    const post = { path, type: 'text/plain; charset=utf-8', body: Buffer.from(sql.replace(/[\s;]+$/, '')) }
    const { status, headers, body } = await this.#transport.post(post, this.#stop.signal).catch((error: Error) => {
      if (this.#ended !== undefined) throw new QueryError(`Cannot finish the query: ${this.#ended}`)
      throw error instanceof NoAnswer ? new QueryError(error.message) : error
    })
    if (status !== 200) throw new QueryError(`Cannot run the query: ${this.#said(headers['x-clickhouse-exception-code'], body)}`)
    return answerOf(body.toString())
  }

  interrupt(why: string): void {
    this.#ended = why
    this.#stop.abort()
  }

  close(): void {
    this.#transport.close()
  }

  #said(code: string | string[] | undefined, body: Buffer): string {
    const text = this.#transport.clean(body.toString('utf8', 0, 4096))
    switch (Number(code)) {
      case 60: case 81: return `${text}\nThe tables are made by: lintel clickhouse schema`
      case 159: return `${text}\nAsk for less, or raise --timeout`
      case 164: return `${text}\nA query is one SELECT over the tables: it changes nothing, and reads no files or other servers`
      case 241: return `${text}\nAsk for less, or raise --memory`
      case 396: return `${text}\nThe answer is longer than ${ANSWER_BYTES_MAX} bytes: ask for fewer rows`
      default: return text
    }
  }
}

function answerOf(text: string): Answer {
  const [first, second, ...lines] = text.split('\n').filter(line => line !== '')
  let names: string[]
  let types: string[]
  try {
    names = JSON.parse(first as string) as string[]
    types = JSON.parse(second as string) as string[]
  } catch {
    throw new QueryError('Cannot read the answer: leave FORMAT out of the query; or is it no ClickHouse?')
  }
  async function* rows(): AsyncGenerator<readonly PlainValue[][]> {
    for (let at = 0; at < lines.length; at += ROWS_A_PIECE) {
      yield lines.slice(at, at + ROWS_A_PIECE).map(line => rowOf(types, JSON.parse(line) as unknown[]))
    }
  }
  return { names, rows: rows() }
}

function rowOf(types: readonly string[], values: readonly unknown[]): PlainValue[] {
  return values.map((value, index) => clickValue(types[index] as string, value))
}
