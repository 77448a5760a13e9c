import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openEngine } from '../engine.ts'
import { distinctSql, hashSql, leastSql } from './sketch.ts'

test('hashes are those that roll-ups on disks were made with: where this fails, ROLLUP_VERSION needs a new one', async () => {
  const engine = await openEngine({ threads: 1, memoryMiB: 64 })
  const texts = ["'203.0.113.7'", "'2001:db8::1234:5678:9abc'", "''", 'NULL::VARCHAR']
  const found = await engine.runAndReadAll(`SELECT ${texts.map(hashSql).join(', ')}`)
  assert.deepEqual(found.getRows(), [[2_347_169_484, 2_817_607_823, 1_188_583_725, null]])
  engine.closeSync()
})

test('different addresses are counted within 10 % by the least 1,024 hashes, whatever they have in common', async () => {
  const engine = await openEngine({ threads: 1, memoryMiB: 64 })
  const kinds = ["'10.' || (i // 65536) || '.' || (i // 256 % 256) || '.' || (i % 256)", "'2001:db8::' || to_hex(i)", 'i::VARCHAR']
  for (const address of kinds) {
    for (const count of [1000, 5000, 50_000]) {
      const least = `SELECT ${leastSql('list(hash)', 1024)} AS least FROM (SELECT ${hashSql(`(${address})`)} AS hash FROM range(${count}) AS all_of(i))`
      const [[told] = []] = (await engine.runAndReadAll(`SELECT ${distinctSql('least', 1024)}::INTEGER FROM (${least})`)).getRows()
      const most = count < 1024 ? 0 : count / 10
      assert.ok(Math.abs(Number(told) - count) <= most, `${count} of ${address} are told as ${told}`)
    }
  }
  engine.closeSync()
})
