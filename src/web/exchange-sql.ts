import type { PlainValue } from '../store/mod.ts'
import { AskedWronglyError } from './question.ts'

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{9}Z$/
/** Numbers of connections begin anew with each run: those of one run stand close together. */
const NEIGHBOURHOOD = 'INTERVAL 1 HOUR'

/** A record by what names it: the number alone would not, in a store of many runs. @throws {AskedWronglyError} */
export function exchangeSql(time: string, sequence: number): string {
  return `SELECT * FROM records WHERE "time" = ${timeLiteral(time)} AND event_sequence = ${sequence} LIMIT 1`
}

/** The other records of its connection, in order; undefined when it names none. */
export function neighboursSql(value: (column: string) => PlainValue, time: string, limit: number): string | undefined {
  const id = value('network_connection_id')
  const port = value('client_port')
  if (typeof id !== 'bigint') return undefined
  const at = timeLiteral(time)
  const near = `"time" BETWEEN (${at}::TIMESTAMP - ${NEIGHBOURHOOD})::TIMESTAMP_NS AND (${at}::TIMESTAMP + ${NEIGHBOURHOOD})::TIMESTAMP_NS`
  // The nearest in time, then in order.
  return `SELECT * FROM (SELECT * FROM records WHERE ${near} AND network_connection_id = ${id}
    AND client_port IS NOT DISTINCT FROM ${typeof port === 'bigint' ? port : 'NULL'}
    ORDER BY abs(epoch_ns("time") - epoch_ns(${at})), event_sequence LIMIT ${limit}) ORDER BY "time", event_sequence`
}

function timeLiteral(time: string): string {
  if (!TIME.test(time)) {
    const shown = JSON.stringify(time.slice(0, 40))
    throw new AskedWronglyError(`Cannot use time=${shown}: write it as records do, 2026-01-31T12:00:00.000000000Z`)
  }
  return `TIMESTAMP_NS '${time.slice(0, -1).replace('T', ' ')}'`
}
