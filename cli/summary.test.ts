import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SafeBatch } from '../src/sink/mod.ts'
import { Summary } from './summary.ts'

function batch(records: readonly object[], exchanges = records.length): SafeBatch {
  const bytes = new Uint8Array(Buffer.from(records.map(record => `${JSON.stringify(record)}\n`).join('')))
  return { bytes, count: records.length, kinds: [exchanges, records.length - exchanges, 0, 0, 0, 0], outputs: 1 }
}

function exchange(path: string, status: number, duration: number, client = '10.0.0.1') {
  return { kind: 'exchange', duration, client: { address: client }, url: { domain: 'a.example', path }, http: { request: { method: 'GET' }, response: { status_code: status } } }
}

test('Summary gives rates over the last ten seconds, quantiles, and the most asked for first', () => {
  let now = 0
  const summary = new Summary(() => now)
  for (let second = 0; second < 5; second++) {
    now = second * 1000
    summary.add(batch([exchange('/often', 200, 0.1), exchange('/often', 200, 0.2), exchange('/seldom', 500, 0.9, '10.0.0.2')]))
  }
  now = 5000
  const screen = summary.lines('lo', 80, 24).join('\n')
  assert.match(screen, /^lintel watch {2}lo\n3\.0 exchanges\/s over the last 5 s\n/)
  assert.match(screen, /p50 200 ms {2}p90 900 ms {2}p99 900 ms {2}max 900 ms/)
  assert.match(screen, /STATUS\n +2\.0 {2}200\n +1\.0 {2}500\n/)
  assert.match(screen, /REQUEST\n +2\.0 {2}GET a\.example\/often\n +1\.0 {2}GET a\.example\/seldom\n/)
  assert.match(screen, /CLIENT\n +2\.0 {2}10\.0\.0\.1\n +1\.0 {2}10\.0\.0\.2\n/)
  now = 60_000
  assert.match(summary.lines('lo', 80, 24).join('\n'), /\n0\.0 exchanges\/s/)
})

test('Summary parses a bounded number of records a second and says so; the rate stays exact', () => {
  let now = 0
  const summary = new Summary(() => now)
  for (let index = 0; index < 50; index++) summary.add(batch(Array.from({ length: 100 }, () => exchange('/x', 200, 0.1))))
  now = 999
  const screen = summary.lines('lo', 80, 24).join('\n')
  assert.match(screen, /\n5000\.0 exchanges\/s over the last 1 s, shares from 2000 of 5000\n/)
  assert.match(screen, / 5000\.0 {2}GET a\.example\/x\n/)
})

test('Summary counts a bounded number of names, leaves other kinds out, and shows hostile names harmlessly', () => {
  const summary = new Summary(() => 0)
  summary.add(batch(Array.from({ length: 900 }, (_, index) => exchange(`/${index}`, 200, 0.1))))
  summary.add(batch([{ kind: 'connection' }, exchange('/\x1b[2J\u202e', 200, 0.1)], 1))
  const lines = summary.lines('lo', 60, 24)
  assert.ok(lines.length <= 24)
  assert.ok(lines.every(line => line.length <= 60))
  assert.match(lines.join('\n'), / 40\d\.\d {2}\(others\)/)
  assert.doesNotMatch(lines.join(''), /[\x00-\x1f\u202e]/)
})

test('Summary counts an exchange that was told while it was open once, and shows those of own protocols', () => {
  const summary = new Summary(() => 0)
  const own = { kind: 'exchange', message: { request: { method: 'PUT', path: '/items/7' }, response: { status: 'ok' } } }
  summary.add(batch([{ ...exchange('/stream', 200, 1), event: { name: 'open' } }, exchange('/stream', 200, 1), own]))
  const screen = summary.lines('lo', 80, 24).join('\n')
  assert.match(screen, /\n2\.0 exchanges\/s/)
  assert.match(screen, / 1\.0 {2}GET a\.example\/stream\n +1\.0 {2}PUT \/items\/7\n/)
  assert.match(screen, / 1\.0 {2}200\n +1\.0 {2}ok\n/)
})
