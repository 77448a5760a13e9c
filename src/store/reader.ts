import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api'
import { type Answer, checkQuestion, QueryError, type Reader, recordSql } from './answer.ts'
import { type Column, identifier, journalSelect, quote, recordListSql } from './columns.ts'
import { openEngine } from './engine.ts'
import { filterSql } from './filter-sql/mod.ts'
import { headerColumnsOf, JSON_HEADERS, madeHeadersSql, segmentsSelect } from './header-columns.ts'
import { NO_ROWS } from './rollup/cubes.ts'
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
  #engine: DuckDBConnection
  #snapshot: Snapshot
  #timer: NodeJS.Timeout | undefined
  #ended: string | undefined

  private constructor(options: ReaderOptions, engine: DuckDBConnection, snapshot: Snapshot) {
    this.#options = options
    this.#engine = engine
    this.#snapshot = snapshot
  }

  /** @throws {Error} when there is no store in the folder */
  static async open(options: ReaderOptions): Promise<StoreReader> {
    const { engine, snapshot } = await openStore(options, false).catch((error: Error) => {
      if (OF_THE_QUERY.test(error.message)) throw error
      return openStore(options, true)
    })
    return new StoreReader(options, engine, snapshot)
  }

  get notes(): readonly string[] {
    return this.#snapshot.notes
  }

  async ask(sql: string): Promise<Answer> {
    try {
      return await this.#ask(sql)
    } catch (error) {
      if (OF_THE_QUERY.test((error as Error).message) || error instanceof QueryError || this.#ended !== undefined) throw this.#explain(error)
      // Perhaps a file is damaged inside: those that are not as they were written are left out.
      const before = this.notes.length
      const opened = await openStore(this.#options, true)
      this.#close()
      this.#engine = opened.engine
      this.#snapshot = opened.snapshot
      if (this.notes.length === before) throw this.#explain(error)
      return await this.#ask(sql)
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
    return await this.ask(recordSql(recordListSql(this.#options.columns), passes, limit))
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
      await this.#engine.run(`COPY (\n${bare}\n) TO ${quote(this.#options.exportPath ?? '')} (FORMAT parquet, COMPRESSION zstd)`)
    } catch (error) {
      throw this.#explain(error)
    } finally {
      clearTimeout(this.#timer)
    }
  }

  interrupt(why: string): void {
    this.#ended = why
    this.#engine.interrupt()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#close()
  }

  #close(): void {
    this.#engine.closeSync()
    this.#snapshot.close()
  }

  async #ask(sql: string): Promise<Answer> {
    const statement = await this.#prepare(sql)
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

  async #prepare(sql: string): Promise<DuckDBPreparedStatement> {
    checkQuestion(sql)
    const statements = await this.#engine.extractStatements(sql)
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
    const mend = /TIMESTAMP_NS/.test(text) ? `\n${TIMES}`
      : /^Out of Memory/.test(text) ? '\nAsk for less, or raise --memory'
        : /^Permission Error/.test(text) ? '\nA query reads the store and nothing else: no files, no settings' : ''
    return new QueryError(`Cannot run the query: ${text}${mend}`)
  }
}

/** A snapshot is as old as this at most: enough for all questions of one look at a page, and the agent can remove what is too old. */
const FRESH_MS = 2000

/** A store, to be asked again and again. */
export function storeSource(options: Omit<ReaderOptions, 'sinceMs' | 'exportPath'>): RecordSource {
  const { folder, columns } = options
  return { title: `"${folder}"`, columns, words: DUCKDB_WORDS, freshMs: FRESH_MS, open: () => StoreReader.open({ ...options, sinceMs: 0 }) }
}

async function openStore(options: ReaderOptions, thorough: boolean): Promise<{ engine: DuckDBConnection, snapshot: Snapshot }> {
  const snapshot = Snapshot.take(options.folder, options.sinceMs, thorough)
  try {
    const engine = await openEngine(options)
    await engine.run('SET parquet_metadata_cache = true') // a footer has some hundred columns; the files stay as they are
    const { segments, journals } = snapshot
    await engine.run(`CREATE VIEW records AS ${allRecords(snapshot, options)}`)
    await engine.run(`CREATE VIEW rolled_records AS ${allRecords({ segments: segments.filter(isRolled), journals: [] }, options)}`)
    await engine.run(`CREATE VIEW other_records AS ${allRecords({ segments: segments.filter(each => !isRolled(each)), journals }, options)}`)
    await engine.run(`CREATE VIEW rollup AS ${allRollups(segments)}`)
    await engine.run(`CREATE VIEW exchanges AS SELECT * FROM records WHERE "kind" = 'exchange'`)
    await engine.run('CREATE MACRO ago(span) AS (now()::TIMESTAMP - span)::TIMESTAMP_NS')
    const allowed = [...segments, ...journals, ...rollupsOf(segments)].map(readPath)
    if (options.exportPath !== undefined) allowed.push(options.exportPath)
    await engine.run(`SET allowed_paths = [${allowed.map(quote).join(', ')}]`)
    await engine.run('SET enable_external_access = false')
    await engine.run('SET lock_configuration = true')
    return { engine, snapshot }
  } catch (error) {
    snapshot.close()
    throw error
  }
}

/** Every column, whether a segment has it (it may be of an earlier version) or not. */
function allRecords({ segments, journals }: Pick<Snapshot, 'segments' | 'journals'>, { columns, sinceMs }: ReaderOptions): string {
  const headers = headerColumnsOf(columns)
  const all = [...columns, ...headers.map(({ name }) => ({ name, sqlType: 'VARCHAR' }))]
  const parts = [`SELECT ${all.map(({ name, sqlType }) => `NULL::${sqlType} AS ${identifier(name)}`).join(', ')} WHERE false`]
  if (segments.length > 0) parts.push(segmentsSelect(segments.map(file => ({ ...file, path: readPath(file) }))))
  if (journals.length > 0) parts.push(journalSelect(journals.map(readPath), columns, madeHeadersSql(headers, JSON_HEADERS)))
  const where = sinceMs === 0 ? '' : ` WHERE "time" >= make_timestamp_ns(${BigInt(Math.floor(sinceMs)) * 1_000_000n})`
  return `SELECT ${all.map(({ name }) => identifier(name)).join(', ')} FROM (${parts.join(' UNION ALL BY NAME ')})${where}`
}

function isRolled({ rollup }: OpenSegment): boolean {
  return rollup !== undefined
}

function rollupsOf(segments: readonly OpenSegment[]): readonly { readonly fd: number }[] {
  return segments.flatMap(({ rollup }) => rollup ?? [])
}

function allRollups(segments: readonly OpenSegment[]): string {
  const paths = rollupsOf(segments).map(file => quote(readPath(file)))
  return paths.length === 0 ? NO_ROWS : `${NO_ROWS} UNION ALL BY NAME SELECT * FROM read_parquet([${paths.join(', ')}])`
}
