import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timeMs, timeNanoseconds } from './record-time.ts'

test('the time of a line in nanoseconds, before 1970 too', () => {
  for (const [time, nanoseconds] of [
    ['2026-11-26T20:28:01.5Z', '1795724881500000000'], ['1970-01-01T00:00:00.000234567Z', '0000234567'], ['1970-01-01T00:00:00Z', '0000000000'],
    ['1969-12-31T23:59:59.9Z', '-0100000000'], ['1969-12-31T23:59:58.25Z', '-1750000000'],
  ] as const) {
    const line = Buffer.from(`{"kind":"exchange","time":"${time}","a":1}`)
    assert.equal(timeNanoseconds(line), nanoseconds)
    assert.equal(timeMs(line), Number(nanoseconds) / 1e6)
  }
  assert.equal(timeNanoseconds(Buffer.from('{"kind":"exchange"}')), undefined)
})
