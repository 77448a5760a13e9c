/** Records to a real ClickHouse, by the output and by way of Kafka, and read back by its query API. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { generatedBatch } from '../../bench/harness/generated-records.ts'
import { assertAddsUp, delivery, exchanges, HOSTILE, openOutput, range, until } from '../../src/sink/exporters/exporter.suite.ts'
import type { Sink } from '../../src/sink/mod.ts'
import { RecordingHost } from '../../src/sink/sink.suite.ts'
import { CLICKHOUSE } from '../../src/store/mod.ts'
import { hasCorpora } from '../conformance/testing/corpora.ts'
import { corpusLines } from '../store/testing/corpus-lines.ts'
import { assertSameAnswers } from '../store/testing/filters.ts'
import { renumbered } from '../store/testing/renumbered.ts'
import { batchesOf, canonical, openStore, StoreHost } from '../store/testing/stored.ts'
import { ClickHouse } from './testing/clickhouse-server.ts'
import { scaleQuestions, scaleSql } from './testing/scale-sql.ts'
import { sendAll } from './testing/send-all.ts'
import { SOURCES } from './testing/sources.ts'
import { storedRecords } from './testing/stored-records.ts'

/** Captures are of many days, and a day is a part. */
const BIG = { drain: '10m', batch: { records: 20_000, bytes: '16MiB', age: '10s' } }
const folder = mkdtempSync(join(tmpdir(), 'lintel-clickhouse-'))
const sinks: Sink[] = []
after(async () => {
  for (const sink of sinks) await sink.close() // of tests that failed
  rmSync(folder, { recursive: true, force: true })
})
process.env['LINTEL_TEST_CLICKHOUSE'] = 'open-sesame-42'
const AUTH = { basic: { user: 'writer', password: { env: 'LINTEL_TEST_CLICKHOUSE' } } }

/** What both engines are asked, in the same words. */
const QUERIES: readonly (readonly string[])[] = [
  ['true', '--limit', '0'], ['http.response.status_code >= 400', '--limit', '50'],
  ['has(http.response.header.server)', '--format', 'har', '--limit', '20'],
  ['kind != "exchange"', '--format', 'csv', '--limit', '30'], ['url.path.startsWith("/")', '--since', '3650d', '--limit', '0'],
  ['SELECT kind, count(*) AS n, min("time") AS first, max(event_sequence) AS last FROM records GROUP BY kind ORDER BY n DESC'],
  ['SELECT event_sequence, http_request_header, "time", duration, tls_resumed FROM exchanges WHERE url_domain IS NOT NULL ORDER BY 1 LIMIT 100'],
  ['SELECT http_request_method AS method, count(*) AS n FROM exchanges GROUP BY 1 ORDER BY n DESC, 1', '--format', 'table'],
]

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ["INSERT INTO records (id) VALUES ('x')", /a query begins with SELECT/], ['DROP TABLE records', /a query begins with SELECT/],
  ["SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')", /it changes nothing, and reads no files or other servers/],
  ["SELECT * FROM file('/etc/passwd', LineAsString, 'a String')", /it changes nothing, and reads no files or other servers/],
  ['SELECT 1 SETTINGS readonly = 0', /it changes nothing/], ['SELECT count(*) FROM records SETTINGS max_memory_usage = 0', /it changes nothing/],
  ['SELECT * FROM nowhere', /The tables are made by: lintel clickhouse schema/], ['SELECT nothing FROM records', /UNKNOWN_IDENTIFIER/],
  ['SELECT 1 FORMAT CSV', /leave FORMAT out of the query/],
  ["SELECT groupArray(repeat('x', 1000)) FROM numbers(100000000)", /Ask for less, or raise --memory/],
]

/** Lines of one time and number may stand in any order. */
function sorted(text: string): string[] {
  return text.split('\n').map(line => line.startsWith('{"kind"') ? canonical(line) : line).sort()
}

async function serve(name: string, work: (server: ClickHouse) => Promise<void>, credentials?: string): Promise<void> {
  const server = await ClickHouse.start(join(folder, name), credentials)
  try {
    await work(server)
  } finally {
    await server.kill()
  }
}

function open(server: ClickHouse, name: string, host: RecordingHost, more: Record<string, unknown> = {}): Sink {
  const sink = openOutput({
    type: 'clickhouse', url: server.url, host_name: 'gw-1', spool: { path: join(folder, `spool-${name}`) }, drain: '5s', timeout: '10m',
    batch: { age: '10ms' }, retry: { max_wait: '100ms' }, ...more,
  }, host)
  sinks.push(sink)
  return sink
}

for (const source of SOURCES) {
  test(`ClickHouse: ${source.name}: each is there once, equal field by field, hostile ones too`, async context => {
    const told = await source.lines(context)
    if (told === undefined) return
    const lines = renumbered([...told, Buffer.from(exchanges(0, 1).bytes).toString().trimEnd()])
    const name = `equal-${lines.length}`
    await serve(name, async server => {
      await server.makeTables()
      await sendAll(host => open(server, name, host, BIG), lines)
      const found = await storedRecords(server)
      assert.equal(found.size, lines.length)
      for (const [index, line] of lines.entries()) assert.equal(canonical(found.get(index) ?? '{}'), canonical(line))
      assert.equal(await server.ask('SELECT uniqExact(id), groupUniqArray(host_name) FROM lintel.records'), `${lines.length}\t['gw-1']\n`)
      const last = `SELECT http_request_header['x-hostile'] AS v FROM lintel.records WHERE event_sequence = ${lines.length - 1} FORMAT JSONEachRow`
      assert.deepEqual((JSON.parse(await server.ask(last)) as { v: string[] }).v, HOSTILE)
      context.diagnostic(`${lines.length} records`)
    })
  })
}

test('ClickHouse killed and started again midway: every record is seen once; what it cannot read is a dead letter, and it alone', async () => {
  await serve('killed', async server => {
    await server.makeTables()
    const host = new RecordingHost()
    const sink = open(server, 'killed', host, { batch: { records: 500, age: '10ms' } })
    const [batches, records] = [40, 100]
    for (let index = 0; index < batches; index++) {
      sink.write(exchanges(index * records, records))
      await sink.flush()
      if (index === 10) await until('some are sent', () => delivery(sink).sent > 0, host)
      if (index === 10) await server.kill()
      if (index === 20) await until('it is told', () => sink.health().lastError !== undefined, host)
      if (index === 25) await server.run()
    }
    await until('all sent', () => delivery(sink).sent === batches * records, host)
    const odd = Buffer.from(exchanges(9000, 3).bytes).toString().replace('"event":{"sequence":9001}', '"event":{"sequence":"no number"}')
    sink.write({ bytes: Buffer.from(odd), count: 3, kinds: [3, 0, 0, 0, 0, 0], outputs: 1 })
    await until('through', () => delivery(sink).refused === 1 && delivery(sink).waitingRecords === 0, host)
    await sink.close()
    assertAddsUp(sink)
    const found = await storedRecords(server)
    assert.deepEqual([...found.keys()].sort((a, b) => a - b), [...range(0, batches * records), 9000, 9002])
    const letters = readFileSync(join(folder, 'spool-killed', 'dead-letters.ndjson'), 'utf8').trimEnd().split('\n')
    assert.equal(letters.length, 1)
    assert.match(letters[0] as string, /"reason":"400 bad record: Code: \d+.*","record":.*"no number"/)
  })
})

test('ClickHouse: a batch that is sent again is taken once; one cut in another way is seen once', async () => {
  await serve('again', async server => {
    await server.makeTables()
    const insert = (ids: readonly number[], token: string): Promise<string> => server.ask(
      `INSERT INTO lintel.incoming SETTINGS async_insert=0, insert_deduplication_token='${token}', ` +
      'deduplicate_blocks_in_dependent_materialized_views=1 FORMAT JSONEachRow\n' +
      `${ids.map(id => `{"id":"${id}","kind":"exchange","time":"2026-01-31T12:00:00.00000000${id}Z"}`).join('\n')}`)
    const count = async (settings = {}): Promise<number> => Number(await server.ask('SELECT count() FROM lintel.records', settings))
    await insert([1, 2, 3], '1/3')
    await insert([1, 2, 3], '1/3')
    assert.equal(await count(), 3)
    assert.equal(await server.ask("SELECT sum(n) FROM lintel.rollup WHERE counted_by = 'minute'"), '3\n')
    await insert([1, 2, 3, 4], '1/4')
    assert.deepEqual([await count(), await count({ final: '1' })], [7, 4])
  })
})

test('ClickHouse: with async every record is there once as well', async () => {
  await serve('async', async server => {
    await server.makeTables()
    const host = new RecordingHost()
    const sink = open(server, 'async', host, { async: true, batch: { records: 500, age: '10ms' } })
    for (let index = 0; index < 20; index++) sink.write(exchanges(index * 100, 100))
    await until('all sent', () => delivery(sink).sent === 2000, host)
    await sink.close()
    assert.deepEqual([...(await storedRecords(server)).keys()].sort((a, b) => a - b), range(0, 2000))
  })
})

test('ClickHouse: the roll-up of docs/scale.md says what the records say, and tables made anew keep what is there', async () => {
  await serve('roll-up', async server => {
    await server.makeTables({ days: 3650 })
    for (const statement of scaleSql()) await server.ask(statement)
    const host = new RecordingHost()
    const sink = open(server, 'roll-up', host)
    for (let first = 0; first < 20_000; first += 1000) sink.write(generatedBatch(first, 1000, 20_000))
    await until('all sent', () => delivery(sink).sent === 20_000, host)
    await sink.close()
    await server.makeTables({ days: 3650 })
    const rows = async (sql: string): Promise<string[]> => (await server.ask(sql)).trimEnd().split('\n')
    const by = "toStartOfHour(toDateTime(time, 'UTC')) AS h, ifNull(toString(url_domain), '') AS d"
    const told = await rows('SELECT toStartOfHour(minute) AS h, url_domain AS d, sum(requests), sum(response_bytes), ' +
      'uniqCombinedMerge(14)(clients) ' +
      'FROM lintel.requests_by_minute GROUP BY h, d ORDER BY h, d')
    assert.deepEqual(told, await rows(`SELECT ${by}, count(), sum(http_response_body_size), uniqCombined(14)(client_address) ` +
      'FROM lintel.exchanges GROUP BY h, d ORDER BY h, d'))
    assert.ok(told.length > 100, `${told.length} rows`)
    for (const question of scaleQuestions()) assert.equal((await rows(question)).length, 24, question)
  })
})

test('ClickHouse: what hinders is told with its mend, and nothing is lost by it', async () => {
  await serve('troubled', async server => {
    const host = new RecordingHost()
    const told = async (sink: Sink, message: RegExp): Promise<void> => {
      await until(String(message), () => message.test(sink.health().lastError ?? ''), host)
    }
    const stranger = open(server, 'troubled', host, { drain: '10ms' })
    stranger.write(exchanges(0, 10))
    await told(stranger, /403 .*Authentication failed.*; the credentials are not taken: look at auth/)
    await stranger.close()
    const sink = open(server, 'troubled', host, { auth: AUTH })
    await told(sink, /there are no tables for records in database "lintel": make them with lintel clickhouse schema/)
    await server.makeTables({ fields: fields => fields.filter(({ name }) => name !== 'url.query') })
    await told(sink, /element with name 'query'.*; its tables are of an earlier version, and lack a field/)
    await server.makeTables()
    await until('all sent', () => delivery(sink).sent === 10, host)
    await sink.close()
    assert.equal(await server.ask("SELECT count() FROM lintel.records WHERE url_path = '/a'"), '10\n')
    assert.doesNotMatch(host.logs.join('\n'), /sesame/)
  }, 'writer:open-sesame-42')
})

test('ClickHouse: a CEL filter gives the same records as over the records themselves', async context => {
  if (!hasCorpora(context)) return
  const lines = renumbered(await corpusLines())
  await serve('filters', async server => {
    await server.makeTables()
    await sendAll(host => open(server, 'filters', host, BIG), lines)
    const reader = server.reader()
    await assertSameAnswers(reader, lines, CLICKHOUSE)
    reader.close()
  })
})

test('ClickHouse: lintel query gives what it gives from a store: records, archives, SQL; and SQL changes nothing', async context => {
  if (!hasCorpora(context)) return
  const lines = renumbered((await corpusLines()).filter((line, index) => line.startsWith('{"kind":"exchange"') || index % 20 === 0))
  const store = join(folder, 'query-store')
  const sink = openStore(store, new StoreHost())
  for (const batch of batchesOf(lines)) sink.write(batch)
  await sink.close()
  await serve('query', async server => {
    await server.makeTables()
    await sendAll(host => open(server, 'query', host, { ...BIG, auth: AUTH }), lines)
    const config = join(folder, 'query.yaml')
    writeFileSync(config, JSON.stringify({ store: { engine: 'clickhouse', clickhouse: { url: server.url, auth: AUTH } } }))
    const ask = (from: readonly string[], args: readonly string[]): { status: number | null, stdout: string, stderr: string } => {
      const { status, stdout, stderr } = spawnSync('bin/lintel', ['query', ...from, ...args], { encoding: 'utf8', maxBuffer: 1 << 30 })
      return { status, stdout, stderr }
    }
    for (const args of QUERIES) {
      const [there, wanted] = [ask(['--config', config], args), ask(['--store', store], args)]
      assert.deepEqual({ args, ...there, stdout: sorted(there.stdout) }, { args, ...wanted, stdout: sorted(wanted.stdout) })
      assert.deepEqual([there.status, there.stdout.length > 100], [0, true], `${args.join(' ')}: ${there.stderr}`)
    }
    for (const [sql, message] of REFUSED) {
      const { status, stderr } = ask(['--config', config, '--sql'], [sql])
      assert.equal(status, 2, sql)
      assert.match(stderr, message)
      assert.doesNotMatch(stderr, /sesame/)
    }
    assert.equal(await server.ask('SELECT count() FROM lintel.records'), `${lines.length}\n`)
  }, 'writer:open-sesame-42')
})
