import type { RecordReader } from './record-reader.ts'
import { slot } from './slots.ts'

const TIME = slot('time')
const DURATION = slot('duration')
const FORM = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/
const SECONDS_FORM = /^(\d{1,9})(?:\.(\d{1,9}))?$/
const SECOND = 1_000_000_000n

let lastText = ''
let lastNanoseconds = 0n

/** The record's `time` in nanoseconds since the epoch; undefined where there is none, or one before the epoch. */
export function timeOf(reader: RecordReader): bigint | undefined {
  const [, second, fraction = ''] = FORM.exec(reader.ascii(TIME) ?? '') ?? []
  if (second === undefined) return undefined
  if (second !== lastText) { // most have the second of the one before
    const ms = Date.parse(`${second}Z`)
    if (Number.isNaN(ms) || ms < 0) return undefined
    lastText = second
    lastNanoseconds = BigInt(ms / 1000) * SECOND
  }
  return lastNanoseconds + BigInt(fraction.padEnd(9, '0'))
}

/** The record's `duration` in nanoseconds; 0 where there is none. */
export function durationOf(reader: RecordReader): bigint {
  const [, whole, fraction = ''] = SECONDS_FORM.exec(reader.ascii(DURATION) ?? '') ?? []
  return whole === undefined ? 0n : BigInt(whole) * SECOND + BigInt(fraction.padEnd(9, '0'))
}
