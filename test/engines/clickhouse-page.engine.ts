/** The page over a real ClickHouse says what it says over a store with the same records: every view, the lists, tables, a browser. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { generatedBatch } from '../../bench/harness/generated-records.ts'
import { openOutput } from '../../src/sink/exporters/exporter.suite.ts'
import { type PlainValue, storeSource } from '../../src/store/mod.ts'
import { rolledOf } from '../../src/web/desk-answers.ts'
import { headerView } from '../../src/web/header-view.ts'
import { type Question, questionOf } from '../../src/web/question.ts'
import { StoreDesk } from '../../src/web/store-desk.ts'
import type { View } from '../../src/web/view.ts'
import { aiHeaderView, aiViews } from '../../src/web/views/ai-calls.ts'
import { VIEWS } from '../../src/web/views/registry.ts'
import { hasCorpora } from '../conformance/testing/corpora.ts'
import { corpusLines } from '../store/testing/corpus-lines.ts'
import { renumbered } from '../store/testing/renumbered.ts'
import { COLUMNS } from '../store/testing/stored.ts'
import { BrowserPage, hasBrowser } from '../web/testing/browser.ts'
import { EVERY_MS, oddExchange, START } from '../web/testing/odd-exchanges.ts'
import { OpenPage, storeOf } from '../web/testing/open-page.ts'
import { assertSameRows } from '../web/testing/same-rows.ts'
import { ClickHouse } from './testing/clickhouse-server.ts'
import { sendAll } from './testing/send-all.ts'

const HOUR_MS = 3_600_000
const [ODD, GENERATED] = [2000, 2000]
/** Both engines interpolate between the same two durations, in the order of operations that each has. */
const ROUNDING = 1e-12
const SPAN_MS = ODD * EVERY_MS
/** Everything; the captures and what was generated apart; ends within slots; what fits into no slot; the range before another; nothing. */
const SPANS = [
  {}, { from: START, to: START + SPAN_MS }, { from: START + HOUR_MS / 2 + 1234, to: START + 2 * HOUR_MS + 77 },
  { from: START - HOUR_MS, to: START + HOUR_MS / 2 + 1234 },
  { from: START, to: START + 600_000 }, { to: START - 1 }, { from: START + SPAN_MS + 1 }, { from: 1, to: 2 },
]
const PRICES = {
  currency: 'EUR', models: [{ model: 'model-[1]*', input: 2.5, output: 10, cache_read: 0.25 }, { model: '*', input: 0.1, output: 0.4 }],
}
type Asked = readonly [span: Readonly<Record<string, number>>, filter: string]
const ALL: readonly View[] = [
  ...VIEWS, headerView('x-tenant-id'), headerView('Authorization'), headerView("x'y"), ...aiViews(PRICES), aiHeaderView('x-tenant-id', PRICES),
]
const FILTERED: readonly Asked[] = [
  [{}, 'http.response.status_code >= 400'], [{ from: START, to: START + SPAN_MS }, 'http.request.header["x-tenant-id"][0].startsWith("t")'],
  [{ from: START + HOUR_MS / 2 + 1234 }, `url.domain == "b'.example" && !("authorization" in http.request.header)`],
]
const folder = mkdtempSync(join(tmpdir(), 'lintel-clickhouse-page-'))
const store = join(folder, 'store')
let server: ClickHouse
let desks: { readonly duckdb: StoreDesk, readonly clickhouse: StoreDesk }
const pages: OpenPage[] = []

before(async () => {
  const generated = Buffer.from(generatedBatch(0, GENERATED, GENERATED).bytes).toString().trimEnd().split('\n')
  const lines = renumbered([...await corpusLines(), ...Array.from({ length: ODD }, (_, index) => oddExchange(index)), ...generated])
  await storeOf(store, lines)
  server = await ClickHouse.start(join(folder, 'server'))
  await server.makeTables()
  await sendAll(host => openOutput({
    type: 'clickhouse', url: server.url, spool: { path: join(folder, 'spool') }, drain: '10m', timeout: '10m',
    batch: { records: 20_000, bytes: '16MiB', age: '10s' },
  }, host), lines)
  desks = {
    duckdb: new StoreDesk(storeSource({ folder: store, columns: COLUMNS, threads: 2, memoryMiB: 1024, timeoutMs: 600_000 })),
    clickhouse: new StoreDesk(server.source()),
  }
})
after(async () => {
  for (const { server: opened } of pages) await opened.stop()
  await desks.duckdb.close()
  await desks.clickhouse.close()
  await server.kill()
  rmSync(folder, { recursive: true, force: true })
})

function asked(desk: StoreDesk, span: Readonly<Record<string, number>>, filter = ''): Question {
  const times = Object.fromEntries(Object.entries(span).map(([name, ms]) => [name, String(ms)]))
  return questionOf(new URLSearchParams({ limit: '10000', filter, ...times }), COLUMNS, desk.words)
}

test('every view says of the records in ClickHouse what it says of those in a store, at any span, with and without a filter', async context => {
  if (!hasCorpora(context)) return
  let rows = 0
  for (const view of ALL) {
    for (const [span, filter] of [...SPANS.map((each): Asked => [each, '']), ...FILTERED]) {
      const [theirs, ours] = await Promise.all([desks.clickhouse, desks.duckdb].map(desk => desk.ask(view.sql(asked(desk, span, filter)))))
      assertSameRows(view, theirs?.rows ?? [], ours?.rows ?? [], `${view.name} ${JSON.stringify(span)} ${filter}`, ROUNDING)
      assert.deepEqual(order(view, theirs?.rows), order(view, ours?.rows), view.name)
      rows += ours?.rows.length ?? 0
    }
  }
  context.diagnostic(`${rows} rows`)
})

/** The first values, as they stand: the order of rows is part of an answer, but for ties of a quantile. */
function order(view: View, rows: readonly (readonly PlainValue[])[] = []): unknown[] {
  return view.name === 'slow-routes' ? [] : rows.map(([first]) => typeof first === 'bigint' ? Number(first) : first)
}

test('what roll-ups say is what the records say, wherever the time begins from which on they are whole', async context => {
  if (!hasCorpora(context)) return
  const { clickhouse } = desks
  const compare = async (): Promise<number> => {
    let count = 0
    for (const view of ALL) {
      for (const span of SPANS) {
        const question = asked(clickhouse, span)
        const rolled = rolledOf(view, question)
        if (rolled === undefined) continue
        count++
        const [counted, recorded] = [await clickhouse.ask(rolled.sql()), await clickhouse.ask(view.sql(question))]
        assertSameRows(view, counted.rows, recorded.rows, `${view.name} ${JSON.stringify(span)}`)
      }
    }
    return count
  }
  assert.ok(await compare() > 50)
  const since = async (): Promise<string> => await server.ask('SELECT toUnixTimestamp64Milli(max(since)) FROM lintel.rollup_since')
  assert.equal(await since(), '0\n', 'tables that were made before the first record')
  // As of tables that were there before the roll-up: what it lacks is counted out of the records.
  const begins = Math.ceil((START + HOUR_MS) / HOUR_MS) * HOUR_MS
  await server.ask(`INSERT INTO lintel.rollup_since SELECT fromUnixTimestamp64Milli(${begins}, 'UTC')`)
  await server.ask(`ALTER TABLE lintel.rollup DELETE WHERE slot < fromUnixTimestamp64Milli(${begins}, 'UTC')`, { mutations_sync: '1' })
  await compare()
  await server.makeTables()
  assert.equal(await since(), `${begins}\n`, 'tables made anew keep it')
  await server.ask('TRUNCATE TABLE lintel.rollup_since')
  await server.ask('TRUNCATE TABLE lintel.rollup')
  await compare()
  await server.makeTables()
  assert.ok(Number(await since()) > Date.now(), 'of tables with records it begins later')
  await compare()
})

test('a page gives the same answers over both: views, tables as CSV, records, one opened with its neighbours and its trace', async context => {
  if (!hasCorpora(context)) return
  const open = async (page: OpenPage): Promise<OpenPage> => {
    pages.push(page)
    return await (await page.start()).enter()
  }
  const [theirs, ours] = [await open(new OpenPage(undefined, { source: server.source() })), await open(new OpenPage(store))] as const
  const same = async (path: string): Promise<string> => {
    const [there, wanted] = [await theirs.ask(path), await ours.ask(path)]
    assert.deepEqual([there.status, sorted(there.text)], [wanted.status, sorted(wanted.text)], path)
    assert.equal(wanted.status, 200, wanted.text)
    return wanted.text
  }
  const range = `from=${START}&to=${START + SPAN_MS}`
  for (const { name, columns } of VIEWS) {
    if (columns.some(({ unit }) => unit === 'seconds')) continue // the last digits differ
    const filter = `filter=${encodeURIComponent('has(url.path)')}`
    for (const format of ['', '&format=csv']) await same(`/api/view/${name}?${range}&${filter}${format}`)
  }
  type Found = { records: readonly { time: string, event: { sequence: number } }[] }
  const { records } = JSON.parse(await same(`/api/records?${range}&limit=500`)) as Found
  assert.equal(records.length, 500)
  await same(`/api/records?limit=1000&filter=${encodeURIComponent('kind == "connection" || has(trace.id)')}`)
  const ofTraces = await ours.ask(`/api/records?limit=3&filter=${encodeURIComponent('has(trace.id)')}`)
  const { records: traced } = JSON.parse(ofTraces.text) as Found
  for (const { time, event } of [...traced, ...records.slice(0, 5)]) await same(`/api/exchange?time=${time}&sequence=${event.sequence}`)
  const missing = `/api/exchange?time=${records[0]?.time}&sequence=999999999`
  for (const [path, status] of [['/api/view/hosts?filter=duration.x', 400], [missing, 404]] as const) {
    assert.equal((await theirs.ask(path)).status, status, path)
  }
})

/** Lists of what a group has are in an order that both have; rows of one time may not be. */
function sorted(text: string): string {
  return text.replaceAll('\r\n', '\n').split('\n').sort().join('\n')
}

test('lintel web --config shows what the server has, in a browser: views, a filter, a record opened; its password is said nowhere', async context => {
  if (!hasCorpora(context) || !hasBrowser(context)) return
  await server.kill()
  const guarded = await server.withCredentials('reader:open-sesame-42')
  const config = join(folder, 'web.yaml')
  writeFileSync(config, JSON.stringify({
    store: { engine: 'clickhouse', clickhouse: { url: guarded.url, auth: { basic: { user: 'reader', password: { env: 'LINTEL_TEST_READER' } } } } },
  }))
  const child = spawn('bin/lintel', ['web', '--config', config, '--listen', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, LINTEL_TEST_READER: 'open-sesame-42' },
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => { said += text })
  while (!said.includes('?token=')) await Promise.race([once(child.stderr, 'data'), once(child, 'exit')])
  const link = /the page shows database "lintel" at http:\/\/127\.0\.0\.1:\d+ at (http:\/\/[\d.:]+)\/\?token=(\S+)\n/
  const [, url, token] = link.exec(said) as unknown as [string, string, string]
  const browser = await BrowserPage.start()
  try {
    await browse(browser, url, token)
    assert.deepEqual(browser.troubles, [])
    assert.doesNotMatch(said, /sesame|error|warning/)
  } finally {
    await browser.close()
    child.kill()
    await once(child, 'exit')
    await guarded.kill()
  }
})

const BUSY = `document.querySelectorAll('[aria-busy=true]').length === 0 && !document.body.innerText.includes('asking')`
const RANGE = `from=${START}&to=${START + SPAN_MS}`
/** Of each page, the tables that have rows. */
const SEEN: readonly (readonly [path: string, views: readonly string[]])[] = [
  [`/overview?${RANGE}&compare=1`, ['methods', 'statuses', 'hosts', 'clients', 'user-agent-classes', 'user-agents', 'connections']],
  [`/routes?${RANGE}`, ['routes', 'slow-routes', 'failing-routes']], [`/inventory?${RANGE}`, ['inventory']],
  [`/consumers?${RANGE}&header=x-tenant-id`, ['by-header', 'clients', 'connections']],
  ['/connections?range=all', ['troubled-hosts', 'troubled-clients']],
  [`/health?${RANGE}`, ['header-names', 'marks']],
]

/** The engine of the tests runs one statement after the other, on whatever the machine has left: a page of a dozen tables may take a while. */
async function until(browser: BrowserPage, condition: string): Promise<void> {
  for (let left = 5; ; left--) {
    try {
      return await browser.until(condition)
    } catch (error) {
      if (left === 0) throw error
    }
  }
}

async function browse(browser: BrowserPage, url: string, token: string): Promise<void> {
  const look = async (name: string): Promise<void> => {
    const pictures = process.env['LINTEL_SCREENSHOTS']
    if (pictures !== undefined) await browser.page.screenshot({ path: join(pictures, `clickhouse-${name}.png`), fullPage: true })
  }
  await browser.open(`${url}/?token=${token}`)
  for (const [path, views] of SEEN) {
    await browser.open(url + path)
    await until(browser, `${views.map(view => `document.querySelector('[data-view=${view}] tbody tr') !== null`).join(' && ')} && ${BUSY}`)
    await look(path.slice(1).split('?')[0] as string)
  }
  const [[requests, failed]] = (await desks.duckdb.ask(`SELECT count(*)::VARCHAR, count(*) FILTER (http_response_status_code >= 500)::VARCHAR
    FROM exchanges WHERE "time" >= make_timestamp_ns(${START}000000)
    AND "time" < make_timestamp_ns(${START + SPAN_MS}000000)`)).rows as [[string, string]]
  await browser.open(`${url}/overview?${RANGE}`)
  await until(browser, `document.querySelectorAll('canvas').length === 3 && document.querySelector('.totals dd') !== null && ${BUSY}`)
  const shown = await browser.evaluate<string[]>(`[...document.querySelectorAll('.totals dd')].map(each => each.textContent.replaceAll(/\\D/g, ''))`)
  assert.deepEqual([shown[0], shown[2]], [requests, failed])
  await browser.press('/')
  await browser.type('http.request.header["x-ten')
  await until(browser, `[...document.querySelectorAll('[role=option] code')].some(each => each.textContent.startsWith('x-tenant-id'))`)
  await browser.open(`${url}/records?${RANGE}&filter=${encodeURIComponent('http.response.status_code == 503')}`)
  await until(browser, `document.querySelectorAll('.record:not(.head)').length > 20 && ${BUSY}`)
  await look('records')
  await browser.evaluate(`document.querySelector('.records').focus()`)
  await browser.press('ArrowDown')
  await browser.press('Enter')
  await until(browser, `location.pathname === '/exchange' && document.querySelector('.detail') !== null && ${BUSY}`)
  await until(browser, `document.querySelectorAll('.neighbours li').length > 5`)
  await look('exchange')
}
