import type { PlainValue } from './plain-value.ts'

const SQL_MAX = 65_536
/** SQL begins with one of these; whatever else an engine knows (COPY, SET, KILL, ...) is no question. */
const QUESTION = /^(?:\s|--[^\n]*(?:\n|$)|\/\*[^]*?\*\/)*(?:select|with|from)\b/i

/** What a query gives: names of columns, then rows in pieces. */
export interface Answer {
  readonly names: readonly string[]
  readonly rows: AsyncGenerator<readonly PlainValue[][]>
}

/** What is wrong with a query, in words for whoever wrote it. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
}

/** @throws {QueryError} for what is too long, or does not begin as a question */
export function checkQuestion(sql: string): void {
  if (sql.length > SQL_MAX) throw new QueryError(`Cannot run SQL of ${sql.length} characters: ${SQL_MAX} are allowed`)
  if (!QUESTION.test(sql)) throw new QueryError('Cannot run this SQL: a query begins with SELECT, WITH or FROM, and changes nothing')
}
