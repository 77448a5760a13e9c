import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { TimeResolution } from './time-resolution.ts'

test('agrees with exact division for every count and resolution', () => {
  const resolution = fc.oneof(fc.integer({ min: 0, max: 19 }), fc.integer({ min: 0x80, max: 0x80 + 63 }))
  const word = fc.integer({ min: 0, max: 0xffffffff })
  fc.assert(fc.property(resolution, word, word, (code, high, low) => {
    const units = code & 0x80 ? 2n ** BigInt(code & 0x7f) : 10n ** BigInt(code)
    const count = (BigInt(high) << 32n) | BigInt(low)
    const time = new TimeResolution(code, 0)
    time.convert(high, low)
    // Whole seconds of a coarse count go past 2^53: there a double is the nearest.
    assert.equal(time.seconds, Number(count / units))
    assert.equal(time.nanoseconds, Number(((count % units) * 1_000_000_000n) / units))
  }), { numRuns: 5000 })
})

test('is exact where a double would round: powers of two about the bounds', () => {
  for (const [code, high, low, seconds, nanoseconds] of [
    [161, 261553797, 0, 130776898, 500_000_000], [160, 1, 0x80000001, 1, 500_000_000], [157, 0, 0x1fffffff, 0, 999_999_998],
  ] as const) {
    const time = new TimeResolution(code, 0)
    time.convert(high, low)
    assert.deepEqual([time.seconds, time.nanoseconds], [seconds, nanoseconds], `resolution ${code}`)
  }
})

test('takes a resolution finer than 64 bits hold for the finest they do', () => {
  const time = new TimeResolution(0x7f, 0)
  time.convert(0x8ac72304, 0x89e80000) // 10^19
  assert.equal(time.seconds, 1)
})
