import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecordNumbers } from './record-numbers.ts'

test('numbers in order lose nothing', () => {
  const numbers = new RecordNumbers()
  for (let number = 0; number < 1000; number++) assert.equal(numbers.see(number, number), 0)
  assert.equal(numbers.isWaiting, false)
  assert.equal(numbers.lastLost, -1)
})

test('a number that comes within 64 later records was not lost', () => {
  const numbers = new RecordNumbers()
  for (let number = 1; number <= 63; number++) assert.equal(numbers.see(number, 0), 0)
  assert.equal(numbers.see(0, 0), 0)
  assert.equal(numbers.isWaiting, false)
})

test('a number is lost with the 64th later record', () => {
  const numbers = new RecordNumbers()
  for (let number = 1; number <= 63; number++) assert.equal(numbers.see(number, 0), 0)
  assert.equal(numbers.see(64, 0), 1)
  assert.equal(numbers.lastLost, 0)
})

test('a jump loses at once what lies more than 64 records back', () => {
  const numbers = new RecordNumbers()
  numbers.see(0, 0)
  assert.equal(numbers.see(101, 0), 37)
  assert.equal(numbers.lastLost, 37)
  assert.equal(numbers.expire(Infinity), 63)
  assert.equal(numbers.lastLost, 100)
})

test('missing numbers expire by the time since when each is missing', () => {
  const numbers = new RecordNumbers()
  numbers.see(1, 10)
  numbers.see(3, 20)
  assert.equal(numbers.expire(9), 0)
  assert.equal(numbers.expire(10), 1)
  assert.equal(numbers.lastLost, 0)
  assert.equal(numbers.expire(20), 1)
  assert.equal(numbers.lastLost, 2)
})

test('numbers go on past 2^32', () => {
  const numbers = new RecordNumbers()
  for (let number = 0x7fffff00; number < 0x7fffff80; number++) numbers.see(number | 0, 0)
  numbers.expire(Infinity)
  for (let number = 0x7fffff80; number < 0x80000080; number++) assert.equal(numbers.see(number | 0, 0), 0)
  assert.equal(numbers.see(0x80000081 | 0, 0), 0)
  assert.equal(numbers.expire(0), 1)
  assert.equal(numbers.lastLost >>> 0, 0x80000080)
})
