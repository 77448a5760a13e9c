import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ToldOnce } from './told-once.ts'

test('what several workers say is told as often as the one says it that says it most', () => {
  const once = new ToldOnce()
  const said = [[0, 'a'], [1, 'a'], [1, 'b'], [0, 'b'], [0, 'a'], [0, 'a'], [1, 'a'], [2, 'a']] as const
  assert.deepEqual(said.map(([worker, message]) => once.isNew(worker, message)), [true, false, true, false, true, true, false, false])
})

test('messages without end are told, and not remembered', () => {
  const once = new ToldOnce()
  for (let index = 0; index < 5000; index++) assert.ok(once.isNew(0, `message ${index}`))
  assert.equal(once.isNew(1, 'message 0'), false)
  assert.equal(once.isNew(1, 'message 4999'), true)
})
