import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OutstandingQueue } from './outstanding.ts'

test('OutstandingQueue keeps the order of an array, whatever is pushed, taken and cleared; what was taken stands until the next push', () => {
  const queue = new OutstandingQueue()
  let model: number[] = []
  let next = 1
  let state = 1
  const random = (below: number): number => (state = Math.imul(state, 48271) % 0x7fffffff, Math.abs(state) % below)
  for (let step = 0; step < 20_000; step++) {
    const choice = random(100)
    if (choice === 0) {
      queue.clear()
      model = []
    } else if (choice < 50 + (step >> 8) % 2 * 5) {
      const entry = queue.push()
      entry.exchange = next
      model.push(next++)
    } else if (model.length > 0) {
      const taken = queue.shift()
      assert.equal(taken.exchange, model.shift())
    }
    assert.equal(queue.length, model.length)
    assert.equal(queue.first?.exchange, model[0])
    if (step % 16 === 0) assert.deepEqual([...queue].map(({ exchange }) => exchange), model)
    assert.equal(new Set(queue).size, model.length, 'no entry stands for two')
  }
})
