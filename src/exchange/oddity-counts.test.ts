import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ODDITY_NAMES } from '../decode/mod.ts'
import { OddityCounts } from './oddity-counts.ts'

test('each bit counts under its name; none counts nothing', () => {
  const counts = new OddityCounts()
  counts.add(0)
  assert.deepEqual([...counts.entries()], [])
  for (let bit = 0; bit < ODDITY_NAMES.length; bit++) counts.add(1 << bit)
  counts.add(0b11)
  assert.deepEqual([...counts.entries()], ODDITY_NAMES.map((name, bit) => [name, bit < 2 ? 2 : 1]))
})

test('bits without a name are let be', () => {
  const counts = new OddityCounts()
  counts.add(0x8000_0001)
  assert.deepEqual([...counts.entries()], [[ODDITY_NAMES[0], 1]])
})
