/** A query's SQL reads the store: no file, no setting, no other statement, within its bounds. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { QueryError } from '../../src/store/mod.ts'
import { listStore } from '../../src/sink/store/mod.ts'
import { batchesOf, numberedLines, openReader, openStore, rowsOf, StoreHost } from './testing/stored.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-store-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'store')
const secret = join(folder, 'secret.csv')
const target = join(folder, 'target')

before(async () => {
  writeFileSync(secret, 'name,word\nroot,hush-hush\n')
  for (let index = 0; index < 2; index++) {
    const store = openStore(path, new StoreHost())
    for (const batch of batchesOf(numberedLines(index * 100, 100))) store.write(batch)
    await store.close()
  }
})

/** Each must fail, change nothing and give nothing of the secret. `%S` the secret file, `%T` a file that must not be made, `%P` a segment. */
const ATTEMPTS = [
  // reading files
  `SELECT * FROM '%S'`, `SELECT * FROM read_csv('%S')`, `SELECT * FROM read_csv_auto('%S')`, `SELECT * FROM sniff_csv('%S')`, `SELECT * FROM read_text('%S')`,
  `SELECT * FROM read_blob('%S')`, `SELECT * FROM read_json('%S')`, `SELECT * FROM read_json_objects('%S')`, `SELECT * FROM read_ndjson('%S')`, `SELECT * FROM glob('%S')`,
  `SELECT * FROM read_parquet('%S')`, `SELECT * FROM parquet_metadata('%S')`, `SELECT * FROM parquet_schema('%S')`, `SELECT * FROM read_text(['/etc/passwd'])`,
  `SELECT * FROM read_text('/proc/self/environ')`, `SELECT * FROM read_text('/proc/self/fd/../../self/environ')`, `SELECT * FROM read_text('/proc/self/fd/0')`,
  `SELECT * FROM read_text('%P')`, `SELECT * FROM read_csv('http://127.0.0.1:1/x')`, `SELECT * FROM read_parquet('s3://bucket/x')`, `FROM '%S'`, `WITH x AS (FROM read_text('%S')) SELECT * FROM x`,
  `SELECT getenv('HOME')`, `SELECT * FROM query('COPY (SELECT 1) TO ''%T''')`, `SELECT * FROM query_table('%S')`, `SELECT (SELECT content FROM read_text('%S'))`,
  // writing files
  `COPY (SELECT 1) TO '%T'`, `COPY records TO '%T'`, `COPY (SELECT 1) TO '%P'`, `EXPORT DATABASE '%T'`, `ATTACH '%T' AS x`, `ATTACH '%S' AS x`, `IMPORT DATABASE '%S'`,
  `SELECT 1) TO '%T' (FORMAT csv); --`, `SELECT 1; COPY (SELECT 1) TO '%T'`, `SELECT * FROM (COPY (SELECT 1) TO '%T')`, `WITH x AS (COPY (SELECT 1) TO '%T') SELECT 1`,
  // settings
  `SET enable_external_access = true`, `SELECT 1; SET enable_external_access = true`, `RESET enable_external_access`, `SET allowed_paths = ['%S']`, `SET memory_limit = '100GB'`,
  `SET lock_configuration = false`, `PRAGMA enable_profiling`, `PRAGMA database_list`, `PRAGMA memory_limit='1TB'`, `SET GLOBAL threads = 64`, `CALL enable_logging()`, `SELECT set_config('threads', '64', false)`,
  // code and other statements
  `INSTALL httpfs`, `LOAD httpfs`, `LOAD '%S'`, `FORCE INSTALL httpfs FROM community`, `CREATE TABLE t AS SELECT 1`, `CREATE MACRO m() AS 1`, `CREATE SECRET (TYPE s3)`, `DROP VIEW records`,
  `INSERT INTO records VALUES (1)`, `DELETE FROM records`, `UPDATE records SET kind = 'x'`, `PREPARE x AS SELECT 1`, `EXECUTE x`, `BEGIN`, `CHECKPOINT`, `VACUUM`, `USE x`, `EXPLAIN ANALYZE SELECT 1`,
  `DESCRIBE records`, `SHOW TABLES`, `SELECT 1; SELECT 2`, `/* SELECT */ DROP VIEW records`, `-- SELECT\nDROP VIEW records`, `SELECT`, ``, `;`, `SELECT 1 FROM`, `\u0000SELECT 1`,
] as const

test('no attempt reads or writes a file, changes a setting or runs another statement', async () => {
  const segment = (listStore(path).segments[0] as { path: string }).path
  const names = readdirSync(folder)
  const bytes = readFileSync(segment)
  const reader = await openReader(path)
  for (const attempt of ATTEMPTS) {
    const sql = attempt.replaceAll('%S', secret).replaceAll('%T', target).replaceAll('%P', segment)
    await assert.rejects(rowsOf(reader, sql), (error: Error) => {
      assert.ok(error instanceof QueryError, `${sql}: ${error.stack}`)
      assert.doesNotMatch(error.message, /hush-hush/)
      return true
    }, sql)
  }
  assert.deepEqual(readdirSync(folder), names)
  assert.deepEqual(readFileSync(segment), bytes)
  assert.deepEqual(await rowsOf(reader, 'SELECT count(*) FROM records'), [[200n]])
  assert.deepEqual(await rowsOf(reader, `SELECT current_setting('enable_external_access'), current_setting('lock_configuration')`), [[false, true]])
  reader.close()
})

test('an export writes to its own file only', async () => {
  const own = join(folder, 'own.parquet')
  const reader = await openReader(path, { exportPath: own })
  for (const attempt of [`SELECT 1) TO '${target}' (FORMAT csv); --`, `SELECT 1) TO '${target}' --`, `COPY (SELECT 1) TO '${target}'`, `SELECT * FROM read_text('${secret}')`]) {
    await assert.rejects(reader.exportTo(attempt), QueryError, attempt)
  }
  await reader.exportTo('SELECT event_sequence FROM records; ')
  assert.equal(readFileSync(own).toString('latin1', 0, 4), 'PAR1')
  assert.deepEqual(readdirSync(folder).includes('target'), false)
  reader.close()
})

test('a query that is too wide ends within its bounds, and the reader answers on', async () => {
  const reader = await openReader(path, { memoryMiB: 128, timeoutMs: 500 })
  const cases = [
    [`SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range % 7 = 3`, /took longer than 0.5 s; ask for less, or raise --timeout/],
    [`SELECT list(repeat('x', 1000000) || range) FROM range(1000000)`, /Out of Memory|took longer/],
    [`WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r`, /took longer|Out of Memory/],
    [`SELECT ${'('.repeat(20_000)}1${')'.repeat(20_000)}`, /Cannot run the query/],
    [`SELECT '${'x'.repeat(70_000)}'`, /65536 are allowed/],
  ] as const
  for (const [sql, message] of cases) {
    const one = await openReader(path, { memoryMiB: 128, timeoutMs: 500 })
    await assert.rejects(rowsOf(one, sql), message)
    one.close()
  }
  assert.deepEqual(await rowsOf(reader, 'SELECT count(*) FROM exchanges'), [[200n]])
  reader.close()
})

test('a wrong query is told with its place and a mend', async () => {
  const reader = await openReader(path)
  await assert.rejects(rowsOf(reader, 'SELECT nope FROM records'), /Cannot run the query: Binder Error: .*"nope"/)
  await assert.rejects(rowsOf(reader, 'SELECT * FROM record'), /Did you mean "records/)
  await assert.rejects(rowsOf(reader, 'SELECT * FROM records WHERE time > now()'), /write "time" > ago\(INTERVAL 1 HOUR\)/)
  assert.deepEqual(await rowsOf(reader, 'SELECT count(*) FROM records WHERE time > ago(INTERVAL 1 HOUR)'), [[0n]])
  reader.close()
})
