/** What a store gives back is what it was given: every field and every header of records of all kinds. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { RECORD_KINDS } from '../../src/exchange/fields.ts'
import { hasCorpora } from '../conformance/testing/corpora.ts'
import { corpusLines } from './testing/corpus-lines.ts'
import { batchesOf, canonical, openStore, storedLines, StoreHost } from './testing/stored.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-store-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('records of the corpora come back as they were, from the journal and from segments', async (context) => {
  if (!hasCorpora(context)) return
  const lines = await corpusLines()
  for (const kind of RECORD_KINDS) assert.ok(lines.some(line => line.startsWith(`{"kind":"${kind}"`)), `no ${kind} in the corpora`)
  const wanted = lines.map(canonical).sort()
  const path = join(folder, 'corpora')
  const host = new StoreHost()
  const store = openStore(path, host)
  for (const batch of batchesOf(lines)) store.write(batch)
  await store.flush()
  assert.deepEqual((await storedLines(path)).map(canonical).sort(), wanted)
  await store.close()
  assert.equal(host.written, lines.length)
  assert.deepEqual(host.logs, [])
  const names = readdirSync(path)
  assert.deepEqual(names.filter(name => name.startsWith('journal-')), [])
  for (const name of names) assert.equal(statSync(join(path, name)).mode & 0o777, 0o600, name)
  assert.deepEqual((await storedLines(path)).map(canonical).sort(), wanted)
})

test('values that JSON, SQL or Parquet could bend come back as they were', async () => {
  const path = join(folder, 'odd')
  const store = openStore(path, new StoreHost())
  const lines = [
    { kind: 'exchange', time: '2262-01-31T00:00:00.123456789Z', duration: 1e-9, event: { sequence: 9007199254740991 } },
    { kind: 'exchange', time: '1970-01-01T00:00:00.000000001Z', url: { path: '/\u0000\u001f\'";--\\ \ud83d\ude00 \u202e' } },
    { kind: 'exchange', time: '2026-01-31T12:00:00.000000000Z', http: { request: { header: { '': [''], 'a"b': ['x', '', 'x'], __proto__x: ['1'], 10: ['b'], 9: ['a'] } } } },
    { kind: 'exchange', time: '2026-01-31T12:00:00.000000000Z', http: { request: { header: { big: ['v'.repeat(65_536)] } } }, anomalies: ['a', 'b'] },
    { kind: 'packet', time: '2026-01-31T12:00:00.000000000Z', link: { vlan: [1, 4094] }, marks: { 'url.path': 'cut: more than the bound' } },
  ].map(record => JSON.stringify(record))
  for (const batch of batchesOf(lines, 1)) store.write(batch)
  await store.close()
  assert.deepEqual((await storedLines(path)).map(canonical).sort(), lines.map(canonical).sort())
})
