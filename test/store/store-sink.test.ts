import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { RecordingHost, sinkSuite } from '../../src/sink/sink.suite.ts'
import { ASIDE, journalName, listStore } from '../../src/sink/store/mod.ts'
import { Journal } from '../../src/sink/journal.ts'
import type { SegmentFile } from '../../src/sink/store/mod.ts'
import type { SafeBatch } from '../../src/sink/mod.ts'
import type { PlainValue } from '../../src/store/mod.ts'
import { mergeable, neighbours, Packing, type Sized, type SizedJournal } from '../../src/store/packing.ts'
import { batchesOf, COLUMNS, numberedLines, openReader, openStore as open, rowsOf } from './testing/stored.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-store-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let number = 0
const needsRoot = { skip: process.getuid?.() === 0 ? false : 'mounting a small disk needs root' }

/** Exchanges numbered from `first`, each some `lineBytes` long. */
function makeBatch(first: number, count: number, lineBytes = 0): SafeBatch {
  return batchesOf(numberedLines(first, count, lineBytes), count)[0] as SafeBatch
}

async function ask(path: string, sql: string): Promise<{ rows: readonly (readonly PlainValue[])[], notes: readonly string[] }> {
  const reader = await openReader(path)
  const rows = await rowsOf(reader, sql)
  reader.close()
  return { rows, notes: reader.notes }
}

/** A store with segments of `count` records each. */
async function storeOf(path: string, segments: number, count: number): Promise<void> {
  for (let index = 0; index < segments; index++) {
    const store = open(path, new RecordingHost())
    store.write(makeBatch(index * count, count, 500))
    await store.close()
  }
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let left = 400; !isSo(); left--) {
    if (left === 0) assert.fail(`waited in vain: ${what}`)
    await sleep(50)
  }
}

sinkSuite('store', async host => {
  const path = join(folder, `suite-${number++}`)
  return { sink: open(path, host), collect: async () => String((await ask(path, "SELECT count(*) FROM records WHERE kind = 'exchange'")).rows[0]?.[0]).replace(/^0$/, '') }
})

test('a second writer is refused, and can open the store once the first has closed', async () => {
  const path = join(folder, 'locked')
  const first = open(path, new RecordingHost())
  assert.throws(() => open(path, new RecordingHost()), /Cannot open the store ".*locked": another Lintel writes to it; give each its own folder/)
  await first.close()
  await open(path, new RecordingHost()).close()
})

test('a folder that cannot be made or written is refused with its mend', () => {
  const file = join(folder, 'a-file')
  writeFileSync(file, '')
  assert.throws(() => open(file, new RecordingHost()), /Cannot open the store ".*a-file": a part of the path is a file/)
  assert.throws(() => open('/proc/lintel-store', new RecordingHost()), /Cannot open the store "\/proc\/lintel-store": /)
})

test('a query sees what the writer settled, while it writes', async () => {
  const path = join(folder, 'live')
  const store = open(path, new RecordingHost(), { segment: { bytes: '8KiB' } })
  for (let index = 0; index < 60; index++) {
    store.write(makeBatch(index * 10, 10, 300))
    if (index % 10 !== 9) continue
    await store.flush()
    const { rows } = await ask(path, 'SELECT count(*), count(DISTINCT event_sequence) FROM records')
    assert.deepEqual(rows, [[BigInt(index * 10 + 10), BigInt(index * 10 + 10)]])
  }
  await store.close()
})

test('what a query reads is not removed under it, and is once it has ended', async () => {
  const path = join(folder, 'read')
  const store = open(path, new RecordingHost())
  store.write(makeBatch(0, 50))
  await store.flush()
  const reader = await openReader(path)
  await store.close()
  const { segments, covered } = listStore(path)
  assert.deepEqual([segments.length, covered.length], [1, 1])
  assert.deepEqual(await rowsOf(reader, 'SELECT count(*) FROM records'), [[50n]])
  assert.deepEqual((await ask(path, 'SELECT count(*) FROM records')).rows, [[50n]])
  reader.close()
  await open(path, new RecordingHost()).close()
  assert.equal(listStore(path).covered.length, 0)
})

test('a full disk is told and counted, what is stored stays, and writing goes on once there is room', needsRoot, async () => {
  const mount = join(folder, 'disk')
  mkdirSync(mount)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4096k,mode=700', 'tmpfs', mount])
  try {
    const host = new RecordingHost()
    const path = join(mount, 'store')
    const store = open(path, host, { segment: { bytes: '512KiB' }, queue_bytes: '1MiB' })
    store.write(makeBatch(0, 100, 500))
    await store.flush()
    const ballast = join(mount, 'ballast')
    try {
      for (;;) appendFileSync(ballast, Buffer.alloc(4096))
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
    }
    for (let index = 1; index <= 40; index++) store.write(makeBatch(index * 100, 100, 500))
    await until('the full disk is told', () => host.logs.some(line => line.includes('no space left on the disk')))
    store.write(makeBatch(5000, 2000, 500))
    assert.match(store.health().lastError ?? '', /no space left/)
    assert.ok((store.health().droppedRecords.get('disk full') ?? 0) >= 2000)
    assert.deepEqual((await ask(path, 'SELECT count(*) FROM records')).rows, [[BigInt(host.written)]])
    rmSync(ballast)
    await store.flush()
    await store.close()
    assert.ok(host.logs.some(line => line.includes('works again')), host.logs.join('\n'))
    assert.deepEqual((await ask(path, 'SELECT count(*), count(DISTINCT event_sequence) FROM records')).rows, [[BigInt(host.written), BigInt(host.written)]])
    assert.ok(host.written > 100)
  } finally {
    execFileSync('umount', ['-l', mount])
  }
})

test('a disk too full to pack keeps the journals, and they are packed once there is room', needsRoot, async () => {
  const mount = join(folder, 'tight')
  mkdirSync(mount)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k,mode=700', 'tmpfs', mount])
  try {
    const path = join(mount, 'store')
    const host = new RecordingHost()
    const store = open(path, host, { segment: { bytes: '1MiB' } })
    store.write(makeBatch(0, 700, 600))
    await store.flush()
    appendFileSync(join(mount, 'ballast'), Buffer.alloc(statfsRoom(mount)))
    await store.close()
    assert.ok(host.logs.some(line => /Cannot pack the store: no space left on the disk; .*waits in its journals/.test(line)), host.logs.join('\n'))
    assert.equal(listStore(path).journals.length, 1)
    rmSync(join(mount, 'ballast'))
    await open(path, host).close()
    assert.equal(listStore(path).journals.length, 0)
    assert.deepEqual((await ask(path, 'SELECT count(DISTINCT event_sequence) FROM records')).rows, [[700n]])
  } finally {
    execFileSync('umount', ['-l', mount])
  }
})

function statfsRoom(mount: string): number {
  const text = execFileSync('stat', ['-f', '-c', '%a %S', mount], { encoding: 'utf8' }).split(' ').map(Number) as [number, number]
  return text[0] * text[1]
}

test('a torn end of a journal is cut off; a damaged piece is kept aside, and the rest of it taken in', async () => {
  const path = join(folder, 'journals')
  mkdirSync(path)
  const store = open(path, new RecordingHost())
  for (let index = 0; index < 3; index++) {
    store.write(makeBatch(index * 10, 10))
    await store.flush()
  }
  const [journal] = listStore(path).journals as unknown as [{ path: string }]
  const bytes = readFileSync(journal.path)
  await store.close()
  const second = bytes.indexOf('"n15"')
  const flipped = Buffer.from(bytes)
  flipped[second + 3] = 0x39
  for (const segment of listStore(path).segments) rmSync(segment.path)
  writeFileSync(journal.path, Buffer.concat([flipped, Buffer.from('{"kind":"exchange","event":{"sequence":99}}\n{"kind":"exch')]))
  const host = new RecordingHost()
  await open(path, host).close()
  assert.ok(host.logs.some(line => /journal-00000001.ndjson" is damaged: \d+ bytes .* its other 20 records are taken in/.test(line)), host.logs.join('\n'))
  const { rows } = await ask(path, 'SELECT event_sequence FROM records ORDER BY 1')
  assert.deepEqual(rows.map(([n]) => Number(n)), [...Array(10).keys(), ...Array.from({ length: 10 }, (_, index) => 20 + index)])
  const [kept] = readdirSync(join(path, ASIDE)) as [string]
  assert.equal(statSync(join(path, ASIDE, kept)).size, flipped.length + 57)
})

test('damaged and foreign segments are left out with a message, set aside at the next start, and the rest answers', async () => {
  const path = join(folder, 'damaged')
  await storeOf(path, 4, 300)
  const segments = listStore(path).segments.map(segment => segment.path) as [string, string, string, string]
  truncateSync(segments[0], 100)
  writeFileSync(segments[1], 'not Parquet at all')
  const inside = readFileSync(segments[2])
  inside.fill(0xff, 4, Math.floor(inside.length / 2))
  writeFileSync(segments[2], inside)
  writeFileSync(join(path, 'foreign.txt'), 'of somebody else')
  const { rows, notes } = await ask(path, `SELECT min(event_sequence), max(event_sequence), count(DISTINCT http_request_header['x-number']) FROM records`)
  assert.deepEqual(rows, [[900n, 1199n, 300n]])
  assert.equal(notes.length, 3)
  assert.match(notes[0] as string, /records-h-00000001-.*is left out: it does not begin and end as Parquet does/)
  assert.match(notes[2] as string, /is left out: its bytes are not as they were written/)
  const host = new RecordingHost()
  const store = open(path, host)
  store.write(makeBatch(2000, 1))
  await store.close()
  assert.ok(host.logs.filter(line => line.includes('cannot be read')).length >= 2, host.logs.join('\n'))
  assert.ok(readdirSync(join(path, ASIDE)).length >= 2)
  assert.equal(readFileSync(join(path, 'foreign.txt'), 'utf8'), 'of somebody else')
})

test('small segments are merged: the same records in fewer files; a merge that was killed leaves nothing double', async () => {
  const path = join(folder, 'merged')
  await storeOf(path, 7, 50)
  const before = new Map(listStore(path).segments.map(segment => [segment.path, readFileSync(segment.path)]))
  assert.equal(before.size, 7)
  await storeOf(path, 1, 50)
  const [merged, ...others] = listStore(path).segments
  assert.deepEqual({ first: merged?.first, last: merged?.last, others }, { first: 1, last: 8, others: [] })
  // As after a kill between the rename and the removal.
  for (const [name, bytes] of before) writeFileSync(name, bytes)
  writeFileSync(join(path, 'unfinished-9.parquet'), 'half')
  assert.deepEqual((await ask(path, 'SELECT count(*) FROM records')).rows, [[400n]])
  await open(path, new RecordingHost()).close()
  const left = listStore(path)
  assert.deepEqual([left.segments.length, left.covered.length, left.unfinished.length], [1, 0, 0])
})

test('what is too old or too much is removed, the newest stays', async () => {
  const path = join(folder, 'expired')
  await storeOf(path, 3, 1000)
  const [oldest] = listStore(path).segments as unknown as [SegmentFile]
  utimesSync(oldest.path, new Date(Date.now() - 7_200_000), new Date(Date.now() - 7_200_000))
  const again = open(path, new RecordingHost(), { keep: { age: '1h' } })
  again.write(makeBatch(5000, 1))
  await again.close()
  assert.deepEqual(listStore(path).segments.map(segment => segment.first), [2, 3, 4])
  const bytesOf = (segments: readonly SegmentFile[]): number => segments.reduce((sum, { path: segment }) => sum + statSync(segment).size, 0)
  const all = listStore(path).segments
  assert.ok(bytesOf(all) < 131_072, 'the segments are too large for this test')
  for (let index = 0; bytesOf(listStore(path).segments) < 65_536; index++) await storeOf(path, 1, 1000 + index)
  const tight = open(path, new RecordingHost(), { keep: { bytes: '64KiB' } })
  tight.write(makeBatch(9000, 1))
  await tight.close()
  const left = listStore(path).segments
  assert.ok(bytesOf(left) <= 65_536)
  assert.ok(!left.some(segment => segment.first === 2), 'the oldest went first')
  assert.deepEqual((await ask(path, 'SELECT count(*) FROM records WHERE event_sequence = 9000')).rows, [[1n]])
})

test('neighbours are merged by size class and span; one that is large keeps those beside it apart', () => {
  const sized = (size: number, storedMs: number, first: number): Sized => ({
    size, storedMs, segment: { path: String(first), first, last: first, fromMs: 0, toMs: 0, crc32: '00000000', hasHeaderColumns: true },
  })
  const small = (count: number, from: number): Sized[] => Array.from({ length: count }, (_, index) => sized(1000, 0, from + index))
  assert.equal(mergeable(small(7, 0), 1), undefined)
  assert.equal(mergeable(small(8, 0), 1)?.length, 8)
  assert.equal(mergeable([...small(4, 0), sized(2 ** 27, 0, 4), ...small(4, 5)], 1), undefined)
  assert.equal(mergeable([...small(4, 0), ...small(4, 4).map(entry => ({ ...entry, storedMs: 1000 }))], 100), undefined)
})

test('journals that wait one after the other are packed together, never over a number that is not among them', () => {
  const numbered = (...numbers: number[]): SizedJournal[] => numbers.map(number => ({ path: String(number), number, size: 10 }))
  const runs = (journals: SizedJournal[], countMax: number, bytesMax: number): number[][] =>
    neighbours(journals, countMax, bytesMax).map(run => run.map(({ number }) => number))
  assert.deepEqual(runs(numbered(1, 2, 3, 5, 6), 8, 100), [[1, 2, 3], [5, 6]])
  assert.deepEqual(runs(numbered(1, 2, 3, 4, 5), 2, 100), [[1, 2], [3, 4], [5]])
  assert.deepEqual(runs(numbered(1, 2, 3, 4, 5), 8, 30), [[1, 2, 3], [4, 5]])
  assert.deepEqual(runs(numbered(1, 2), 8, 5), [[1], [2]])
  assert.deepEqual(runs([], 8, 100), [])
})

test('journals that wait become segments together; where a record cannot be read, each becomes one of its own', async () => {
  const path = join(folder, 'together')
  mkdirSync(path)
  const lines = [1, 2, 3, 4].map(number => numberedLines(number * 100, 50))
  lines[3]?.push('{"kind":"exchange",')
  for (const [index, each] of lines.entries()) {
    const journal = new Journal(join(path, journalName(index + 1)), index + 1)
    await journal.append([Buffer.from(`${each.join('\n')}\n`)], each.length)
    journal.close()
  }
  const packed: number[] = []
  const logs: string[] = []
  const packing = new Packing({ folder: path, keepMs: 3_600_000, keepBytes: 1e9 }, COLUMNS,
    { packed: number => packed.push(number), log: (_, message) => logs.push(message) })
  await packing.round(5)
  const { segments, rollups, journals } = listStore(path)
  assert.deepEqual(segments.map(({ first, last }) => [first, last]), [[1, 2], [3, 3], [4, 4]])
  assert.deepEqual([rollups.size, journals.length, packed.sort()], [3, 0, [1, 2, 3, 4]])
  assert.match(logs.join('\n'), /^1 of 51 records of ".*journal-00000004\.ndjson" could not be read; the file is kept in/m)
  assert.deepEqual((await ask(path, 'SELECT count(DISTINCT event_sequence), count(*) FROM records')).rows, [[200n, 200n]])
})

test('a store that is asked again and again keeps no file open, an empty journal neither', async () => {
  const path = join(folder, 'asked-again')
  const sink = open(path, new RecordingHost())
  sink.write(makeBatch(0, 20))
  await sink.close()
  writeFileSync(join(path, journalName(99)), '')
  const count = async (): Promise<unknown> => (await ask(path, 'SELECT count(*) FROM records')).rows[0]?.[0]
  assert.equal(await count(), 20n)
  const before = readdirSync('/proc/self/fd').length
  for (let time = 0; time < 5; time++) await count()
  assert.equal(readdirSync('/proc/self/fd').length, before)
})
