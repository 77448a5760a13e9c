import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StreamControl } from '../connection/mod.ts'
import { Waiting } from './waiting.ts'
import type { Pending } from './waiting.ts'

test('Waiting finds what is pending, oldest first, a few or many; an object that is used again has nothing of its first use', () => {
  const waiting = new Waiting({} as StreamControl)
  const model = new Map<number, Pending>()
  let next = 1
  let state = 7
  const random = (below: number): number => (state = Math.imul(state, 48271) % 0x7fffffff, Math.abs(state) % below)
  let most = 0
  for (let step = 0; step < 20_000; step++) {
    // Up and down: nothing, a few, and more than are looked through one by one.
    const isUp = random(100) < ((step >> 6) % 2 === 0 ? 62 : 38)
    if (isUp && model.size < 40) {
      const fresh = waiting.begin(next, next * 8, next, undefined)
      const { number, likely, isHeld, isSettled, hasLikelyInterim, block, startTime, requestOver, responseOver, hasResponse } = fresh
      assert.deepEqual([number, block, startTime], [next, next * 8, next])
      assert.deepEqual([likely, isHeld, isSettled, hasLikelyInterim, requestOver, responseOver, hasResponse],
        [undefined, false, false, false, false, false, false])
      model.set(next++, fresh)
      Object.assign(fresh, { isHeld: true, isSettled: true, hasLikelyInterim: true, requestOver: true, responseOver: true, hasResponse: true })
    } else if (model.size > 0) {
      const taken = [...model.values()][random(model.size)]!
      model.delete(taken.number)
      waiting.take(taken)
      assert.equal(waiting.find(taken.number), undefined)
    }
    most = Math.max(most, model.size)
    assert.equal(waiting.count, model.size)
    assert.equal(waiting.oldest, model.values().next().value)
    assert.equal(new Set(model.values()).size, model.size)
    for (const [number, pending] of model) assert.equal(waiting.find(number), pending)
  }
  assert.ok(most > 20)
})
