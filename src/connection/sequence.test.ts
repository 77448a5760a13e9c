import assert from 'node:assert/strict'
import { test } from 'node:test'
import { advance, distance, earlier, later, milliseconds } from './sequence.ts'

const EDGES = [0, 1, 2, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff]

test('a distance is what was advanced, from every edge of the number circle', () => {
  for (const start of EDGES) {
    for (const bytes of [0, 1, 2, 1448, 65535, 2 ** 30, 2 ** 31 - 1]) {
      assert.equal(distance(advance(start, bytes), start), bytes, `${start} + ${bytes}`)
      if (bytes > 0) assert.equal(distance(start, advance(start, bytes)), -bytes, `${start} before ${start} + ${bytes}`)
    }
  }
})

test('signed and unsigned forms of a sequence number are the same number', () => {
  for (const a of EDGES) {
    for (const b of EDGES) {
      assert.equal(distance(a | 0, b), distance(a, b | 0))
      const exact = ((a - b) % 2 ** 32 + 2 ** 32) % 2 ** 32
      assert.equal(distance(a, b), exact >= 2 ** 31 ? exact - 2 ** 32 : exact)
    }
  }
})

test('advancing by more than a turn of the circle ends where the remainder does', () => {
  assert.equal(advance(5, 3 * 2 ** 32 + 7) >>> 0, 12)
  assert.equal(advance(0xfffffff0, 2 ** 40 + 0x20) >>> 0, 0x10)
})

test('earlier and later go by the circle, not by size', () => {
  assert.equal(earlier(0xfffffff0 | 0, 5), 0xfffffff0 | 0)
  assert.equal(later(0xfffffff0 | 0, 5), 5)
  assert.equal(later(0x7fffffff, 0x80000001 | 0), 0x80000001 | 0)
})

test('milliseconds of times years apart are still compared rightly when they lie near each other', () => {
  for (const time of [0, 2 ** 31 * 1e6, 2 ** 32 * 1e6, 1.7e18]) {
    assert.equal(distance(milliseconds(time + 1500e6), milliseconds(time)), 1500)
  }
})
