import type { DuckDBConnection } from '@duckdb/node-api'
import { type Column, identifier, journalSelect, quote } from './columns.ts'
import { type HeaderColumn, headerColumnsOf, JSON_HEADERS, madeHeadersSql } from './header-columns.ts'
import type { Span } from './rollup/rolled.ts'
import { type OpenFile, type OpenSegment, readPath, type Snapshot } from './snapshot.ts'

/** Schemas that were looked at: files stay as they are, and a name is one file's for good. */
const SCHEMAS = new Map<string, string>()
const SCHEMAS_MAX = 10_000

/** Segments with the same columns: DuckDB takes the first one's for all of a list, and looks at no other before it reads it. */
interface AlikeSegments {
  readonly names: ReadonlySet<string>
  readonly hasHeaderColumns: boolean
  readonly segments: readonly OpenSegment[]
}

/**
 * The views over a snapshot that questions are asked of: `records`, `exchanges`, `rolled_records` (of segments with a roll-up) and
 * `other_records` (the rest). They have every column, whether a segment has it (it may be of an earlier version) or not.
 *
 * A question over them costs a look at each file for each column that is asked for: 25 ms for all columns of a file. So they can be
 * narrowed to the segments that a span of time may be in.
 */
export class RecordViews {
  readonly #engine: DuckDBConnection
  readonly #journals: readonly OpenFile[]
  readonly #segments: readonly OpenSegment[]
  readonly #alike: readonly AlikeSegments[]
  readonly #words: ColumnWords
  /** Which segments the views are narrowed to; undefined = they are of all. */
  #narrowed: string | undefined

  private constructor(engine: DuckDBConnection, { journals, segments }: Snapshot, alike: readonly AlikeSegments[], words: ColumnWords) {
    this.#engine = engine
    this.#journals = journals
    this.#segments = segments
    this.#alike = alike
    this.#words = words
  }

  /**
   * @param sinceMs records from this time on; milliseconds since the epoch, 0 = all
   * @throws {Error} of DuckDB, for a segment that it cannot read
   */
  static async create(engine: DuckDBConnection, snapshot: Snapshot, columns: readonly Column[], sinceMs: number): Promise<RecordViews> {
    const views = new RecordViews(engine, snapshot, await alikeOf(engine, snapshot.segments), new ColumnWords(columns, sinceMs))
    await views.#make('main', snapshot.segments)
    return views
  }

  /** Questions are about this span from now on, and what they say of other times is not looked at; undefined = about all. */
  async narrow(span: Span | undefined): Promise<void> {
    const within = this.#segments.filter(({ fromMs, toMs }) => span === undefined || (toMs >= span.fromMs && fromMs < span.toMs))
    const narrowed = within.length === this.#segments.length ? undefined : within.map(({ fd }) => fd).join(' ')
    if (narrowed === this.#narrowed) return
    if (narrowed === undefined) await this.#drop()
    else await this.#make('temp', within)
    this.#narrowed = narrowed
  }

  /** @param schema temporary views are found before the others */
  async #make(schema: 'main' | 'temp', segments: readonly OpenSegment[]): Promise<void> {
    const views = {
      records: this.#select(segments, this.#journals),
      rolled_records: this.#select(segments.filter(isRolled), []),
      other_records: this.#select(segments.filter(segment => !isRolled(segment)), this.#journals),
      exchanges: `SELECT * FROM ${schema}.records WHERE "kind" = 'exchange'`,
    }
    const kind = schema === 'temp' ? 'TEMP VIEW' : 'VIEW'
    for (const [name, select] of Object.entries(views)) await this.#engine.run(`CREATE OR REPLACE ${kind} ${name} AS ${select}`)
  }

  async #drop(): Promise<void> {
    for (const name of ['exchanges', 'records', 'rolled_records', 'other_records']) await this.#engine.run(`DROP VIEW temp.${name}`)
  }

  #select(segments: readonly OpenSegment[], journals: readonly OpenFile[]): string {
    const asked = new Set(segments)
    const parts = this.#alike.flatMap(alike => {
      const paths = alike.segments.filter(segment => asked.has(segment)).map(readPath)
      return paths.length === 0 ? [] : [this.#words.ofSegments(alike, paths)]
    })
    if (journals.length > 0) parts.push(this.#words.ofJournals(journals.map(readPath)))
    return this.#words.together(parts)
  }
}

/** SELECTs of all columns, in one order. */
class ColumnWords {
  readonly #columns: readonly Column[]
  readonly #headers: readonly HeaderColumn[]
  readonly #where: string

  constructor(columns: readonly Column[], sinceMs: number) {
    this.#columns = columns
    this.#headers = headerColumnsOf(columns)
    this.#where = sinceMs === 0 ? '' : ` WHERE "time" >= make_timestamp_ns(${BigInt(Math.floor(sinceMs)) * 1_000_000n})`
  }

  ofSegments({ names, hasHeaderColumns }: AlikeSegments, paths: readonly string[]): string {
    const made = hasHeaderColumns ? '' : madeHeadersSql(this.#headers)
    const there = hasHeaderColumns ? names : names.union(new Set(this.#headers.map(({ name }) => name)))
    return `SELECT ${this.#list(there)} FROM (SELECT *${made} FROM read_parquet([${paths.map(quote).join(', ')}]))`
  }

  ofJournals(paths: readonly string[]): string {
    return `SELECT ${this.#list()} FROM (${journalSelect(paths, this.#columns, madeHeadersSql(this.#headers, JSON_HEADERS))})`
  }

  together(parts: readonly string[]): string {
    const all = parts.length > 0 ? parts.join(' UNION ALL ') : `SELECT ${this.#list(new Set())} WHERE false`
    return `SELECT ${this.#list()} FROM (${all})${this.#where}`
  }

  /** @param there the columns that are; NULL stands for others */
  #list(there?: ReadonlySet<string>): string {
    const all = [...this.#columns, ...this.#headers.map(({ name }) => ({ name, sqlType: 'VARCHAR' }))]
    return all.map(({ name, sqlType }) => there?.has(name) === false ? `NULL::${sqlType} AS ${identifier(name)}` : identifier(name)).join(', ')
  }
}

function isRolled({ rollup }: OpenSegment): boolean {
  return rollup !== undefined
}

async function alikeOf(engine: DuckDBConnection, segments: readonly OpenSegment[]): Promise<readonly AlikeSegments[]> {
  await lookAt(engine, segments)
  const groups = Object.groupBy(segments, ({ path, hasHeaderColumns }) => `${hasHeaderColumns} ${SCHEMAS.get(path)}`)
  const alike: AlikeSegments[] = []
  for (const group of Object.values(groups)) {
    const [first] = group as [OpenSegment]
    const described = await engine.runAndReadAll(`SELECT column_name FROM (DESCRIBE SELECT * FROM read_parquet(${quote(readPath(first))}))`)
    const names = new Set(described.getRows().map(([name]) => String(name)))
    alike.push({ names, hasHeaderColumns: first.hasHeaderColumns, segments: group as OpenSegment[] })
  }
  return alike
}

/** Learns the schemas of segments. The order of columns does not matter, since DuckDB finds them by name. */
async function lookAt(engine: DuckDBConnection, segments: readonly OpenSegment[]): Promise<void> {
  if (SCHEMAS.size + segments.length > SCHEMAS_MAX) SCHEMAS.clear()
  const unknown = segments.filter(({ path }) => !SCHEMAS.has(path))
  if (unknown.length === 0) return
  const paths = new Map(segments.map(segment => [readPath(segment), segment.path]))
  const found = await engine.runAndReadAll(`SELECT file_name, md5(list_sort(list(concat_ws(' ', name, type, repetition_type, num_children)))::VARCHAR)
    FROM parquet_schema([${unknown.map(segment => quote(readPath(segment))).join(', ')}]) GROUP BY file_name`)
  for (const [file, schema] of found.getRows()) SCHEMAS.set(paths.get(String(file)) as string, String(schema))
}
