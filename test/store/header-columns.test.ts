/** Columns for single headers say what the headers say: in journals, in segments, in those of an earlier version, and in what is merged of both. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { journalSelect } from '../../src/store/columns.ts'
import { openEngine } from '../../src/store/engine.ts'
import { HEADER_COLUMNS } from '../../src/store/header-columns.ts'
import { filterSql } from '../../src/store/mod.ts'
import { writeSegment } from '../../src/store/segment.ts'
import { ask, batchesOf, COLUMNS, openStore, rowsOf, openReader, StoreHost } from './testing/stored.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-store-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const HEADERS = [
  { authorization: ['Bearer REDACTED'], 'x-tenant-id': ['t-1'] }, { 'x-tenant-id': ['t-2', 't-1'], cookie: ['a=REDACTED', 'b=REDACTED'] },
  { 'x-tenant-id': [''] }, { 'x-tenant-i': ['t-1'], 'x-tenant-idd': ['t-1'] }, {}, { 'x-tenant-id': ['"\\ü\u0000'], 'x-api-key': ['k'] },
]

function linesOf(first: number): string[] {
  return HEADERS.map((header, index) => JSON.stringify({
    kind: 'exchange', time: new Date(1_780_000_000_000 + first + index).toISOString().replace('Z', '000000Z'), event: { sequence: first + index },
    http: { request: { method: 'GET', header }, response: { status_code: 200, header: { 'x-tenant-id': ['of-the-response'] } } },
  }))
}

/** A segment as an earlier version wrote it. */
async function oldSegment(store: string, number: number, lines: readonly string[]): Promise<void> {
  const engine = await openEngine({ threads: 1, memoryMiB: 512 })
  const journal = join(folder, 'old.ndjson')
  writeFileSync(journal, `${lines.join('\n')}\n`)
  await writeSegment(engine, store, journalSelect([journal], COLUMNS), { first: number, last: number })
  engine.closeSync()
  for (const name of readdirSync(store)) renameSync(join(store, name), join(store, name.replace('records-h-', 'records-')))
}

async function segments(store: string, count: number, from: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    const sink = openStore(store, new StoreHost())
    for (const batch of batchesOf(linesOf((from + number) * 100))) sink.write(batch)
    await sink.close()
  }
}

async function assertSame(store: string, records: number): Promise<void> {
  for (const { name, header } of HEADER_COLUMNS) {
    const [row] = await ask(store, `SELECT count(*), count(*) FILTER (${name} IS DISTINCT FROM http_request_header['${header}'][1]), count(${name}) FROM records`)
    const present = HEADERS.filter(each => header in each).length
    assert.deepEqual(row, [BigInt(records), 0n, BigInt(records / HEADERS.length * present)], name)
  }
  const of = (name: 'first' | 'has' | 'second'): string => filterSql({
    first: 'http.request.header["x-tenant-id"][0] == "t-1"', has: 'has(http.request.header["x-tenant-id"]) && "Cookie" in http.request.header',
    second: 'http.request.header["x-tenant-id"][1] == "t-1"',
  }[name], COLUMNS)
  assert.match(of('first'), /http_request_header_x_tenant_id/)
  assert.doesNotMatch(of('first'), /\[/)
  const reader = await openReader(store)
  try {
    for (const [name, wanted] of [['first', [0]], ['has', [1]], ['second', [1]]] as const) {
      const found = (await rowsOf(reader, `SELECT DISTINCT event_sequence % 100 FROM records WHERE ${of(name)}`)).map(([index]) => Number(index))
      assert.deepEqual(found, wanted, name)
    }
    const rows: unknown[][] = []
    const answer = await reader.records('true', 1)
    for await (const part of answer.rows) rows.push(...part)
    assert.equal(answer.names.length, COLUMNS.length)
    assert.equal(rows[0]?.length, COLUMNS.length)
  } finally {
    reader.close()
  }
}

test('in segments of both versions, and in what is merged of them', async () => {
  const store = join(folder, 'both')
  mkdirSync(store)
  await oldSegment(store, 1, linesOf(100))
  await segments(store, 3, 2)
  await assertSame(store, 4 * HEADERS.length)
  assert.equal(readdirSync(store).filter(name => /^records-\d/.test(name)).length, 1)
  await segments(store, 5, 5) // eight are merged, the old one among them
  const names = readdirSync(store).filter(name => name.startsWith('records-'))
  assert.ok(names.length < 8 && names.every(name => name.startsWith('records-h-')), names.join())
  await assertSame(store, 9 * HEADERS.length)
})

test('in a journal', async () => {
  const store = join(folder, 'journal')
  mkdirSync(store)
  writeFileSync(join(store, 'journal-00000001.ndjson'), `${linesOf(0).join('\n')}\n`)
  await assertSame(store, HEADERS.length)
})
