import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesSchema, durationSchema, formatBytes, formatDuration, parseBytes, parseDuration } from './mod.ts'

test('parseBytes() takes powers of 1024 and of 1000, in any case, and refuses the rest', () => {
  const cases: [string, number][] = [['0', 0], ['4096', 4096], ['64MiB', 64 * 2 ** 20], ['64 mib', 64 * 2 ** 20], ['1GB', 1e9], ['1.5KiB', 1536], ['2k', 2048], ['7B', 7], ['1TiB', 2 ** 40]]
  for (const [text, bytes] of cases) assert.equal(parseBytes(text), bytes, text)
  for (const text of ['', 'MiB', '-1', '1 2', '1XB', '0x10', '1e3', '99999999999TiB']) assert.throws(() => parseBytes(text), RangeError, text)
})

test('parseDuration() takes numbers with units, several in a row, and refuses the rest', () => {
  const cases: [string, number][] = [['500ms', 500], ['10s', 10_000], ['1h30m', 5_400_000], ['7d', 604_800_000], ['0.5s', 500], ['250us', 0.25], ['2min', 120_000]]
  for (const [text, ms] of cases) assert.equal(parseDuration(text), ms, text)
  for (const text of ['', '10', 's', '10 s x', '-5s', '1y', '1h 30m', '9999d']) assert.throws(() => parseDuration(text), RangeError, text)
})

test('formatBytes() and formatDuration() are short', () => {
  assert.deepEqual([0, 1023, 1024, 1536, 2 ** 20 * 200, 2 ** 40].map(formatBytes), ['0 B', '1023 B', '1.0 KiB', '1.5 KiB', '200 MiB', '1.0 TiB'])
  assert.deepEqual([0.34, 5, 500, 5000, 12_000, 61_000, 5_400_000, 200_000_000].map(formatDuration), ['0.34ms', '5.0ms', '500ms', '5.0s', '12s', '1m1s', '1h30m', '2d7h'])
})

test('the schemas say the range in the same words', () => {
  assert.equal(bytesSchema({ min: '1MiB' }).parse('1MiB'), 2 ** 20)
  assert.equal(bytesSchema().parse(4096), 4096)
  assert.match(bytesSchema({ min: '1MiB' }).safeParse('4KiB').error?.message ?? '', /must be at least 1MiB: it is 4KiB/)
  assert.match(durationSchema({ max: '1h' }).safeParse('2h').error?.message ?? '', /must be at most 1h: it is 2h/)
  assert.match(durationSchema().safeParse(10).error?.message ?? '', /must be a duration with its unit/)
})
