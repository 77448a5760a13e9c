import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryCap } from './memory-cap.ts'
import { cpuPressure, OverloadControl } from './overload.ts'
import type { Load, OverloadLimits } from './overload.ts'

/** Looks once a second, with what happened in each. */
class Seconds {
  readonly control: OverloadControl
  #load: Load = { now: 0, lost: 0, cpuSeconds: 0, pressure: undefined }

  constructor(limits: OverloadLimits = {}) {
    this.control = new OverloadControl(limits)
    this.control.look(this.#load)
  }

  /** @returns the share after `count` such seconds */
  pass(count: number, { lost = 0, cpu = 0, pressure }: { lost?: number; cpu?: number; pressure?: number } = {}): number {
    for (let second = 0; second < count; second++) {
      const { now, lost: before, cpuSeconds } = this.#load
      this.#load = { now: now + 1000, lost: before + lost, cpuSeconds: cpuSeconds + cpu, pressure }
      this.control.look(this.#load)
    }
    return this.control.share
  }
}

test('two seconds with loss change nothing; three in a row halve the share, down to a floor', () => {
  const seconds = new Seconds()
  assert.equal(seconds.pass(2, { lost: 5 }), 1)
  assert.equal(seconds.pass(1), 1)
  assert.equal(seconds.pass(3, { lost: 5 }), 0.5)
  assert.equal(seconds.pass(3, { lost: 5 }), 0.25)
  assert.equal(seconds.pass(100, { lost: 5 }), 1 / 64)
})

test('without cause the share rises again, step by step, and stays whole', () => {
  const seconds = new Seconds()
  seconds.pass(3, { lost: 1 })
  assert.equal(seconds.pass(4), 0.5)
  assert.equal(seconds.pass(1), 0.625)
  assert.equal(seconds.pass(60), 1)
})

test('loss in between puts off the rise', () => {
  const seconds = new Seconds()
  seconds.pass(3, { lost: 1 })
  for (let turn = 0; turn < 10; turn++) {
    seconds.pass(1, { lost: 1 })
    assert.equal(seconds.pass(4), 0.5)
  }
})

test('a CPU budget that is exceeded lowers the share by as much, and is not tried again where it would be exceeded', () => {
  const seconds = new Seconds({ cpu: 0.5 })
  assert.equal(seconds.pass(10, { cpu: 0.5 }), 1)
  assert.equal(seconds.pass(1, { cpu: 0.625 }), 0.8)
  // At 0.8 of the connections 0.45 is used: a quarter more would be 0.5625.
  assert.equal(seconds.pass(60, { cpu: 0.45 }), 0.8)
  assert.equal(seconds.pass(5, { cpu: 0.3 }), 1)
  assert.equal(seconds.pass(1, { cpu: 50 }), 0.5)
})

test('pressure on the host lowers the share where a bound is set', () => {
  assert.equal(new Seconds().pass(5, { pressure: 100 }), 1)
  const seconds = new Seconds({ pressure: 40 })
  assert.equal(seconds.pass(1, { pressure: 50 }), 0.8)
  assert.equal(seconds.pass(20, { pressure: 5 }), 1)
})

test('why is told in words', () => {
  const control = new OverloadControl({ cpu: 0.5, pressure: 40 })
  control.look({ now: 0, lost: 0, cpuSeconds: 0, pressure: 0 })
  assert.match(control.look({ now: 1000, lost: 0, cpuSeconds: 1, pressure: 0 })!.reason, /1\.00 CPUs used, limits\.cpu is 0\.5/)
  assert.match(control.look({ now: 2000, lost: 0, cpuSeconds: 1, pressure: 80 })!.reason, /80 % of the time, limits\.cpu_pressure is 40/)
  control.look({ now: 3000, lost: 2, cpuSeconds: 1, pressure: 0 })
  control.look({ now: 4000, lost: 3, cpuSeconds: 1, pressure: 0 })
  assert.match(control.look({ now: 5000, lost: 10, cpuSeconds: 1, pressure: 0 })!.reason, /7 packets lost in the last second, as the ring was full/)
})

test('pressure is read from this kernel; one that does not tell is no error', () => {
  assert.equal(cpuPressure('/proc/pressure/nothing'), undefined)
  assert.equal(cpuPressure('/proc/self/status'), undefined)
})

test('under the cap the table takes what there is room for; close to it, it shrinks with each look', () => {
  const cap = new MemoryCap(100e6, 65_536)
  // 15 MB, at 5 KiB each, beside those that there are.
  assert.equal(cap.look(80e6, 0), 2929)
  assert.equal(cap.look(80e6, 0), undefined)
  assert.equal(cap.look(80e6, 10_000), 12_929)
  assert.equal(cap.look(95e6, 10_000), 9843)
  assert.equal(cap.look(96e6, 9843), 9843 - 154 - 195)
  // Far over it, an eighth of what there is.
  assert.equal(cap.look(300e6, 8000), 8000 - 125 - 1000)
  assert.equal(cap.look(70e6, 9000), 13_882)
  assert.equal(cap.look(10e6, 60_000), 65_536)
  for (let look = 0; look < 1000; look++) cap.look(200e6, 0)
  assert.equal(cap.look(200e6, 0), undefined)
})
