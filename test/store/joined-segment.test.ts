/** Segments that are joined as they are hold the rows of their parts; what cannot be joined so is left to DuckDB. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { generatedBatch } from '../../bench/harness/generated-records.ts'
import { CompactError, readCompact } from '../../lib/parquet/compact-reader.ts'
import { compact, type Fields, text, type Thrift } from '../../lib/parquet/compact-writer.ts'
import { fileMetaData } from '../../lib/parquet/file-meta-data.ts'
import { GROUP_ROWS, joinParquet } from '../../lib/parquet/mod.ts'
import type { SegmentFile } from '../../src/sink/store/mod.ts'
import { quote } from '../../src/store/columns.ts'
import { openEngine } from '../../src/store/engine.ts'
import { HEADER_COLUMNS, segmentsSelect } from '../../src/store/header-columns.ts'
import { JournalSegments } from '../../src/store/journal-segment.ts'
import { joinSegments } from '../../src/store/joined-segment.ts'
import { damageOf, writeSegment } from '../../src/store/segment.ts'
import { COLUMNS } from './testing/stored.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-store-'))
const engine = await openEngine({ threads: 1, memoryMiB: 1024 })
after(() => {
  engine.closeSync()
  rmSync(folder, { recursive: true, force: true })
})
const journals = new JournalSegments(COLUMNS)

function segment(number: number, records: number, columns = journals): SegmentFile {
  const path = join(folder, `journal-${number}`)
  writeFileSync(path, generatedBatch(number * 100_000, records, 10_000_000).bytes)
  return columns.write(folder, [path], { first: number, last: number }, records).segment
}

async function sums(from: string): Promise<string> {
  const list = [...COLUMNS, ...HEADER_COLUMNS].map(({ name }) => `sum(hash(${name})::HUGEINT)`).join(', ')
  const result = await engine.runAndReadAll(`SELECT count(*), sum(hash(record)::HUGEINT), ${list} FROM ${from} AS record`)
  return JSON.stringify(result.getRows(), (_, value) => typeof value === 'bigint' ? `${value}n` : value as unknown)
}

const parts = [segment(1, GROUP_ROWS + 9000), segment(2, 9000), segment(3, 20_000)]

test('the rows, their order, what each row group tells of itself, and the name', async () => {
  const made = joinSegments(folder, parts, { first: 1, last: 3 })
  assert.ok(made !== undefined)
  assert.equal(made.rows, GROUP_ROWS + 38_000)
  assert.equal(damageOf(made.segment), undefined)
  assert.equal(made.segment.fromMs, parts[0]?.fromMs)
  assert.equal(made.segment.toMs, parts[2]?.toMs)
  assert.match(basename(made.segment.path), /^records-h-00000001-00000003-/)
  const [whole, apart] = [`read_parquet(${quote(made.segment.path)})`, `(${segmentsSelect(parts)})`]
  assert.equal(await sums(whole), await sums(apart))
  const inOrder = async (from: string): Promise<string> => (await engine.runAndReadAll(`SELECT md5(string_agg(event_sequence::VARCHAR, ',')) FROM ${from}`)).getRows().join()
  assert.equal(await inOrder(whole), await inOrder(apart))
  // What tells whether a row group is to be read: a filter that only one passes gives the same.
  const [[first]] = (await engine.runAndReadAll(`SELECT max("time")::VARCHAR FROM ${whole}`)).getRows() as [[string]]
  const newest = async (from: string): Promise<bigint> => (
    (await engine.runAndReadAll(`SELECT count(*) FROM ${from} WHERE "time" >= TIMESTAMP_NS '${first}'`)).getRows() as [[bigint]])[0][0]
  assert.ok(await newest(whole) >= 1n)
  assert.equal(await newest(whole), await newest(apart))
  const chunks = `SELECT count(*), sum(num_values), sum(total_compressed_size), count(DISTINCT stats_max_value) FROM parquet_metadata`
  const files = parts.map(({ path }) => quote(path)).join(', ')
  const [mine, theirs] = [`${chunks}(${quote(made.segment.path)})`, `${chunks}([${files}])`]
  assert.deepEqual((await engine.runAndReadAll(mine)).getRows(), (await engine.runAndReadAll(theirs)).getRows())
  // What was joined is joined again.
  const again = joinSegments(folder, [made.segment, parts[0] as SegmentFile], { first: 1, last: 4 })
  assert.equal(again?.rows, made.rows + GROUP_ROWS + 9000)
  assert.equal(await sums(`read_parquet(${quote(again.segment.path)})`), await sums(`(${segmentsSelect([made.segment, parts[0] as SegmentFile])})`))
})

test('another writer, other columns, an older version and small row groups are left to DuckDB, and nothing is left behind', async () => {
  const files = (): number => readdirSync(folder).length
  const [whole] = parts as [SegmentFile]
  const small = Array.from({ length: 3 }, (_, index) => segment(10 + index, 100))
  const other = segment(20, 9000, new JournalSegments(COLUMNS.slice(0, -1)))
  mkdirSync(join(folder, 'duckdb'))
  const made = await writeSegment(engine, join(folder, 'duckdb'), segmentsSelect([whole]), { first: 30, last: 30 })
  const before = files()
  for (const [what, run] of [['small', small], ['other columns', [whole, other]], ['DuckDB', [whole, (made as { segment: SegmentFile }).segment]],
    ['older', [whole, { ...whole, hasHeaderColumns: false }]]] as const) {
    assert.equal(joinSegments(folder, run, { first: 1, last: 99 }), undefined, what)
  }
  assert.equal(files(), before)
})

test('a file whose end is not as it was written is left to DuckDB, wherever a byte of it differs, and never crashes', () => {
  const source = readFileSync((parts[1] as SegmentFile).path)
  const footer = source.readUInt32LE(source.length - 8)
  const path = join(folder, 'bent')
  const joined = join(folder, 'bent-joined')
  fc.assert(fc.property(fc.nat(footer + 7), fc.nat(255), fc.boolean(), (back, byte, isCut) => {
    const bent = Buffer.from(source)
    const at = bent.length - 1 - back
    bent[at] = byte
    writeFileSync(path, isCut ? bent.subarray(0, at) : bent)
    joinParquet(joined, [path])
  }), { numRuns: 400 })
  // A place in the file that is no number.
  const end = source.length - 8 - footer
  const fields = new Map(readCompact(source.subarray(end, source.length - 8)))
  const lists = [2, 4].map(id => (fields.get(id) as { value: readonly Thrift[] }).value) as [readonly Thrift[], readonly Thrift[]]
  const bentGroup = (lists[1][0] as { value: Fields }).value.map(([id, value]) => [id, id === 5 ? text('x') : value] as const)
  writeFileSync(path, Buffer.concat([source.subarray(0, end), ...fileMetaData(lists[0], 9000, [bentGroup])]))
  assert.equal(joinParquet(joined, [path]), undefined)
  for (const length of [0, 3, 11, 12]) {
    writeFileSync(path, source.subarray(0, length))
    assert.equal(joinParquet(joined, [path]), undefined)
  }
})

/** What a struct of this protocol can hold, as Parquet uses it. */
const thrift: fc.Arbitrary<Thrift> = fc.letrec<{ value: Thrift, fields: Fields }>(tie => ({
  value: fc.oneof({ maxDepth: 4 }, fc.integer().map((value): Thrift => ({ type: 'i32', value })), fc.maxSafeInteger().map(half => Math.trunc(half / 2))
    .map((value): Thrift => ({ type: 'i64', value })), fc.uint8Array().map((value): Thrift => ({ type: 'binary', value })),
  fc.boolean().map((value): Thrift => ({ type: 'bool', value })), tie('fields').map((value): Thrift => ({ type: 'struct', value })),
  fc.array(tie('fields'), { maxLength: 20 }).map((all): Thrift => ({ type: 'list', of: 12, value: all.map((value): Thrift => ({ type: 'struct', value })) }))),
  fields: fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 40 }), tie('value')), { selector: ([id]) => id, maxLength: 6 })
    .map(all => all.sort(([a], [b]) => a - b)),
})).value

test('the compact protocol: what is written is read, what is cut is refused', () => {
  fc.assert(fc.property(fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 100 }), thrift), { selector: ([id]) => id, maxLength: 8 }), fc.nat(), (all, cut) => {
    const bytes = compact(all.sort(([a], [b]) => a - b))
    assert.deepEqual(compact(readCompact(bytes)), bytes)
    assert.throws(() => readCompact(bytes.subarray(0, cut % bytes.length)), CompactError)
  }))
  for (const bytes of [[0x17], [0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0], [0x19, 0xfc, 0xff, 0xff, 0x7f, 0], Array<number>(1000).fill(0x1c)]) {
    assert.throws(() => readCompact(Uint8Array.from(bytes)), CompactError)
  }
})
