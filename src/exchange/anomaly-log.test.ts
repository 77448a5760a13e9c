import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnomalyLog } from './anomaly-log.ts'

test('AnomalyLog tells the first of a name at once and then one report an interval', () => {
  const log = new AnomalyLog({ intervalNs: 100 })
  assert.equal(log.add('gap', 0), 1)
  assert.equal(log.add('gap', 10), 0)
  assert.equal(log.add('gap', 20, 5), 0)
  assert.equal(log.add('other_name', 20), 1)
  assert.deepEqual(log.due(50), [])
  assert.deepEqual(log.due(120), [{ name: 'gap', count: 6 }])
  assert.deepEqual(log.due(500), [])
  assert.deepEqual([...log.totals()], [['gap', 7], ['other_name', 1]])
})

test('AnomalyLog tells everything at the end', () => {
  const log = new AnomalyLog({ intervalNs: 1e12 })
  log.add('a', 0)
  log.add('a', 1)
  assert.deepEqual(log.due(Infinity), [{ name: 'a', count: 1 }])
})

test('AnomalyLog keeps no more names than its bound', () => {
  const log = new AnomalyLog()
  for (let index = 0; index < 1000; index++) log.add(`name ${index}`, index)
  assert.equal(log.totals().size, 257)
  assert.equal(log.totals().get('other'), 744)
})
