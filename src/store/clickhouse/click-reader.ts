import { type HttpConfig, NoAnswer, Transport } from '../../sink/http/mod.ts'
import { type Answer, checkQuestion, QueryError, type Reader, recordSql } from '../answer.ts'
import type { Column } from '../columns.ts'
import { CLICKHOUSE, filterSql } from '../filter-sql/mod.ts'
import type { PlainValue } from '../plain-value.ts'
import type { RecordSource } from '../record-source.ts'
import { CLICK_WORDS } from '../view-sql/mod.ts'
import { FORMAT, readAnswer } from './click-answer.ts'
import { recordColumns, recordRow } from './click-records.ts'
import { clickQuote } from './click-text.ts'

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

const CODE = 'x-clickhouse-exception-code'
/** Of what a server says is wrong. */
const SAID_BYTES_MAX = 4096

/**
 * Answers questions from the tables that `lintel clickhouse schema` makes. The SQL may be anybody's: it runs with `readonly`, which allows
 * one SELECT, no functions that reach other servers or files, and no change of settings, within bounds of memory and time. What else
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
      http_write_exception_in_output_format: '0', date_time_output_format: 'iso', output_format_json_quote_64bit_integers: '1',
      output_format_json_quote_denormals: '1', output_format_json_map_as_array_of_tuples: '1', output_format_json_named_tuples_as_objects: '0',
      ...sinceMs === 0 ? {} : { additional_table_filters: `{${clickQuote(`${database}.records`)}: ${clickQuote(since)}}` },
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
    try {
      const { status, headers, body } = await this.#transport.open(post, this.#stop.signal)
      if (status !== 200) throw new QueryError(`Cannot run the query: ${this.#said(headers[CODE], await beginningOf(body))}`)
      const { names, rows } = await readAnswer(body, text => this.#transport.clean(text)).catch((error: unknown) => {
        body.destroy() // else it would keep the connection
        throw error
      })
      return { names, rows: this.#explained(rows) }
    } catch (error) {
      throw this.#explain(error)
    }
  }

  async *#explained(rows: Answer['rows']): Answer['rows'] {
    try {
      yield* rows
    } catch (error) {
      throw this.#explain(error)
    }
  }

  #explain(error: unknown): unknown {
    if (this.#ended !== undefined) return new QueryError(`Cannot finish the query: ${this.#ended}`)
    if (error instanceof QueryError) return error
    if (error instanceof NoAnswer) return new QueryError(error.message)
    return new QueryError(`Cannot finish the query: the answer broke off: ${this.#transport.clean((error as Error).message)}`)
  }

  /** Its answers are those of the moment. */
  isFresh(): boolean {
    return true
  }

  interrupt(why: string): void {
    this.#ended = why
    this.#stop.abort()
  }

  close(): void {
    this.#transport.close()
  }

  #said(code: string | string[] | undefined, body: string): string {
    const text = this.#transport.clean(body)
    switch (Number(code)) {
      case 60: case 81: return `${text}\nThe tables are made by: lintel clickhouse schema`
      case 159: return `${text}\nAsk for less, or raise --timeout`
      case 164: return `${text}\nA query is one SELECT over the tables: it changes nothing, and reads no files or other servers`
      case 241: return `${text}\nAsk for less, or raise --memory`
      default: return text
    }
  }
}

/** A server's tables, to be asked again and again. @throws {Error} with the mend, when a secret or certificate is not to be had */
export function clickSource(options: Omit<ClickReaderOptions, 'sinceMs'>): RecordSource {
  const { server, database, columns } = options
  const open = (): ClickReader => new ClickReader({ ...options, sinceMs: 0 })
  open().close()
  const title = `database "${database}" at ${new URL(server.url).origin}`
  return { title, columns, words: CLICK_WORDS, open: async () => open() }
}

/** The beginning of a body, the rest of which is not read. */
async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of body) {
    parts.push(part)
    if (parts.reduce((sum, { length }) => sum + length, 0) >= SAID_BYTES_MAX) break
  }
  return Buffer.concat(parts).toString('utf8', 0, SAID_BYTES_MAX)
}
