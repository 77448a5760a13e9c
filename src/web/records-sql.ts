import type { PlainValue } from '../store/mod.ts'
import { AskedWronglyError } from './question.ts'

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{9}Z$/
/** Numbers of connections begin anew with each run: those of one run stand close together. */
const NEIGHBOURHOOD = 'INTERVAL 1 HOUR'

/** About the bytes of a record as JSON: most of a large one are headers. */
const LENGTH = '2000 + coalesce(http_request_header_bytes, 0) + coalesce(http_response_header_bytes, 0)'
/** Of one list; the first record is given whatever its size. */
export const LENGTH_MAX = 16 * 1024 * 1024

/**
 * Records are wide: sorting all that pass, with all their columns, to keep a few costs seconds. Each list is two questions: between
 * which times its records stand, which reads the columns of the condition only, and then the records between these times.
 */
export interface TwoSteps {
  /** Gives one row: the first and the last time, null when there is none, and how many records were left out for their size. */
  readonly times: string
  records(first: string, last: string): string
}

/** A record by what names it: the number alone would not, in a store of many runs. @throws {AskedWronglyError} */
export function exchangeSql(time: string, sequence: number): string {
  return `SELECT * FROM records WHERE "time" = ${timeLiteral(time)} AND event_sequence = ${sequence} LIMIT 1`
}

/** The newest records for which a condition is true, the newest first. */
export function newestSql(where: string, limit: number): TwoSteps {
  return twoSteps(where, '"time" DESC', limit, '"time" DESC, event_sequence DESC')
}

/** The other records of a record's connection, the nearest in time, in order; undefined when it names none. */
export function neighboursSql(value: (column: string) => PlainValue, time: string, limit: number): TwoSteps | undefined {
  const [id, port] = [value('network_connection_id'), value('client_port')]
  if (typeof id !== 'bigint') return undefined
  const at = timeLiteral(time)
  const near = `"time" BETWEEN (${at}::TIMESTAMP - ${NEIGHBOURHOOD})::TIMESTAMP_NS AND (${at}::TIMESTAMP + ${NEIGHBOURHOOD})::TIMESTAMP_NS`
  const same = `${near} AND network_connection_id = ${id} AND client_port IS NOT DISTINCT FROM ${typeof port === 'bigint' ? port : 'NULL'}`
  return twoSteps(same, `abs(epoch_ns("time") - epoch_ns(${at})), event_sequence`, limit, '"time", event_sequence')
}

/** The first records of one trace, in order; undefined when the record belongs to none. */
export function traceSql(value: (column: string) => PlainValue, time: string, limit: number): TwoSteps | undefined {
  const id = value('trace_id')
  if (typeof id !== 'string') return undefined
  const at = timeLiteral(time)
  const near = `"time" BETWEEN (${at}::TIMESTAMP - ${NEIGHBOURHOOD})::TIMESTAMP_NS AND (${at}::TIMESTAMP + ${NEIGHBOURHOOD})::TIMESTAMP_NS`
  return twoSteps(`${near} AND trace_id = '${id.replaceAll("'", "''")}'`, '"time", event_sequence', limit, '"time", event_sequence')
}

function twoSteps(where: string, order: string, limit: number, shown: string): TwoSteps {
  return {
    times: `SELECT min("time") FILTER (fits), max("time") FILTER (fits), count(*) FILTER (NOT fits) FROM (
      SELECT "time", coalesce(sum(${LENGTH}) OVER (ORDER BY ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) < ${LENGTH_MAX} AS fits
      FROM (SELECT "time", event_sequence, http_request_header_bytes, http_response_header_bytes FROM records
        WHERE ${where} ORDER BY ${order} LIMIT ${limit}))`,
    records: (first, last) => `SELECT * FROM (SELECT * FROM records WHERE ${where} AND "time" BETWEEN ${timeLiteral(first)} AND ${timeLiteral(last)}
      ORDER BY ${order} LIMIT ${limit}) ORDER BY ${shown}`,
  }
}

function timeLiteral(time: string): string {
  if (!TIME.test(time)) {
    const shown = JSON.stringify(time.slice(0, 40))
    throw new AskedWronglyError(`Cannot use time=${shown}: write it as records do, 2026-01-31T12:00:00.000000000Z`)
  }
  return `TIMESTAMP_NS '${time.slice(0, -1).replace('T', ' ')}'`
}
