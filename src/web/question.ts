import { type Column, DUCKDB_WORDS, filterSql, type Words } from '../store/mod.ts'

/** What all views are asked: a span of time, a filter, how many rows. */
export interface Question {
  readonly fromMs: number
  readonly toMs: number
  /** Of the engine that is asked. */
  readonly words: Words
  /** SQL over the columns: within the span, and the filter is true. */
  readonly where: string
  /** What passes is more than the engine's memory holds. */
  readonly isReadTwice?: boolean
  /** CEL as it was asked; empty = everything. */
  readonly filter: string
  readonly limit: number
  /** Width of one point of a chart; milliseconds. */
  readonly bucketMs: number
}

/** A question that cannot be answered, in words for whoever asked. */
export class AskedWronglyError extends Error {
  override readonly name = 'AskedWronglyError'
}

const POINTS = 120
const LIMIT = 50
const LIMIT_MAX = 10_000
/** The end of what nanoseconds since 1970 can say in 64 bits. */
const TIME_MAX = 9_223_372_036_000
const BUCKETS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000,
  1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000, 604_800_000, 2_592_000_000,
]

/**
 * `from`, `to` (milliseconds since 1970, `to` not included), `filter` (CEL), `limit` of a URL.
 *
 * @param words of the engine that is asked; none = a store's
 * @throws {Error} AskedWronglyError or FilterError, with the mend
 */
export function questionOf(parameters: URLSearchParams, columns: readonly Column[], words: Words = DUCKDB_WORDS): Question {
  const fromMs = wholeNumber(parameters, 'from', 0, TIME_MAX)
  const toMs = wholeNumber(parameters, 'to', TIME_MAX, TIME_MAX)
  if (fromMs >= toMs) throw new AskedWronglyError(`Cannot use the time range ${fromMs} to ${toMs}: "from" must be before "to"`)
  const filter = (parameters.get('filter') ?? '').trim()
  const span = `"time" >= ${timeSql(words, fromMs)} AND "time" < ${timeSql(words, toMs)}`
  const width = (toMs - fromMs) / POINTS
  return {
    fromMs, toMs, filter, words,
    where: filter === '' ? span : `${span} AND (${filterSql(filter, columns, words.filter)})`,
    limit: wholeNumber(parameters, 'limit', LIMIT, LIMIT_MAX),
    bucketMs: BUCKETS_MS.find(bucket => bucket >= width) ?? (BUCKETS_MS.at(-1) as number),
  }
}

/** The same of the end of its time. @param fromMs after its own */
export function narrowedTo(question: Question, fromMs: number): Question {
  return { ...question, fromMs, where: `${question.where} AND "time" >= ${timeSql(question.words, fromMs)}` }
}

/** A whole number of a URL. @throws {AskedWronglyError} */
export function wholeNumber(parameters: URLSearchParams, name: string, absent: number, max: number): number {
  const text = parameters.get(name)
  if (text === null || text === '') return absent
  if (!/^\d{1,15}$/.test(text) || Number(text) > max) {
    throw new AskedWronglyError(`Cannot use ${name}=${JSON.stringify(text.slice(0, 40))}: it must be a whole number up to ${max}`)
  }
  return Number(text)
}

function timeSql({ filter }: Words, ms: number): string {
  return filter.time(BigInt(ms) * 1_000_000n)
}
