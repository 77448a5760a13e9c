import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeapReducer } from './heap-reducer.ts'

const MIB = 1 << 20

/** Objects in the heap, more of them than the reducer lets pass. */
function grow(): number[][] {
  return Array.from({ length: 2000 }, () => Array.from({ length: 1000 }, (_, index) => index + 0.5))
}

test('a heap that has grown is collected when little comes, once a minute', () => {
  let collected = 0
  const reducer = new HeapReducer(() => { collected++ })
  reducer.look(100_000, 0)
  assert.equal(collected, 1, 'the first look finds all that was there before')
  const held = grow()
  reducer.look(150_000, 0)
  assert.equal(collected, 1, 'too early')
  reducer.look(161_000, 1100 * MIB)
  assert.equal(collected, 1, 'too much to do')
  reducer.look(162_000, 1101 * MIB)
  assert.equal(collected, 2)
  reducer.look(230_000, 1102 * MIB)
  assert.equal(collected, 2, `nothing has grown since, ${held.length} arrays are held`)
})
