/** Every view of the page says what SQL over the same store says. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { storeSource } from '../../src/store/mod.ts'
import { StoreDesk } from '../../src/web/store-desk.ts'
import { VIEWS } from '../../src/web/views/registry.ts'
import { hasCorpora } from '../conformance/testing/corpora.ts'
import { corpusLines } from '../store/testing/corpus-lines.ts'
import { ask, COLUMNS, numberedLines } from '../store/testing/stored.ts'
import { OpenPage, storeOf } from './testing/open-page.ts'

type Value = string | number | boolean | null | Value[]
interface ViewAnswer { readonly rows: Value[][], readonly bucketMs: number, readonly notes: string[] }

const folder = mkdtempSync(join(tmpdir(), 'lintel-web-'))
const store = join(folder, 'store')
const START = Date.parse('2026-05-01T10:00:00Z')
const pages: OpenPage[] = []
let page: OpenPage

async function open(path: string): Promise<OpenPage> {
  const opened = await (await new OpenPage(path).start()).enter()
  pages.push(opened)
  return opened
}

/** Requests of a small API: user pages by number, articles by name, a slow and a failing route. */
function apiLines(): string[] {
  return Array.from({ length: 600 }, (_, index) => {
    const path = [`/users/${index}`, `/articles/title-${'abcdefghijklmnopqrstuvwxyz'[index % 26]}${'abcdefghij'[Math.floor(index / 6) % 10]}`, '/slow',
      `/orders/0a1b2c3d-0000-4000-8000-${String(index).padStart(12, '0')}/items`, '/broken', '/'][index % 6] as string
    return JSON.stringify({
      kind: 'exchange', time: new Date(START + index * 1000).toISOString().replace('Z', '000000Z'), duration: path === '/slow' ? 2 + index / 1000 : 0.01,
      event: { sequence: index + 1 }, client: { address: `10.0.0.${index % 3}`, port: 40_000 + index % 3 }, server: { address: '10.0.0.9', port: 80 },
      network: { protocol: { name: 'http', version: '1.1' }, connection: { id: index % 3 } }, url: { domain: index % 2 === 0 ? 'a.example' : 'b.example', path },
      http: {
        request: { method: index % 6 === 3 ? 'POST' : 'GET', header: { host: ['a.example'], ...(index % 6 === 0 ? { authorization: ['Bearer REDACTED'] } : {}) } },
        response: { status_code: path === '/broken' ? 503 : path === '/' ? 404 : 200, header: { server: ['x'] }, body: { size: 10 } },
      },
      ...(index % 100 === 7 ? { trace: { id: 'c0ffee' } } : {}),
      user_agent: { original: index % 2 === 0 ? 'curl/8.0' : 'Mozilla/5.0 (compatible; Googlebot/2.1)' },
    })
  })
}

before(async () => {
  await storeOf(store, apiLines())
  page = await open(store)
})
after(async () => {
  for (const opened of pages) await opened.server.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function rowsOf(name: string, parameters = ''): Promise<Value[][]> {
  return (await page.json<ViewAnswer>(`/api/view/${name}?${parameters}`)).rows
}

test('routes are found by the form of their segments and by how many values stand in one place', async () => {
  const routes = await rowsOf('routes')
  assert.deepEqual(routes.map(([route, count]) => [route, count]),
    [['/', 100], ['/articles/{any}', 100], ['/broken', 100], ['/orders/{uuid}/items', 100], ['/slow', 100], ['/users/{number}', 100]])
  assert.deepEqual((await rowsOf('slow-routes')).map(([route]) => route).slice(0, 2), ['/slow', '/slow'].slice(0, 1).concat('/'))
  const [slowest] = await rowsOf('slow-routes')
  assert.deepEqual(slowest?.slice(0, 4), ['/slow', 'a.example', 'GET', 100])
  const failing = await rowsOf('failing-routes')
  assert.deepEqual(failing.map(row => row.slice(0, 7)), [['/broken', 'a.example', 'GET', 100, 100, 1, 0], ['/', 'b.example', 'GET', 100, 0, 0, 100]])
})

test('the inventory says methods, statuses, first and last time, and who shows a credential', async () => {
  const users = (await rowsOf('inventory')).find(([, route]) => route === '/users/{number}')
  assert.deepEqual(users, ['a.example', '/users/{number}', ['GET'], [200], START, START + 594_000, 100, 100, 0, 1])
  const orders = (await rowsOf('inventory')).find(([, route]) => route === '/orders/{uuid}/items')
  assert.deepEqual(orders?.slice(2), [['POST'], [200], START + 3000, START + 597_000, 100, 0, 100, 1])
})

test('a time range and a filter narrow every view alike', async () => {
  const range = `from=${START + 60_000}&to=${START + 120_000}`
  for (const name of ['totals', 'methods', 'hosts', 'statuses', 'clients', 'user-agents', 'user-agent-classes', 'routes', 'inventory', 'traffic', 'connections']) {
    const view = VIEWS.find(each => each.name === name)
    const column = view?.columns.findIndex(({ title }) => title === 'Requests') as number
    const sum = async (parameters: string): Promise<number> => (await rowsOf(name, parameters)).reduce((total, row) => total + Number(row[column]), 0)
    assert.equal(await sum(''), 600, name)
    assert.equal(await sum(range), 60, name)
    assert.equal(await sum(`${range}&filter=${encodeURIComponent('http.response.status_code >= 500')}`), 10, name)
    assert.equal(await sum(`to=${START}`), 0, name)
  }
})

test('a point of a chart is a share of the range, and each request stands in one', async () => {
  const { rows, bucketMs } = await page.json<ViewAnswer>(`/api/view/traffic?from=${START}&to=${START + 600_000}`)
  assert.equal(bucketMs, 5000)
  assert.equal(rows.length, 120)
  assert.deepEqual(rows[0]?.slice(0, 4), [START, 5, 0, 1])
  assert.deepEqual(rows.map(([at]) => at), Array.from({ length: 120 }, (_, index) => START + index * 5000))
  const classes = await rowsOf('status-classes', `from=${START}&to=${START + 600_000}`)
  assert.deepEqual([1, 2, 3, 4, 5, 6].map(column => classes.reduce((sum, row) => sum + Number(row[column]), 0)), [400, 0, 100, 100, 0, 0])
})

test('kinds of user agents: a bot that calls itself Mozilla is a bot', async () => {
  assert.deepEqual((await rowsOf('user-agent-classes')).map(([kind, count]) => [kind, count]), [['bot', 300], ['command line', 300]])
})

test('where a row leads by a click gives the requests that it counted', async () => {
  for (const view of VIEWS.filter(({ narrow, name }) => narrow !== undefined && !['header-names', 'rpc-statuses'].includes(name))) {
    for (const [value, count] of await rowsOf(view.name)) {
      const filter = (view.narrow as string).replaceAll('%', () => JSON.stringify(value))
      const [total] = await rowsOf('totals', `filter=${encodeURIComponent(filter)}`)
      assert.equal(total?.[0], count, `${view.name}: ${filter}`)
    }
  }
})

test('a header groups exchanges: who called, and what a click on a value gives', async () => {
  assert.deepEqual((await rowsOf('by-header', 'header=Authorization')).map(row => row.slice(0, 4)), [[null, 500, 100, 100], ['Bearer REDACTED', 100, 0, 0]])
  for (const header of ['', 'a b', "x']--", 'x\u0000', 'é', 'x'.repeat(300)]) {
    assert.equal((await page.ask(`/api/view/by-header?header=${encodeURIComponent(header)}`)).status, 400, header)
  }
  assert.deepEqual((await rowsOf('by-header', `header=${encodeURIComponent("x'y")}`)).map(row => row.slice(0, 2)), [[null, 600]])
  const csv = (await page.ask('/api/view/by-header?header=authorization&format=csv')).text
  assert.match(csv, /^authorization,Requests,/)
})

test('values of a field are those of its records, the most frequent first; headers and lists are no field for that', async () => {
  assert.deepEqual(await rowsOf('values', 'field=http.response.status_code'), [[200, 400], [404, 100], [503, 100]])
  assert.deepEqual(await rowsOf('values', 'field=url.domain&limit=1'), [['a.example', 300]])
  assert.deepEqual(await rowsOf('values', `field=url.path&filter=${encodeURIComponent('http.response.status_code == 503')}`), [['/broken', 100]])
  assert.deepEqual(await rowsOf('values', 'field=tls.cipher'), [])
  for (const field of ['', 'http.request.header', 'time', 'anomalies', 'url_path', 'no.such', 'url.path" --']) {
    assert.equal((await page.ask(`/api/view/values?field=${encodeURIComponent(field)}`)).status, 400, field)
  }
})

test('calls of gRPC are counted by method and status, failures first', async () => {
  const path = join(folder, 'rpc')
  await storeOf(path, Array.from({ length: 40 }, (_, index) => JSON.stringify({
    kind: 'exchange', time: new Date(START + index).toISOString().replace('Z', '000000Z'), duration: index, event: { sequence: index + 1 }, client: { address: `10.0.0.${index % 4}` },
    http: { request: { method: 'POST' }, response: { status_code: 200 } },
    ...(index % 2 === 0 ? { rpc: { system: { name: 'grpc' }, method: index % 4 === 0 ? 'a.B/Get' : 'a.B/Put', status_code: index % 8 === 0 ? 'UNAVAILABLE' : 'OK' } } : {}),
  })))
  const opened = await open(path)
  const { rows } = await opened.json<ViewAnswer>('/api/view/rpc-statuses')
  assert.deepEqual(rows, [['a.B/Get', 'UNAVAILABLE', 5, 16, 32, 1], ['a.B/Put', 'OK', 10, 20, 38, 1], ['a.B/Get', 'OK', 5, 20, 36, 1]])
  assert.equal((await opened.json<ViewAnswer>(`/api/view/totals?filter=${encodeURIComponent('rpc.method == "a.B/Get"')}`)).rows[0]?.[0], 10)
})

test('one record is found by time and number, with the others of its connection and of its trace in order', async () => {
  const time = new Date(START + 7000).toISOString().replace('Z', '000000Z')
  const found = await page.json<{ record: { event: { sequence: number } }, neighbours: { event: { sequence: number } }[], trace: { event: { sequence: number } }[] }>(`/api/exchange?time=${time}&sequence=8`)
  assert.equal(found.record.event.sequence, 8)
  const numbers = found.neighbours.map(({ event }) => event.sequence)
  assert.deepEqual(numbers, Array.from({ length: 200 }, (_, index) => index * 3 + 2))
  assert.deepEqual(found.trace.map(({ event }) => event.sequence), [8, 108, 208, 308, 408, 508])
  assert.equal((await page.ask(`/api/exchange?time=${time}&sequence=9`)).status, 404)
  const { records } = await page.json<{ records: { event: { sequence: number } }[] }>('/api/records?limit=3')
  assert.deepEqual(records.map(({ event }) => event.sequence), [600, 599, 598])
})

test('a list of large records ends at its bound, and says so', async () => {
  const large = join(folder, 'large')
  const value = 'v'.repeat(200_000)
  await storeOf(large, Array.from({ length: 120 }, (_, index) => JSON.stringify({
    kind: 'exchange', time: new Date(START + index).toISOString().replace('Z', '000000Z'), event: { sequence: index + 1 },
    http: { request: { header: { 'x-large': [value] }, header_bytes: value.length } },
  })))
  const opened = await open(large)
  const { records, notes } = await opened.json<{ records: { event: { sequence: number } }[], notes: string[] }>('/api/records?limit=1000')
  assert.deepEqual(records.map(({ event }) => event.sequence), Array.from({ length: records.length }, (_, index) => 120 - index))
  assert.ok(records.length >= 80 && records.length < 90, String(records.length))
  assert.deepEqual(notes, [`${120 - records.length} more are left out: those shown have 16 MiB together; narrow the range or the filter`])
})

test('a question that nobody waits for any more is ended, the next is answered', async () => {
  const desk = new StoreDesk(storeSource({ folder: store, columns: COLUMNS, threads: 1, memoryMiB: 256, timeoutMs: 60_000 }))
  const leaving = new AbortController()
  const endless = desk.ask('SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range % 7 = 3', undefined, leaving.signal)
  const waiting = desk.ask('SELECT 1', undefined, leaving.signal)
  const next = desk.ask('SELECT count(*) FROM exchanges')
  setTimeout(() => { leaving.abort() }, 100)
  await assert.rejects(endless, /nobody waits for it any more|aborted/)
  await assert.rejects(waiting, /abort/i)
  assert.deepEqual((await next).rows, [[600n]])
  await desk.close()
})

test('more questions than may wait are refused at once', async () => {
  const desk = new StoreDesk(storeSource({ folder: store, columns: COLUMNS, threads: 1, memoryMiB: 256, timeoutMs: 60_000 }))
  const asked = await Promise.allSettled(Array.from({ length: 70 }, () => desk.ask('SELECT 1')))
  assert.deepEqual(asked.map(({ status }) => status), [...Array<string>(64).fill('fulfilled'), ...Array<string>(6).fill('rejected')])
  assert.match(String((asked.at(-1) as PromiseRejectedResult).reason), /64 questions wait already; try again/)
  await desk.close()
})

test('times of a CSV are read by people', async () => {
  const [, first] = (await page.ask('/api/view/traffic?format=csv')).text.split('\r\n')
  assert.match(first ?? '', /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z,\d+,/)
})

test('a store that is missing or comes later is told, and the page goes on', async () => {
  const later = join(folder, 'later')
  const opened = await open(later)
  const { status, text } = await opened.ask('/api/view/totals')
  assert.equal(status, 500)
  assert.match(text, /Cannot read the store .*no such folder/)
  await storeOf(later, numberedLines(0, 10))
  assert.equal((await opened.json<ViewAnswer>('/api/view/totals')).rows[0]?.[0], 10)
})

/** A connection's end, or its beginning, as its record. */
interface ConnectionRecord {
  readonly kind: string
  readonly event?: { readonly name?: string }
  readonly client?: { readonly address?: string }
  readonly server?: { readonly address?: string, readonly port?: number }
  readonly tls?: { readonly client?: { readonly server_name?: string } }
  readonly tcp?: { readonly resets?: number, readonly retransmissions?: number }
}

/** Connections, those that ended so, and segments; null where no record has them. */
function troublesOf(records: readonly ConnectionRecord[]): Value[] {
  const ended = (name: string): number => records.filter(({ event }) => event?.name === name).length
  const sum = (name: 'resets' | 'retransmissions'): number | null => records.every(({ tcp }) => tcp?.[name] === undefined) ? null
    : records.reduce((total, { tcp }) => total + (tcp?.[name] ?? 0), 0)
  return [records.length, ended('reset'), ended('refused'), ended('timeout'), sum('resets'), sum('retransmissions')]
}

test('resets and retransmissions by host, client and time are what the records of connections say', async context => {
  if (!hasCorpora(context)) return
  const path = join(folder, 'troubles')
  const lines = (await corpusLines()).filter(line => line.startsWith('{"kind":"connection"'))
  await storeOf(path, lines)
  const opened = await open(path)
  const records = lines.map(line => JSON.parse(line) as ConnectionRecord).filter(({ event }) => event?.name !== 'open')
  assert.ok(records.length < lines.length, 'those that open count once')
  const all = troublesOf(records)
  assert.ok(all.every(count => Number(count) > 0), String(all))
  const hosts = Map.groupBy(records, ({ tls, server }) => JSON.stringify([tls?.client?.server_name ?? server?.address, String(server?.port)]))
  const clients = Map.groupBy(records, ({ client }) => String(client?.address))
  const answer = async (name: string): Promise<Value[][]> => (await opened.json<ViewAnswer>(`/api/view/${name}?limit=10000`)).rows
  const byHost = await answer('troubled-hosts')
  assert.deepEqual(new Map(byHost.map(([host, port, ...counts]) => [JSON.stringify([host, port]), counts])),
    new Map([...hosts].map(([host, each]) => [host, troublesOf(each)])))
  assert.deepEqual(new Map((await answer('troubled-clients')).map(([client, _process, ...counts]) => [client, counts])),
    new Map([...clients].map(([client, each]) => [client, troublesOf(each)])))
  const overTime = await answer('connection-troubles')
  assert.deepEqual(all, all.map((_, index) => overTime.reduce((sum, row) => sum + Number(row[index + 1]), 0)))
  const worst = (row: Value[]): number => row.slice(3).reduce<number>((sum, count) => sum + Number(count), 0)
  assert.deepEqual(byHost.map(worst), byHost.map(worst).toSorted((a, b) => b - a))
})

test('over replays of the corpora every view answers, and counts what SQL counts', async context => {
  if (!hasCorpora(context)) return
  const path = join(folder, 'corpora')
  await storeOf(path, await corpusLines())
  const opened = await open(path)
  const [[exchanges]] = await ask(path, 'SELECT count(*) FROM exchanges') as [[bigint]]
  for (const view of VIEWS) {
    const { rows, notes } = await opened.json<ViewAnswer>(`/api/view/${view.name}?limit=10000`)
    assert.equal(rows.length > 0, view.name !== 'rpc-statuses', view.name) // no capture of gRPC is among them
    assert.deepEqual(notes, [])
    for (const row of rows) assert.equal(row.length, view.columns.length, view.name)
    const column = view.columns.findIndex(({ title }) => title === 'Requests')
    if (column >= 0 && !['slow-routes', 'failing-routes', 'rpc-statuses'].includes(view.name)) {
      assert.equal(rows.reduce((sum, row) => sum + Number(row[column]), 0), Number(exchanges), view.name)
    }
  }
  const { text } = await opened.ask('/api/view/user-agents?format=csv')
  assert.ok(text.split('\r\n').length > 2)
})
