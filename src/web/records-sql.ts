import type { Column, PlainValue, Span, Words } from '../store/mod.ts'
import { AskedWronglyError } from './question.ts'

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{9}Z$/
const NS_PER_MS = 1_000_000n
/** Numbers of connections begin anew with each run: those of one run stand close together. */
const NEIGHBOURHOOD_MS = 3_600_000

/** About the bytes of a record as JSON: most of a large one are headers. */
const LENGTH = '2000 + coalesce(http_request_header_bytes, 0) + coalesce(http_response_header_bytes, 0)'
/** Of one list; the first record is given whatever its size. */
export const LENGTH_MAX = 16 * 1024 * 1024

/**
 * Records are wide: sorting all that pass, with all their columns, to keep a few costs seconds. Each list is two questions: between
 * which times its records stand, which reads the columns of the condition only, and then the records between these times.
 */
export interface TwoSteps {
  /** Where all that pass are. */
  readonly span: Span
  /** Gives one row: the first and the last time, how many records were left out for their size, how many there are. */
  readonly times: string
  records(first: string, last: string): string
}

/** Lists of records in the words of an engine. */
export class RecordsSql {
  readonly #words: Words
  readonly #list: string

  constructor(words: Words, columns: readonly Column[]) {
    this.#words = words
    this.#list = words.recordList(columns)
  }

  /** A record by what names it: the number alone would not, in a store of many runs. @throws {AskedWronglyError} */
  exchange(time: string, sequence: number): string {
    return `SELECT ${this.#list} FROM records WHERE "time" = ${this.#time(nanosecondsOf(time))} AND event_sequence = ${sequence} LIMIT 1`
  }

  /** The newest records of a question, the newest first. */
  newest({ where, fromMs, toMs }: Span & { readonly where: string }, limit: number): TwoSteps {
    return this.#twoSteps({ fromMs, toMs }, where, '"time" DESC', limit, '"time" DESC, event_sequence DESC')
  }

  /** The other records of a record's connection, the nearest in time, in order; undefined when it names none. */
  neighbours(value: (column: string) => PlainValue, time: string, limit: number): TwoSteps | undefined {
    const [id, port] = [value('network_connection_id'), value('client_port')]
    if (typeof id !== 'bigint') return undefined
    const at = nanosecondsOf(time)
    const near = nearTo(time)
    const same = `${this.#within(near)} AND network_connection_id = ${id} AND client_port ${typeof port === 'bigint' ? `= ${port}` : 'IS NULL'}`
    return this.#twoSteps(near, same, `abs(${this.#words.nanoseconds('"time"')} - ${at}), event_sequence`, limit, '"time", event_sequence')
  }

  /** The first records of one trace, in order; undefined when the record belongs to none. */
  trace(value: (column: string) => PlainValue, time: string, limit: number): TwoSteps | undefined {
    const id = value('trace_id')
    if (typeof id !== 'string') return undefined
    const near = nearTo(time)
    const same = `${this.#within(near)} AND trace_id = ${this.#words.filter.quote(id)}`
    return this.#twoSteps(near, same, '"time", event_sequence', limit, '"time", event_sequence')
  }

  #within({ fromMs, toMs }: Span): string {
    return `"time" >= ${this.#time(BigInt(fromMs) * NS_PER_MS)} AND "time" < ${this.#time(BigInt(toMs) * NS_PER_MS)}`
  }

  #twoSteps(span: Span, where: string, order: string, limit: number, shown: string): TwoSteps {
    const list = this.#list
    const between = (first: string, last: string): string => `${this.#time(nanosecondsOf(first))} AND ${this.#time(nanosecondsOf(last))}`
    return {
      span,
      times: `SELECT min("time") FILTER (WHERE fits), max("time") FILTER (WHERE fits), count(*) FILTER (WHERE NOT fits), count(*) FROM (
        SELECT "time", coalesce(sum(${LENGTH}) OVER (ORDER BY ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) < ${LENGTH_MAX} AS fits
        FROM (SELECT "time", event_sequence, http_request_header_bytes, http_response_header_bytes FROM records
          WHERE ${where} ORDER BY ${order} LIMIT ${limit}))`,
      records: (first, last) => `SELECT ${list} FROM (SELECT ${list} FROM records WHERE ${where} AND "time" BETWEEN ${between(first, last)}
        ORDER BY ${order} LIMIT ${limit}) ORDER BY ${shown}`,
    }
  }

  #time(nanoseconds: bigint): string {
    return this.#words.filter.time(nanoseconds)
  }
}

function nearTo(time: string): Span {
  const { fromMs, toMs } = momentOf(time)
  return { fromMs: fromMs - NEIGHBOURHOOD_MS, toMs: toMs + NEIGHBOURHOOD_MS }
}

/** Of a time as records show it. @throws {AskedWronglyError} */
export function momentOf(time: string): Span {
  const fromMs = Number(nanosecondsOf(time) / NS_PER_MS)
  return { fromMs, toMs: fromMs + 1 }
}

/** @throws {AskedWronglyError} */
function nanosecondsOf(time: string): bigint {
  const ms = TIME.test(time) ? Date.parse(`${time.slice(0, 19)}Z`) : Number.NaN
  if (Number.isNaN(ms)) {
    const shown = JSON.stringify(time.slice(0, 40))
    throw new AskedWronglyError(`Cannot use time=${shown}: write it as records do, 2026-01-31T12:00:00.000000000Z`)
  }
  return BigInt(ms) * NS_PER_MS + BigInt(time.slice(20, 29))
}
