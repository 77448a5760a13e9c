import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TimeBase } from './time-base.ts'

/** Epoch nanoseconds of a time, as the base now tells them. */
function told(base: TimeBase, seconds: number, nanoseconds: number): bigint {
  base.set(seconds, nanoseconds)
  return base.epochNanoseconds + (BigInt(base.high) << 32n) + BigInt(base.low)
}

test('packets without a time before the first that has one cost the others no nanosecond', () => {
  const base = new TimeBase()
  assert.equal(told(base, 0, 0), 0n)
  assert.equal(told(base, 0, 0), 0n)
  for (const [seconds, nanoseconds] of [[1_600_000_000, 573_573_013], [1_600_000_000, 1], [1_599_999_999, 999_999_999], [1_607_000_000, 7]] as const) {
    assert.equal(told(base, seconds, nanoseconds), BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds))
  }
})

test('times that count from 0 stay as they are', () => {
  const base = new TimeBase()
  for (const [seconds, nanoseconds] of [[0, 0], [0, 5], [12, 999_999_999], [7_000_000, 1]] as const) {
    assert.equal(told(base, seconds, nanoseconds), BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds))
  }
  // Once a time was there the base stays.
  const epoch = base.epochNanoseconds
  base.set(1_600_000_000, 0)
  assert.equal(base.epochNanoseconds, epoch)
})

test('the first packet that has a time sets the base', () => {
  const base = new TimeBase()
  assert.equal(told(base, 1_600_000_000, 123_456_789), 1_600_000_000_123_456_789n)
  // More than 13 days before it.
  assert.equal(base.set(0, 0), false)
  assert.equal(told(base, 1_600_000_001, 1), 1_600_000_001_000_000_001n)
})
