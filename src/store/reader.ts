import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api'
import { type Answer, checkQuestion, MemoryError, QueryError, type Reader, recordSql } from './answer.ts'
import { type Column, quote, recordListSql } from './columns.ts'
import { openEngine } from './engine.ts'
import { filterSql } from './filter-sql/mod.ts'
import { RecordViews } from './record-views.ts'
import { NO_ROWS } from './rollup/cubes.ts'
import type { Span } from './rollup/rolled.ts'
import { type OpenSegment, readPath, Snapshot } from './snapshot.ts'
import { plainValue, type PlainValue } from './plain-value.ts'
import type { RecordSource } from './record-source.ts'
import { DUCKDB_WORDS } from './view-sql/mod.ts'

export interface ReaderOptions {
  readonly folder: string
  readonly columns: readonly Column[]
  /** Only records from this time on; milliseconds since the epoch, 0 = all. */
  readonly sinceMs: number
  readonly threads: number
  readonly memoryMiB: number
  /** A query that takes longer is ended. */
  readonly timeoutMs: number
  /** The one file that `exportTo` may write. */
  readonly exportPath?: string
}

/** DuckDB's StatementType of SELECT, and of FROM-first queries. */
const SELECT = 1
const TIMES = `To compare times write "time" > ago(INTERVAL 1 HOUR), or "time" > TIMESTAMP_NS '2026-01-31 12:00:00'`
/** Errors that say what is wrong with the query, not with a file. */
const OF_THE_QUERY = /^(Parser|Binder|Catalog|Permission|Interrupt|Out of Memory|Syntax|Not implemented)\b/i

/** All questions of one look at a page are answered out of one snapshot. */
const FRESH_MS = 2000
/** Opening costs a look at each file. While one is open, however, the agent removes nothing that is too old. */
const OPEN_MS_MAX = 30_000

/**
 * Answers questions about a store, while the agent writes to it and after: over its segments, and the journals that are not
 * packed yet, as they were when it was opened. Whatever was settled as written by then is there.
 *
 * The SQL may be anybody's. It runs in a DuckDB in memory that can open the files of the snapshot and nothing else
 * (`enable_external_access` off, `allowed_paths`), whose settings are locked, as a single SELECT, within bounds of memory,
 * threads and time.
 */
export class StoreReader implements Reader {
  readonly #options: ReaderOptions
  #store: OpenStore
  #openedAt = performance.now()
  #timer: NodeJS.Timeout | undefined
  #ended: string | undefined

  private constructor(options: ReaderOptions, store: OpenStore) {
    this.#options = options
    this.#store = store
  }

  /** @throws {Error} when there is no store in the folder */
  static async open(options: ReaderOptions): Promise<StoreReader> {
    const store = await openStore(options, false).catch((error: Error) => {
      if (OF_THE_QUERY.test(error.message)) throw error
      return openStore(options, true)
    })
    return new StoreReader(options, store)
  }

  get notes(): readonly string[] {
    return this.#store.snapshot.notes
  }

  isFresh(): boolean {
    const age = performance.now() - this.#openedAt
    return age < FRESH_MS || (age < OPEN_MS_MAX && this.#store.snapshot.isCurrent(this.#options.folder))
  }

  async ask(sql: string, span?: Span): Promise<Answer> {
    try {
      return await this.#ask(sql, span)
    } catch (error) {
      if (OF_THE_QUERY.test((error as Error).message) || error instanceof QueryError || this.#ended !== undefined) throw this.#explain(error)
      // Perhaps a file is damaged inside: those that are not as they were written are left out.
      const before = this.notes.length
      const opened = await openStore(this.#options, true)
      this.#close()
      this.#store = opened
      this.#openedAt = performance.now()
      if (this.notes.length === before) throw this.#explain(error)
      return await this.#ask(sql, span)
    }
  }

  async records(filter: string, limit: number): Promise<Answer> {
    if (limit === 0) return await this.ask(this.recordSql(filter, limit))
    const condition = filterSql(filter, this.#options.columns)
    // Their times first, by themselves: a record has some hundred columns, which are then read of the end of the store only.
    const newest = `SELECT "time" FROM records WHERE ${condition} ORDER BY "time" DESC LIMIT ${limit}`
    const times = await this.ask(`SELECT epoch_ns(min("time"))::VARCHAR FROM (${newest})`)
    let oldest: PlainValue = null
    for await (const [[time = null] = []] of times.rows) oldest = time
    const passes = oldest === null ? 'false' : `"time" >= make_timestamp_ns(${oldest}) AND (${condition})`
    const span = { fromMs: Number(BigInt(String(oldest ?? 0)) / 1_000_000n), toMs: Number.MAX_SAFE_INTEGER }
    return await this.ask(recordSql(recordListSql(this.#options.columns), passes, limit), span)
  }

  /** The same as one statement, for who writes it to a file. */
  recordSql(filter: string, limit: number): string {
    return recordSql(recordListSql(this.#options.columns), filterSql(filter, this.#options.columns), limit)
  }

  /** Writes what a SELECT gives as Parquet to `exportPath`. */
  async exportTo(sql: string): Promise<void> {
    try {
      await this.#prepare(sql)
      this.#startTimer()
      const bare = sql.replace(/[\s;]+$/, '')
      await this.#store.engine.run(`COPY (\n${bare}\n) TO ${quote(this.#options.exportPath ?? '')} (FORMAT parquet, COMPRESSION zstd)`)
    } catch (error) {
      throw this.#explain(error)
    } finally {
      clearTimeout(this.#timer)
    }
  }

  interrupt(why: string): void {
    this.#ended = why
    this.#store.engine.interrupt()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#close()
  }

  #close(): void {
    this.#store.engine.closeSync()
    this.#store.snapshot.close()
  }

  async #ask(sql: string, span?: Span): Promise<Answer> {
    const statement = await this.#prepare(sql, span)
    this.#startTimer()
    const result = await statement.stream()
    // The first piece at once: what is wrong with a file shows before anything was given.
    const first = await result.fetchChunk()
    const explain = (error: unknown): Error => this.#explain(error)
    const timer = this.#timer
    async function* rows(): AsyncGenerator<readonly PlainValue[][]> {
      try {
        for (let chunk = first; chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
          yield chunk.getRows().map(row => row.map(plainValue))
        }
      } catch (error) {
        throw explain(error)
      } finally {
        clearTimeout(timer)
      }
    }
    return { names: result.deduplicatedColumnNames(), rows: rows() }
  }

  async #prepare(sql: string, span?: Span): Promise<DuckDBPreparedStatement> {
    checkQuestion(sql)
    const { engine, views } = this.#store
    await views.narrow(span)
    const statements = await engine.extractStatements(sql)
    if (statements.count !== 1) throw new QueryError(`Cannot run ${statements.count} statements: write one SELECT`)
    const statement = await statements.prepare(0)
    if ((statement.statementType as number) !== SELECT) throw new QueryError('Cannot run this SQL: a query is one SELECT, and changes nothing')
    return statement
  }

  #startTimer(): void {
    clearTimeout(this.#timer)
    const { timeoutMs } = this.#options
    this.#timer = setTimeout(() => { this.interrupt(`it took longer than ${timeoutMs / 1000} s; ask for less, or raise --timeout`) }, timeoutMs)
    this.#timer.unref()
  }

  #explain(error: unknown): Error {
    if (error instanceof QueryError) return error
    if (this.#ended !== undefined) return new QueryError(`Cannot finish the query: ${this.#ended}`)
    const text = (error as Error).message
    if (/^Out of Memory/.test(text)) return new MemoryError(`Cannot run the query: ${text}\nAsk for less, or raise --memory`)
    const mend = /TIMESTAMP_NS/.test(text) ? `\n${TIMES}`
      : /^Permission Error/.test(text) ? '\nA query reads the store and nothing else: no files, no settings' : ''
    return new QueryError(`Cannot run the query: ${text}${mend}`)
  }
}

/** A store, to be asked again and again. */
export function storeSource(options: Omit<ReaderOptions, 'sinceMs' | 'exportPath'>): RecordSource {
  const { folder, columns } = options
  return { title: `"${folder}"`, columns, words: DUCKDB_WORDS, open: () => StoreReader.open({ ...options, sinceMs: 0 }) }
}

/** A snapshot, and the engine that can read it and nothing else. */
interface OpenStore {
  readonly engine: DuckDBConnection
  readonly snapshot: Snapshot
  readonly views: RecordViews
}

async function openStore(options: ReaderOptions, thorough: boolean): Promise<OpenStore> {
  const snapshot = Snapshot.take(options.folder, options.sinceMs, thorough)
  try {
    const engine = await openEngine(options)
    await engine.run('SET parquet_metadata_cache = true') // a footer has some hundred columns; the files stay as they are
    const { segments, journals } = snapshot
    const views = await RecordViews.create(engine, snapshot, options.columns, options.sinceMs)
    await engine.run(`CREATE VIEW rollup AS ${allRollups(segments)}`)
    await engine.run('CREATE MACRO ago(span) AS (now()::TIMESTAMP - span)::TIMESTAMP_NS')
    const allowed = [...segments, ...journals, ...rollupsOf(segments)].map(readPath)
    if (options.exportPath !== undefined) allowed.push(options.exportPath)
    await engine.run(`SET allowed_paths = [${allowed.map(quote).join(', ')}]`)
    await engine.run('SET enable_external_access = false')
    await engine.run('SET lock_configuration = true')
    return { engine, snapshot, views }
  } catch (error) {
    snapshot.close()
    throw error
  }
}

function rollupsOf(segments: readonly OpenSegment[]): readonly { readonly fd: number }[] {
  return segments.flatMap(({ rollup }) => rollup ?? [])
}

function allRollups(segments: readonly OpenSegment[]): string {
  const paths = rollupsOf(segments).map(file => quote(readPath(file)))
  return paths.length === 0 ? NO_ROWS : `${NO_ROWS} UNION ALL BY NAME SELECT * FROM read_parquet([${paths.join(', ')}])`
}
