import type { SpooledRecord } from '../spool/mod.ts'

const CLOSE = 0x7d

/**
 * The record as a JSON object with its id in front, `{"id":"...","kind":...}`: the same each time it is sent.
 *
 * @param more members to stand behind the id, e.g. `,"_msg":"x"`
 */
export function taggedLine({ id, line }: SpooledRecord, more = ''): readonly [head: Buffer, rest: Buffer] {
  const isEmpty = line[1] === CLOSE
  return [Buffer.from(`{"id":"${id}"${more}${isEmpty ? '' : ','}`), line.subarray(1)]
}

const LF = Buffer.from('\n')
const COMMA = Buffer.from(',')

/** One record a line. */
export function ndjson(records: readonly SpooledRecord[], more: (record: SpooledRecord) => string = () => ''): Buffer {
  return Buffer.concat(records.flatMap(record => [...taggedLine(record, more(record)), LF]))
}

/** One array. */
export function jsonArray(records: readonly SpooledRecord[]): Buffer {
  const parts = records.flatMap((record, index) => [index === 0 ? Buffer.from('[') : COMMA, ...taggedLine(record)])
  return Buffer.concat([...parts, Buffer.from(']')])
}
