import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as layout from '../../wasm/layout.ts'
import { ODDITY_NAMES, oddityNames } from './oddity.ts'

test('every ODDITY_* bit of the layout has its name, and no other', () => {
  const bits = Object.entries(layout).filter(([name]) => name.startsWith('ODDITY_')) as [string, number][]
  assert.equal(bits.length, ODDITY_NAMES.length)
  for (const [name, bit] of bits) assert.deepEqual(oddityNames(bit), [name.slice('ODDITY_'.length).toLowerCase()])
})

test('several bits give their names, lowest first', () => {
  assert.deepEqual(oddityNames(layout.ODDITY_OBS_FOLD | layout.ODDITY_BARE_LF), ['bare_lf', 'obs_fold'])
  assert.deepEqual(oddityNames(0), [])
})
