import type { SpooledRecord } from '../spool/mod.ts'

const CLOSE = 0x7d

/** The record as a JSON object with its id in front, `{"id":"...","kind":...}`: the same each time it is sent. */
export function taggedLine({ id, line }: SpooledRecord): readonly [head: Buffer, rest: Buffer] {
  const isEmpty = line[1] === CLOSE
  return [Buffer.from(`{"id":"${id}"${isEmpty ? '' : ','}`, 'latin1'), line.subarray(1)]
}

const LF = Buffer.from('\n')
const COMMA = Buffer.from(',')

/** One record a line. */
export function ndjson(records: readonly SpooledRecord[]): Buffer {
  return Buffer.concat(records.flatMap(record => [...taggedLine(record), LF]))
}

/** One array. */
export function jsonArray(records: readonly SpooledRecord[]): Buffer {
  const parts = records.flatMap((record, index) => [index === 0 ? Buffer.from('[') : COMMA, ...taggedLine(record)])
  return Buffer.concat([...parts, Buffer.from(']')])
}
