/** What a question says of its span of time is the same when only the segments are looked at that may have records of it. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Column, journalSelect } from '../../src/store/columns.ts'
import { openEngine } from '../../src/store/engine.ts'
import { HEADER_COLUMNS, JSON_HEADERS, madeHeadersSql } from '../../src/store/header-columns.ts'
import type { PlainValue, StoreReader } from '../../src/store/mod.ts'
import { writeSegment } from '../../src/store/segment.ts'
import { COLUMNS, openReader } from './testing/stored.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-views-'))
const store = join(folder, 'store')
const START = Date.parse('2026-05-01T00:00:00Z')
const HOUR_MS = 3_600_000
const RECORDS = 10
const TENANT = 'http_request_header_x_tenant_id'

function linesOf(hour: number): string {
  return Array.from({ length: RECORDS }, (_, index) => JSON.stringify({
    kind: index === 0 ? 'anomaly' : 'exchange', time: new Date(START + hour * HOUR_MS + index * 1000).toISOString().replace('Z', '000000Z'),
    event: { sequence: hour * RECORDS + index }, url: { path: `/${hour}` }, http: { request: { method: 'GET', header: { 'x-tenant-id': [`t${hour}`] } } },
  })).map(line => `${line}\n`).join('')
}

async function segment(hour: number, columns: readonly Column[], isOld = false): Promise<void> {
  const engine = await openEngine({ threads: 1, memoryMiB: 512 })
  const journal = join(folder, 'lines.ndjson')
  writeFileSync(journal, linesOf(hour))
  const headers = isOld ? '' : madeHeadersSql(HEADER_COLUMNS, JSON_HEADERS)
  await writeSegment(engine, store, journalSelect([journal], columns, headers), { first: hour + 1, last: hour + 1 })
  engine.closeSync()
  const [name] = readdirSync(store).filter(each => each.startsWith(`records-h-0000000${hour + 1}-`)) as [string]
  if (isOld) renameSync(join(store, name), join(store, name.replace('records-h-', 'records-')))
}

async function rows(reader: StoreReader, sql: string, span?: { fromMs: number, toMs: number }): Promise<readonly PlainValue[][]> {
  const all: PlainValue[][] = []
  for await (const part of (await reader.ask(sql, span)).rows) all.push(...part)
  return all
}

before(async () => {
  mkdirSync(store)
  await segment(0, COLUMNS, true)
  await segment(1, COLUMNS.filter(({ name }) => name !== 'url_path'))
  await segment(2, [...COLUMNS].reverse())
  await segment(3, COLUMNS)
  await segment(4, COLUMNS, true)
  writeFileSync(join(store, 'journal-00000006.ndjson'), linesOf(5))
})
after(() => { rmSync(folder, { recursive: true, force: true }) })

test('of segments with all columns, and of those that lack some, at any span', async () => {
  const reader = await openReader(store)
  const spans = [[0, 6], [0, 1], [1, 2], [1.5, 3], [2, 4.001], [5, 6], [4, 6], [7, 8], [-3, -1], [0, 6]]
  for (const [from, to] of spans as [number, number][]) {
    const span = { fromMs: START + from * HOUR_MS, toMs: START + to * HOUR_MS }
    for (const view of ['records', 'exchanges', 'other_records', 'rolled_records']) {
      const sql = `SELECT count(*), sum(event_sequence), count(url_path), count(DISTINCT ${TENANT}), count(http_request_header) FROM ${view}
        WHERE "time" >= make_timestamp_ns(${BigInt(span.fromMs) * 1_000_000n}) AND "time" < make_timestamp_ns(${BigInt(span.toMs) * 1_000_000n})`
      assert.deepEqual(await rows(reader, sql, span), await rows(reader, sql), `${view} of ${from} to ${to} h`)
    }
    const [all] = await rows(reader, `SELECT count(*), count(url_path), count(DISTINCT ${TENANT}) FROM records`)
    assert.deepEqual(all, [60n, 50n, 6n], 'of all, after a span')
  }
  const [narrow] = await rows(reader, 'SELECT count(*) FROM records', { fromMs: START + HOUR_MS, toMs: START + 2 * HOUR_MS })
  assert.deepEqual(narrow, [20n], 'the segment of the hour, and the journal')
  reader.close()
})

test('a reader stays fresh while the files stay the same, and no longer', async () => {
  const reader = await openReader(store)
  const journal = join(store, 'journal-00000007.ndjson')
  writeFileSync(journal, '')
  const later = await openReader(store)
  await new Promise(resolve => setTimeout(resolve, 2100))
  assert.equal(reader.isFresh(), false, 'a journal came')
  assert.equal(later.isFresh(), true)
  appendFileSync(join(store, 'journal-00000006.ndjson'), linesOf(6))
  assert.equal(later.isFresh(), true)
  assert.deepEqual(await rows(later, 'SELECT count(*) FROM records'), [[70n]], 'of a journal as it is now')
  writeFileSync(journal, linesOf(7))
  assert.equal(later.isFresh(), false, 'a journal that was empty has records')
  for (const each of [reader, later]) each.close()
})
