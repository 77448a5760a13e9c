/** Segments that are made of journals in our own pass over their lines are those that DuckDB makes of them: types, rows, values. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { GROUP_ROWS, OddLinesError } from '../../lib/parquet/mod.ts'
import { DAY_MS, generatedBatch } from '../../bench/harness/generated-records.ts'
import { journalSelect, quote } from '../../src/store/columns.ts'
import { HEADER_COLUMNS, JSON_HEADERS, madeHeadersSql } from '../../src/store/header-columns.ts'
import { openEngine } from '../../src/store/engine.ts'
import { JournalSegments } from '../../src/store/journal-segment.ts'
import { writeSegment } from '../../src/store/segment.ts'
import { hasCorpora } from '../conformance/testing/corpora.ts'
import { corpusLines } from './testing/corpus-lines.ts'
import { COLUMNS } from './testing/stored.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-store-'))
const engine = await openEngine({ threads: 1, memoryMiB: 1024 })
after(() => {
  engine.closeSync()
  rmSync(folder, { recursive: true, force: true })
})
const segments = new JournalSegments(COLUMNS)
let journals = 0

function journalOf(text: string | Uint8Array): { readonly path: string, readonly number: number } {
  const path = join(folder, `lines-${++journals}`)
  writeFileSync(path, text)
  return { path, number: journals }
}

async function all(sql: string): Promise<string> {
  return JSON.stringify((await engine.runAndReadAll(sql)).getRows(), (_, value) => typeof value === 'bigint' ? `${value}n` : value as unknown)
}

async function assertSame(paths: readonly string[], records: number): Promise<void> {
  const numbers = { first: ++journals, last: journals }
  const own = segments.write(folder, paths, numbers, records)
  mkdirSync(join(folder, 'duckdb'), { recursive: true })
  const select = journalSelect(paths, COLUMNS, madeHeadersSql(HEADER_COLUMNS, JSON_HEADERS))
  const theirs = await writeSegment(engine, join(folder, 'duckdb'), select, numbers)
  assert.ok(theirs !== undefined)
  assert.equal(own.rows, theirs.rows)
  assert.deepEqual([own.segment.fromMs, own.segment.toMs], [theirs.segment.fromMs, theirs.segment.toMs])
  const [mine, other] = [own, theirs].map(({ segment }) => `read_parquet(${quote(segment.path)})`) as [string, string]
  assert.equal(await all(`DESCRIBE SELECT * FROM ${mine}`), await all(`DESCRIBE SELECT * FROM ${other}`))
  // The same rows, in whatever order: by column, so that it is seen where they differ.
  const sums = [...COLUMNS, ...HEADER_COLUMNS].map(({ name }) => `sum(hash(${name})::HUGEINT)`).join(', ')
  const rows = `count(*), sum(hash(record)::HUGEINT), ${sums}`
  assert.equal(await all(`SELECT ${rows} FROM ${mine} AS record`), await all(`SELECT ${rows} FROM ${other} AS record`))
}

test('records of the corpora, of all kinds and fields', async (context) => {
  if (!hasCorpora(context)) return
  const lines = await corpusLines()
  await assertSame([journalOf(`${lines.join('\n')}\n`).path], lines.length)
})

test('more rows than a row group has, out of several files', async () => {
  const half = GROUP_ROWS / 2 + 1000
  const paths = [0, 1].map(index => journalOf(generatedBatch(index * half, half, DAY_MS).bytes).path)
  await assertSame(paths, 2 * half)
})

test('seals are no records, and a file without lines is none', async () => {
  const [line, seal] = ['{"kind":"packet","time":"2026-01-31T12:00:00.000000001Z"}', '{"journal":{"crc32":"00000000","bytes":1,"records":1}}']
  await assertSame([journalOf('').path, journalOf(`${line}\n${seal}\n${line}\n${seal}\n`).path], 2)
  assert.throws(() => segments.write(folder, [journalOf(`${seal}\n`).path], { first: 1, last: 1 }, 0), OddLinesError)
})

/** Texts that repeat and texts that do not; such that take escapes, of two to four bytes a character, and long ones. */
const text = fc.oneof(fc.constantFrom('', 'a', 'GET', '"', '\\', '\u0000', '\u001f\n', 'ü', '\u202e', '\ud83d\ude00', '{"a":[', ']}'), fc.string(),
  fc.string({ unit: 'grapheme' }), fc.nat(300).map(length => 'x'.repeat(length)))
const headerName = fc.oneof(text, fc.constantFrom(...HEADER_COLUMNS.map(({ header }) => header)))
const headers = fc.uniqueArray(fc.tuple(headerName, fc.array(text, { maxLength: 4 })), { selector: ([name]) => name, maxLength: 12 })
const int = fc.oneof(fc.integer(), fc.nat(3), fc.maxSafeInteger())
const seconds = fc.oneof(fc.constantFrom(0, 1e-9, 0.1, 1 / 3, 123456.789), fc.double({ noNaN: true, noDefaultInfinity: true }).map(Math.abs))
const time = fc.date({ min: new Date('1900-01-01'), max: new Date('2261-12-31'), noInvalidDate: true }).chain(date =>
  fc.nat(999_999).map(ns => date.toISOString().replace('Z', `${String(ns).padStart(6, '0')}Z`)))
const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> => fc.option(value, { nil: undefined })
/** Written by hand: JSON.stringify would put names that are numbers first. */
const headersText = (list: readonly (readonly [string, readonly string[]])[]): string =>
  `{${list.map(([name, values]) => `${JSON.stringify(name)}:${JSON.stringify(values)}`).join(',')}}`
const record = fc.tuple(time, maybe(seconds), maybe(int), maybe(text), maybe(headers), maybe(headers), maybe(fc.array(int, { maxLength: 5 })),
  maybe(fc.array(text, { maxLength: 5 })), maybe(fc.uniqueArray(fc.tuple(text, text), { selector: ([name]) => name, maxLength: 5 })), maybe(fc.boolean()))
  .map(([at, duration, count, path, request, response, vlan, anomalies, marks, resumed]) => [
    `{"kind":"exchange","time":"${at}"`, duration === undefined ? '' : `,"duration":${JSON.stringify(duration)}`,
    count === undefined ? '' : `,"event":{"count":${count},"unknown":[{"a":null}]}`, path === undefined ? '' : `,"url":{"path":${JSON.stringify(path)}}`,
    `,"http":{"request":{${request === undefined ? '' : `"header":${headersText(request)}`}},"response":{${response === undefined ? '' : `"header":${headersText(response)}`}}}`,
    vlan === undefined ? '' : `,"link":{"vlan":[${vlan}]}`, anomalies === undefined ? '' : `,"anomalies":${JSON.stringify(anomalies)}`,
    marks === undefined ? '' : `,"marks":{${marks.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
    resumed === undefined ? '' : `,"tls":{"resumed":${resumed}}`, ',"not":{"a":"field"}}\n',
  ].join(''))

test('any record', async () => {
  for (const [size, numRuns] of [[3, 40], [400, 6]] as const) {
    await fc.assert(fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: size, size: 'max' }), async lines => {
      await assertSame([journalOf(lines.join('')).path], lines.length)
    }), { numRuns })
  }
})

/** What follows `{"kind":"packet",` in a line; DuckDB reads some of them, in its own way. */
const ODD = [
  '"time":"2026-01-31T12:00:00Z"}', '"time":"2026-02-30T12:00:00.000000000Z"}', '"time":"2026-01-31T24:00:00.000000000Z"}', '"time":12}',
  '"time":"2262-05-31T12:00:00.000000000Z"}', '"duration":"1"}', '"duration":1..2}', '"duration":-}', '"duration":true}', '"event":{"sequence":1.5}}',
  '"event":{"sequence":9223372036854775808}}', '"event":{"sequence":1e3}}', '"event":[1]}', '"event":{"sequence":1}', '"url":{"path":1}}', '"url":{"path":"\\x"}}',
  '"url":{"path":"a}}', '"kind":"packet"}', '"http":{"request":{"header":{"a":"b"}}}}', '"http":{"request":{"header":{"a":[1]}}}}',
  '"http":{"request":{"header":{"a":["b"]}', '"http":{"request":{"header":["a"]}}}', '"http":{"request":{"header":{"a":["b",null]}}}}', '"anomalies":"a"}',
  '"anomalies":["a" ,"b"]}', '"marks":{"a":["b"]}}', '"time" :"2026-01-31T12:00:00.000000000Z"}', '"t\\u0069me":1}', '"event":null}', '"duration":nul}', ']', '', '}}',
]

test('a line in another form is refused, wherever it stands, and nothing is left behind', () => {
  const good = '{"kind":"packet","event":{"sequence":1}}\n'
  const before = readdirSync(folder).length
  for (const odd of ['not json', '{}', '{"time":"2026-01-31T12:00:00.000000000Z"}', '[1]', ...ODD.map(rest => `{"kind":"packet",${rest}`)]) {
    for (const lines of [`${odd}\n${good}`, `${good}${odd}\n`, `${good}${odd}`]) {
      const { path, number } = journalOf(lines)
      assert.throws(() => segments.write(folder, [path], { first: number, last: number }, 2), OddLinesError, lines)
      rmSync(path)
    }
  }
  const { path } = journalOf(Buffer.concat([Buffer.from('{"kind":"'), Buffer.of(0xff), Buffer.from('"}\n')]))
  assert.throws(() => segments.write(folder, [path], { first: 1, last: 1 }, 1), OddLinesError)
  rmSync(path)
  assert.equal(readdirSync(folder).length, before)
})
