/** What is logged now reaches the pages that follow it, as far as they can, and nothing else waits for them. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Agent } from '../../src/agent.ts'
import { configSchema, type Config } from '../../src/config.ts'
import { FIELDS } from '../../src/exchange/fields.ts'
import { outputsLost } from '../../src/ledger.ts'
import { pageHealth } from '../../src/page-health.ts'
import { compileFilter, PageHandle, WebSink } from '../../src/sink/mod.ts'
import { JsonRecord } from '../../src/web/json-record.ts'
import { CORPORA, hasCorpora, truthRows } from '../conformance/testing/corpora.ts'
import { batchesOf, numberedLines, StoreHost } from '../store/testing/stored.ts'
import { EventStream } from './testing/event-stream.ts'
import { OpenPage, TOKEN } from './testing/open-page.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-web-'))
after(() => rmSync(folder, { recursive: true, force: true }))

async function livePage(t: { after(end: () => Promise<void>): void }): Promise<OpenPage> {
  const page = await (await new OpenPage(undefined, { isLive: true }).start()).enter()
  t.after(() => page.server.stop())
  return page
}

function give(page: OpenPage, lines: readonly string[]): void {
  page.server.live?.take(Buffer.from(`${lines.join('\n')}\n`))
}

function sequences(stream: EventStream): number[] {
  return stream.lines.map(line => (JSON.parse(line) as { event: { sequence: number } }).event.sequence)
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}

test('a page gets the last thousand at once, then what comes, in order', async t => {
  const page = await livePage(t)
  give(page, numberedLines(0, 1500))
  const stream = await EventStream.open(`${page.url}/api/live`, page.cookie)
  await stream.until(() => stream.lines.length >= 1000, 'the last thousand')
  give(page, numberedLines(1500, 50))
  await stream.until(() => stream.lines.length >= 1050, 'what comes')
  assert.deepEqual(sequences(stream), range(500, 1050))
  assert.equal(stream.missed, 0)
  assert.equal(page.server.live?.clients, 1)
  stream.close()
  await stream.until(() => page.server.live?.clients === 0, 'the end of a page that left')
})

test('a filter is that of the command line, and what it says of a wrong one', async t => {
  const page = await livePage(t)
  const filter = 'http.response.status_code >= 203 && http.request.header["x-number"][0].endsWith("3")'
  give(page, numberedLines(0, 20))
  const stream = await EventStream.open(`${page.url}/api/live?filter=${encodeURIComponent(filter)}`, page.cookie)
  give(page, numberedLines(20, 20))
  await stream.until(() => stream.lines.length >= 4, 'what passes')
  assert.deepEqual(sequences(stream), [3, 13, 23, 33])
  stream.close()
  for (const path of ['/api/live', '/api/filter']) {
    const { status, text } = await page.ask(`${path}?filter=${encodeURIComponent('http.response.status_cod == 1')}`)
    assert.equal(status, 400)
    assert.match(text, /http\.response\.status_code/)
  }
  assert.equal((await page.ask(`/api/filter?filter=${encodeURIComponent(filter)}`)).status, 200)
})

test('a browser that stops reading misses records, is told how many, and the others get all', async t => {
  const page = await livePage(t)
  const stuck = await EventStream.open(`${page.url}/api/live`, page.cookie, false)
  const other = await EventStream.open(`${page.url}/api/live`, page.cookie)
  const total = 6000
  for (let first = 0; first < total; first += 200) {
    give(page, numberedLines(first, 200, 4096))
    await other.until(() => other.lines.length === first + 200, 'all, by the page that reads')
  }
  assert.equal(other.missed, 0)
  stuck.read()
  await stuck.until(() => stuck.lines.length + stuck.missed === total, 'what waited, and the number of the rest')
  assert.ok(stuck.missed > 0)
  stuck.close()
  other.close()
})

test('a seventeenth page is refused, and a line that is too long is counted', async t => {
  const page = await livePage(t)
  const streams: EventStream[] = []
  for (let index = 0; index < 16; index++) streams.push(await EventStream.open(`${page.url}/api/live`, page.cookie))
  const { status, text } = await page.ask('/api/live')
  assert.equal(status, 503)
  assert.match(text, /16 pages do already/)
  for (let part = 0; part < 40; part++) page.server.live?.take(Buffer.alloc(64 * 1024, 'x'))
  give(page, ['', ...numberedLines(7, 1)])
  await streams[0]?.until(() => streams[0]?.lines.length === 1, 'the line behind it')
  assert.equal(streams[0]?.missed, 1)
  for (const stream of streams) stream.close()
})

test('a record as JSON answers filters as the record in memory does', () => {
  const line = JSON.stringify({
    kind: 'exchange', time: '2026-01-31T12:00:00.123456789Z', duration: 0.25, url: { path: '/a', domain: 'x' }, anomalies: ['a'],
    http: { request: { header: { host: ['x', 'y'], __proto__x: ['1'] } }, response: { status_code: 404 } }, marks: { 'url.query': 'cut' },
  })
  const record = new JsonRecord(FIELDS).at(line)
  const cases: readonly (readonly [string, boolean])[] = [
    ['kind == "exchange"', true], ['duration > 0.2 && duration < 0.3', true], ['time > timestamp("2026-01-31T12:00:00Z")', true],
    ['time > timestamp("2026-01-31T12:00:01Z")', false], ['"host" in http.request.header', true], ['http.request.header["host"][1] == "y"', true],
    ['http.request.header["constructor"][0] == "x"', false], ['"toString" in http.request.header', false], ['has(http.response)', true], ['has(url.query)', false],
    ['http.response.status_code in [403, 404]', true], ['"a" in anomalies', true], ['marks["url.query"] == "cut"', true], ['client.port == 1', false],
  ]
  for (const [filter, expected] of cases) assert.equal(compileFilter(filter, FIELDS)(record), expected, filter)
})

async function handle(t: { after(end: () => Promise<void>): void }, logs: string[] = []): Promise<{ handle: PageHandle, page: OpenPage }> {
  const started = new PageHandle({ host: '127.0.0.1', port: 0, version: '0.0.0-test' }, (level, message) => { logs.push(`${level}: ${message}`) })
  t.after(() => started.stop())
  const page = new OpenPage()
  page.url = await started.start({ token: TOKEN })
  return { handle: started, page: await page.enter() }
}

function processesOf(program: string): string[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(pid => pid !== '')
  return children.filter(pid => existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(program))
}

test('the page is a process of its own at a low priority, its token in no argument, gone after stop', async t => {
  const { handle: started, page } = await handle(t)
  const [pid, ...more] = processesOf('web-process.ts')
  assert.deepEqual(more, [])
  assert.ok(!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(TOKEN))
  assert.ok(!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(TOKEN))
  assert.equal(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[16], '10')
  started.tell({ uptimeMs: 5 })
  // By another way than the question, so perhaps after it.
  while ((await page.json<{ health: unknown }>('/api/health')).health === null) await new Promise(resolve => setTimeout(resolve, 10))
  assert.deepEqual(await page.json('/api/health'), { health: { uptimeMs: 5 } })
  await started.stop()
  assert.deepEqual(processesOf('web-process.ts'), [])
})

test('more records than a page takes are counted, settled at once, and no loss of an output', async t => {
  const { handle: started, page } = await handle(t)
  const host = new StoreHost()
  const sink = new WebSink(host, started)
  const stream = await EventStream.open(`${page.url}/api/live`, page.cookie)
  let given = 0
  for (const batch of batchesOf(numberedLines(0, 20_000, 2000), 200)) {
    sink.write(batch)
    given += batch.count
  }
  await sink.flush()
  await stream.until(() => stream.lines.length + stream.missed === given, 'each record, shown or counted')
  const health = sink.health()
  assert.ok(stream.missed > 0)
  assert.deepEqual([...health.droppedRecords.keys()], ['page too slow'])
  assert.equal(health.writtenRecords + (health.droppedRecords.get('page too slow') ?? 0), given)
  assert.equal(host.written, 0, 'a page keeps nothing, so no record is logged by it')
  assert.equal(outputsLost({ outputs: [health] } as unknown as Parameters<typeof outputsLost>[0]), false)
  stream.close()
  await sink.close()
})

test('what a page has not taken is given up when the agent ends, settled and counted', async t => {
  const { handle: started } = await handle(t)
  const host = new StoreHost()
  const sink = new WebSink(host, started)
  for (const batch of batchesOf(numberedLines(0, 4000, 2000), 200)) sink.write(batch)
  await sink.close()
  const health = sink.health()
  assert.equal(health.queuedRecords, 0)
  assert.equal(health.writtenRecords + [...health.droppedRecords.values()].reduce((sum, count) => sum + count, 0), 4000)
  assert.deepEqual(host.logs, [])
})

test('signals to the whole group are the agent\'s to answer', async t => {
  const { page } = await handle(t)
  const pid = Number(processesOf('web-process.ts')[0])
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal)
  assert.equal((await page.ask('/api/about')).status, 200)
})

test('a page process that dies is told, and its sink settles everything', async t => {
  const logs: string[] = []
  const { handle: started } = await handle(t, logs)
  const host = new StoreHost()
  const sink = new WebSink(host, started)
  process.kill(Number(processesOf('web-process.ts')[0]), 'SIGKILL')
  while (!logs.some(line => line.startsWith('error'))) await new Promise(resolve => setTimeout(resolve, 10))
  assert.match(logs.at(-1) ?? '', /error: the page's process ended \(SIGKILL\): there is no page any more; the capture goes on/)
  for (const batch of batchesOf(numberedLines(0, 1000), 100)) sink.write(batch)
  await sink.flush()
  await sink.close()
  assert.equal([...sink.health().droppedRecords.values()].reduce((sum, count) => sum + count, 0) + sink.health().writtenRecords, 1000)
  started.tell({})
  started.missed(1)
})

test('a port that is taken is told with the mend, and no process stays', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => taken.once('listening', resolve))
  const { port } = taken.address() as AddressInfo
  const started = new PageHandle({ host: '127.0.0.1', port, version: '0' }, () => {})
  await assert.rejects(started.start({ token: TOKEN }), /Cannot serve the page on 127\.0\.0\.1:\d+: the port is in use, perhaps by another lintel; choose another with --web/)
  assert.deepEqual(processesOf('web-process.ts'), [])
  taken.close()
})

test('an agent hands over what it logs: a replay, its store and the page say the same', async context => {
  if (!hasCorpora(context)) return
  const row = truthRows().find(({ http_requests: requests }) => requests > 20 && requests < 500)
  assert.ok(row !== undefined)
  const store = join(folder, 'store')
  const config = { ...configSchema.parse({ outputs: [{ type: 'store', path: store }] }), files: [`${CORPORA}/${row.file}`] } as Config
  const started = new PageHandle({ host: '127.0.0.1', port: 0, version: '0' }, () => {})
  const page = new OpenPage()
  page.url = await started.start({ token: TOKEN }, { store: { folder: store } })
  await page.enter()
  const agent = new Agent(config, { log: () => {}, ended: () => {}, outputs: [host => new WebSink(host, started)] })
  const attachments = await agent.start()
  await agent.finished
  const totals = await agent.stop()
  started.tell(pageHealth(totals, attachments))
  const stream = await EventStream.open(`${page.url}/api/live`, page.cookie)
  await stream.until(() => stream.lines.length === totals.records.logged, 'every record')
  const exchanges = stream.lines.filter(line => line.startsWith('{"kind":"exchange"')).length
  assert.ok(exchanges >= row.http_requests)
  const { rows } = await page.json<{ rows: number[][] }>('/api/view/totals')
  assert.equal(rows[0]?.[0], exchanges)
  const { health } = await page.json<{ health: { records: { logged: number }, attachments: { hook: string }[] } }>('/api/health')
  assert.equal(health.records.logged, totals.records.logged)
  assert.equal(health.attachments[0]?.hook, 'file')
  stream.close()
  await started.stop()
})
