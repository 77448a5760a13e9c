import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeRoom } from './mod.ts'

test('a map at its bound loses what was put in first, and says so', () => {
  const map = new Map([['a', 1], ['b', 2]])
  assert.equal(makeRoom(map, 3), false)
  assert.equal(makeRoom(map, 2), true)
  assert.deepEqual([...map.keys()], ['b'])
  assert.equal(makeRoom(map, 1), true)
  assert.equal(makeRoom(map, 0), false)
  assert.equal(map.size, 0)
})
