/**
 * Connections that had carried N requests before the capture began, N from 1 to 1,000, with dynamic tables in use at both ends:
 * no value that is shown may be wrong. The share of the fields that can be shown is printed.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { accepts, Gateway } from './testing/gateway.ts'
import { Http2Client, serve } from './testing/http2-peers.ts'
import { Lintel } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'
import { Running } from './testing/process.ts'

const NODE = 18211
const NGINX = 18212
const GO = 18213
const NGHTTPD = 18214
const NGHTTPD_SERIES = 18215
const BEFORE = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000]
const AFTER = 30
const FLAGS = ['--interface', 'lo', '--kind', 'exchange', '--field', 'http.request.header_count', '--field', 'http.response.header_count']

type Values = Readonly<Record<string, string | string[] | number | undefined>>

/** Every value that `record` shows for one side is one of `truth`'s. */
function shownOf(record: LoggedRecord, side: 'request' | 'response', truth: Values): number {
  let shown = 0
  for (const [name, values] of Object.entries(record.http?.[side]?.header ?? {})) {
    const sent = truth[name]
    const all = (Array.isArray(sent) ? sent : [sent]).map(String)
    for (const value of values) assert.ok(all.includes(value), `${side} ${name}: ${value} was not sent, but ${all.join(', ')}`)
    shown += values.length
  }
  return shown
}

class Share {
  shown = 0
  all = 0
  requests = 0
  paths = 0

  add(record: LoggedRecord, request: Values, response: Values): void {
    const { http, url } = record as LoggedRecord & { http: { request?: { header_count?: number }, response?: { header_count?: number } } }
    this.shown += shownOf(record, 'request', request) + shownOf(record, 'response', response)
    this.all += (http.request?.header_count ?? 0) + (http.response?.header_count ?? 0)
    if (http.request?.method !== undefined) assert.equal(http.request.method, request[':method'])
    if (http.response?.status_code !== undefined) assert.equal(http.response.status_code, response[':status'])
    if (url?.domain !== undefined) assert.equal(url.domain, '127.0.0.1')
    this.requests++
    if (url?.path === undefined) return
    this.paths++
    assert.equal(url.path, request[':path'])
  }

  toString(): string {
    const percent = (part: number, whole: number): string => `${(100 * part / whole).toFixed(1)} %`
    return `${this.requests} exchanges, ${percent(this.shown, this.all)} of the fields and ${percent(this.paths, this.requests)} of the paths shown, 0 wrong`
  }
}

/** A request as a client of a gateway makes it: some values stay, some change now and then, some are new each time. */
function headersOf(connection: number, index: number): Record<string, string> {
  return {
    ':path': index % 3 === 0 ? `/new/${connection}/${index}` : `/again/${index % 4}`,
    'user-agent': 'late-join/1.0 (test)', accept: 'application/json', 'x-tenant-id': `tenant-${connection}`,
    'x-request-id': `r-${connection}-${index}`, 'x-page': String(Math.floor(index / 10)), 'accept-language': ['en', 'de', 'fr'][index % 3]!,
  }
}

async function joinLate(t: { diagnostic(text: string): void }, name: string, port: number): Promise<void> {
  const clients = await Promise.all(BEFORE.map(() => Http2Client.connect(port)))
  await Promise.all(clients.map(async (client, connection) => {
    for (let index = 0; index < BEFORE[connection]!; index++) await client.ask(headersOf(connection, index))
    client.spoken.length = 0
  }))
  const lintel = await Lintel.start(['--port', String(port), ...FLAGS])
  try {
    for (const [connection, client] of clients.entries()) {
      for (let index = 0; index < AFTER; index++) await client.ask(headersOf(connection, BEFORE[connection]! + index))
    }
    await Promise.all(clients.map((client) => client.close()))
    const records = await lintel.until(({ kind, http }) => kind === 'exchange' && http?.request !== undefined, AFTER * BEFORE.length)
    assert.match(await lintel.stop(), /adds up/)
    assert.equal(records.length, AFTER * BEFORE.length, 'every exchange once')
    for (const [connection, client] of clients.entries()) {
      const share = new Share()
      for (const { stream, request, response } of client.spoken) {
        const record = records.find((each) => each.client?.port === client.port && streamOf(each) === stream)
        assert.ok(record !== undefined, `stream ${stream} after ${BEFORE[connection]}`)
        share.add(record, request as Values, response as Values)
      }
      t.diagnostic(`${name}, joined after ${BEFORE[connection]}: ${share.toString()}`)
    }
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
  }
}

function streamOf(record: LoggedRecord): number | undefined {
  return (record as LoggedRecord & { http2?: { stream?: { id?: number } } }).http2?.stream?.id
}

test('Node, both ends', async (t) => {
  const server = await serve(NODE, (stream, headers) => {
    stream.respond({
      ':status': Number(headers['x-page']) % 2 === 0 ? 200 : 203, server: 'node-test', 'x-answer': `to ${headers[':path']}`,
      'x-tenant-id': headers['x-tenant-id'], 'cache-control': 'no-store',
    })
    stream.end('hello')
  })
  try {
    await joinLate(t, 'Node', NODE)
  } finally {
    server.close()
  }
})

test('Node against nginx', async (t) => {
  const gateway = await Gateway.start({
    listen: [`127.0.0.1:${NGINX} http2`], http: 'http2_max_requests 1000000;', location: 'add_header X-Answer "to $uri"; return 200 "hello";',
  })
  try {
    await joinLate(t, 'nginx', NGINX)
  } finally {
    await gateway.stop()
  }
})

test('Node against nghttpd', async (t) => {
  const files = mkdtempSync(join(tmpdir(), 'lintel-late-join-'))
  mkdirSync(join(files, 'again'))
  for (const name of ['0', '1']) writeFileSync(join(files, 'again', name), `file ${name}`) // the other paths are answered with 404
  const server = new Running('nghttpd', ['--no-tls', '-a', '127.0.0.1', String(NGHTTPD_SERIES), '-d', files])
  try {
    await server.until(async () => await accepts(String(NGHTTPD_SERIES)), 'listening port')
    await joinLate(t, 'nghttpd', NGHTTPD_SERIES)
  } finally {
    await server.stop('SIGKILL')
    rmSync(files, { recursive: true })
  }
})

test('h2load against nghttpd, joined while it runs: every value shown is the one that it sends', async (t) => {
  const server = new Running('nghttpd', ['--no-tls', '-a', '127.0.0.1', String(NGHTTPD), '-d', fileURLToPath(new URL('.', import.meta.url))])
  const args = ['-n', '60000', '-c', '2', '-m', '5', '--rps', '2500', '-H', 'x-steady: never changes', `http://127.0.0.1:${NGHTTPD}/http2.test.ts`]
  let load: Running | undefined
  let lintel: Lintel | undefined
  try {
    await delay(300)
    load = new Running('h2load', args)
    await delay(1000)
    lintel = await Lintel.start(['--port', String(NGHTTPD), ...FLAGS])
    const records = await lintel.until(({ kind, http }) => kind === 'exchange' && http?.request !== undefined && http.response !== undefined, 3000)
    const share = new Share()
    for (const record of records) {
      const response = record.http?.response?.header ?? {}
      for (const name of Object.keys(response)) assert.ok(['server', 'cache-control', 'date', 'content-length', 'last-modified'].includes(name), name)
      share.add(record, { ':method': 'GET', ':path': '/http2.test.ts', 'x-steady': 'never changes', 'user-agent': 'h2load nghttp2/1.52.0' },
        { ...response, ':status': 200 })
    }
    t.diagnostic(`h2load and nghttpd: ${share.toString()}`)
  } finally {
    await load?.stop('SIGKILL')
    await server.stop('SIGKILL')
    await lintel?.process.stop('SIGKILL')
    lintel?.remove()
  }
})

const hasGo = spawnSync('go', ['version']).status === 0
test('Go, both ends', { skip: hasGo ? false : 'Go is not installed' }, async (t) => {
  const source = fileURLToPath(new URL('testing/go-http2/main.go', import.meta.url))
  // Debian's libraries for Go lie where GOPATH says; nothing is fetched.
  const env = { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' }
  const peers = spawn('go', ['run', source, String(GO), String(BEFORE.length)], { stdio: ['pipe', 'pipe', 'inherit'], detached: true, env })
  const lines = createInterface({ input: peers.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => (await lines.next()).value as string
  const ask = async (connection: number, count: number): Promise<string[]> => {
    peers.stdin.write(`${connection} ${count}\n`)
    const said: string[] = []
    for (let line = await next(); line !== 'done'; line = await next()) said.push(line)
    return said
  }
  let lintel: Lintel | undefined
  try {
    assert.equal(await next(), 'ready')
    for (const [connection, count] of BEFORE.entries()) await ask(connection, count)
    lintel = await Lintel.start(['--port', String(GO), ...FLAGS])
    const spoken: string[][] = []
    for (const connection of BEFORE.keys()) spoken.push(await ask(connection, AFTER))
    const records = await lintel.until(({ kind, http }) => kind === 'exchange' && http?.request !== undefined, AFTER * BEFORE.length)
    for (const [connection, said] of spoken.entries()) {
      const port = Number(said[0]!.split(' ')[0])
      const own = records.filter(({ client }) => client?.port === port)
      assert.equal(own.length, AFTER)
      const share = new Share()
      for (const [index, record] of own.entries()) {
        const [, path, asked, status, ...answer] = said[index]!.split(' ')
        share.add(record, { ':method': 'GET', ':path': path, 'x-asked': asked, 'user-agent': 'Go-http-client/2.0', 'accept-encoding': 'gzip' }, {
          ':status': Number(status), 'x-answer': answer.join(' '), 'x-constant': 'the same in every response', 'content-length': '5',
          'content-type': 'text/plain; charset=utf-8', date: record.http?.response?.header?.['date'],
        })
      }
      t.diagnostic(`Go, joined after ${BEFORE[connection]}: ${share.toString()}`)
    }
  } finally {
    process.kill(-peers.pid!, 'SIGKILL')
    await once(peers, 'exit')
    await lintel?.process.stop('SIGKILL')
    lintel?.remove()
  }
})
