import type { PlainValue } from './plain-value.ts'
import type { Span } from './rollup/rolled.ts'

const SQL_MAX = 65_536
/** SQL begins with one of these; whatever else an engine knows (COPY, SET, KILL, ...) is no question. */
const QUESTION = /^(?:\s|--[^\n]*(?:\n|$)|\/\*[^]*?\*\/)*(?:select|with|from)\b/i

/** What a query gives: names of columns, then rows in pieces. */
export interface Answer {
  readonly names: readonly string[]
  readonly rows: AsyncGenerator<readonly PlainValue[][]>
}

/** Answers questions about records, whichever engine holds them. */
export interface Reader {
  /** What was left out of the answers, and why. */
  readonly notes: readonly string[]
  /**
   * @param sql  one SELECT over `records` (or `exchanges`, those of kind exchange), in the engine's own dialect
   * @param span what it asks about, by its own words: what no record of the span can be in need not be looked at; none = everything
   * @throws {QueryError} that says what is wrong with it
   */
  ask(sql: string, span?: Span): Promise<Answer>
  /**
   * The newest records for which a CEL filter is true, in order of time, with all columns in their order.
   *
   * @param limit so many at most; 0 = all, in the order in which they are read
   * @throws {FilterError} that marks the place of what is wrong with the filter
   */
  records(filter: string, limit: number): Promise<Answer>
  /** Whether it answers out of what is there now, or was there two seconds ago; otherwise another one is to be opened. */
  isFresh(): boolean
  /** Ends what runs; it then fails with `why`. */
  interrupt(why: string): void
  close(): void
}

/** What is wrong with a query, in words for whoever wrote it. */
export class QueryError extends Error {
  override readonly name: string = 'QueryError'
}

/** A query needs more memory than it may have. */
export class MemoryError extends QueryError {
  override readonly name = 'MemoryError'
}

/** The SQL of `Reader.records`. @param list what is selected */
export function recordSql(list: string, condition: string, limit: number): string {
  const all = `SELECT ${list} FROM records WHERE ${condition}`
  return limit === 0 ? all : `SELECT * FROM (${all} ORDER BY "time" DESC, event_sequence DESC LIMIT ${limit}) ORDER BY "time", event_sequence`
}

/** @throws {QueryError} for what is too long, or does not begin as a question */
export function checkQuestion(sql: string): void {
  if (sql.length > SQL_MAX) throw new QueryError(`Cannot run SQL of ${sql.length} characters: ${SQL_MAX} are allowed`)
  if (!QUESTION.test(sql)) throw new QueryError('Cannot run this SQL: a query begins with SELECT, WITH or FROM, and changes nothing')
}
