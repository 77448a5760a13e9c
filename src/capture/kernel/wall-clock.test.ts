import assert from 'node:assert/strict'
import { test } from 'node:test'

import { WallClock } from './wall-clock.ts'

/** Two clocks that move 700 ns with each look; `offset` is what the wall clock is ahead, in nanoseconds. */
class ToldClocks {
  now = 5_000_000_123n
  offset = 1_700_000_000_123_456_789n

  monotonic(): bigint {
    this.now += 700n
    return this.now
  }

  wallMilliseconds(): number {
    this.now += 700n
    return Number((this.now + this.offset) / 1_000_000n)
  }
}

function errorOf(found: bigint, clocks: ToldClocks): bigint {
  const error = found - clocks.offset
  return error < 0n ? -error : error
}

test('the wall clock at the monotonic zero is found to a few microseconds', () => {
  const clocks = new ToldClocks()
  assert.ok(errorOf(new WallClock(clocks).epochNanoseconds(), clocks) < 5000n)
})

test('a wall clock that was set, either way, is found anew', () => {
  const clocks = new ToldClocks()
  const wall = new WallClock(clocks)
  wall.epochNanoseconds()
  for (const jump of [3_600_000_000_000n, -7_200_000_000_000n, 1_500_000n, -1_500_000n]) {
    clocks.offset += jump
    assert.ok(errorOf(wall.epochNanoseconds(), clocks) < 5000n, `jump of ${jump}`)
  }
})

test('a wall clock that drifts is followed', () => {
  const clocks = new ToldClocks()
  const wall = new WallClock(clocks)
  for (let second = 0; second < 500; second++) {
    clocks.now += 1_000_000_000n
    clocks.offset += 500_000n // 500 ppm, the most that ntpd slews
    assert.ok(errorOf(wall.epochNanoseconds(), clocks) < 1_000_000n)
  }
})

test('the real clocks agree with Date.now to a millisecond', () => {
  const epoch = new WallClock().epochNanoseconds()
  const before = Date.now()
  const told = Number((epoch + process.hrtime.bigint()) / 1_000_000n)
  assert.ok(told >= before - 1 && told <= Date.now() + 1)
})
