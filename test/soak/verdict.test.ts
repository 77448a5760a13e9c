import assert from 'node:assert/strict'
import { test } from 'node:test'
import { growthOf, SECONDS } from './growth.ts'
import { isBad } from './kernel-log.ts'
import { ledgerFaults } from './ledger.ts'

const TOTALS = 'lintel: totals after 53s: records seen 7 = logged 5 + filtered 0 + sampled 0 + dropped 2; packets seen 20 = delivered 4 + ' +
  'not wanted 15 (ignored 10, port 5) + lost 1 (ring_full 1); TLS calls seen 9 = delivered 9 + not wanted 0 + lost 0; TLS sessions opened 3; adds up'

test('ledgerFaults() adds up each ledger, and the reasons of each part', () => {
  assert.deepEqual(ledgerFaults(TOTALS), [])
  assert.deepEqual(ledgerFaults(TOTALS.replace('logged 5', 'logged 4')), ['records: 7 seen, the parts are 6'])
  assert.deepEqual(ledgerFaults(TOTALS.replace('port 5', 'port 6')), ['packets: a part is 15, its reasons are 16'])
  assert.equal(ledgerFaults(TOTALS.replace('TLS calls', 'calls')).length, 1)
  assert.equal(ledgerFaults('').length, 1)
})

test('growthOf() tells a leak from noise, an outlier, and figures that are missing', () => {
  const bound = { name: 'rss', perHour: 100, unit: 'KiB' }
  const grown = (value: (minute: number) => number): boolean => (
    growthOf(Array.from({ length: 50 }, (_, minute) => new Map([['rss', value(minute)], [SECONDS, minute * 60]])), bound).isBroken)
  assert.equal(grown((minute) => 5000 + (minute % 7) * 300), false)
  assert.equal(grown((minute) => 5000 + (minute === 49 ? 9000 : 0)), false)
  assert.equal(grown((minute) => 5000 + (minute % 7) * 300 + minute * 10), true)
  // 180 an hour, which noise of 1,800 could be; and 180 without noise.
  assert.equal(grown((minute) => 5000 + (minute * 37 % 7) * 300 + minute * 3), false)
  assert.equal(grown((minute) => 5000 + minute * 3), true)
  assert.equal(growthOf([new Map(), new Map()], bound).isBroken, true)
})

test('isBad() picks what a kernel says of its own faults', () => {
  const good = '[33999.654346] lo: entered promiscuous mode'
  const bad = '[33999.654346] WARNING: CPU: 1 PID: 7 at kernel/events/uprobes.c:1234 handle_swbp+0x1/0x2'
  assert.deepEqual([good, bad].map(isBad), [false, true])
})
