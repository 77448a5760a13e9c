/** What the delivery does around an exporter, by the plainest one: see exporter.suite.ts for what every exporter must hold to. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { waitMs } from '../delivery/backoff.ts'
import { retryAfterMs } from '../http/mod.ts'
import { FileSink } from '../file.ts'
import type { Sink } from '../sink.ts'
import { RecordingHost } from '../sink.suite.ts'
import { assertAddsUp, delivery, exchanges, openOutput, range, until } from './exporter.suite.ts'
import { makeCertificates, readIdentity } from './testing/certificates.ts'
import { fluentConverse } from './testing/fluent-converse.ts'
import { type Behaviour, type Received, Receiver } from './testing/receiver.ts'
import { StreamServer } from './testing/stream-server.ts'
import { syslogConverse } from './testing/syslog-converse.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-delivery-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let number = 0

function options(url: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { type: 'webhook', url, spool: { path: join(folder, `${number++}`) }, batch: { records: 20, age: '5ms' }, retry: { max_wait: '20ms' }, drain: '1m', ...more }
}

function numbersIn({ text }: Received): number[] {
  return text.trimEnd().split('\n').map(line => (JSON.parse(line) as { event: { sequence: number } }).event.sequence)
}

/** A receiver that keeps what comes, and an output to it; both are closed at the end. */
async function withOutput(more: Record<string, unknown>, body: (it: { receiver: Receiver, sink: Sink, host: RecordingHost, kept: number[], accept: Behaviour }) => Promise<void>): Promise<void> {
  const kept: number[] = []
  const accept: Behaviour = request => {
    kept.push(...numbersIn(request))
    return { status: 200 }
  }
  const receiver = await Receiver.start(accept)
  const host = new RecordingHost()
  const sink = openOutput(options(receiver.url, more), host)
  try {
    await body({ receiver, sink, host, kept, accept })
  } finally {
    await sink.close()
    await receiver.kill()
  }
}

test('waits double, are random, and bounded; what the server asks for is kept', () => {
  const bounds = { minMs: 100, maxMs: 1000 }
  assert.deepEqual([1, 2, 3, 4, 5, 50].map(tries => waitMs(tries, undefined, bounds, () => 1)), [100, 200, 400, 800, 1000, 1000])
  assert.equal(waitMs(5, undefined, bounds, () => 0), 0)
  assert.equal(waitMs(1, 7000, bounds, () => 0), 7000)
  assert.equal(waitMs(1, 0, bounds, () => 1), 100)
  assert.ok(waitMs(1, 7000, bounds) >= 7000)
  assert.ok(waitMs(1, 1e12, bounds) <= 16 * 60_000, 'nobody silences it for ever')
})

test('Retry-After is seconds or a date', () => {
  assert.deepEqual(['120', 'Thu, 01 Jan 1970 00:00:05 GMT', 'Thu, 01 Jan 1970 00:00:00 GMT', 'soon', undefined].map(value => retryAfterMs(value, 2000)), [120_000, 3000, 0, undefined, undefined])
})

test('Retry-After holds the next try back', async () => {
  await withOutput({}, async ({ receiver, sink, host, kept, accept }) => {
    let turn = 0
    receiver.behave = (request, response) => turn++ === 0 ? { status: 429, headers: { 'retry-after': '1' } } : accept(request, response)
    const before = performance.now()
    sink.write(exchanges(0, 5))
    await until('all sent', () => delivery(sink).sent === 5, host)
    assert.ok(performance.now() - before >= 1000)
    assert.deepEqual(kept, range(0, 5))
  })
})

test('a dead server costs neither the other outputs nor memory: the spool keeps its bound, the oldest go, counted', async () => {
  await withOutput({ spool: { path: join(folder, 'bounded'), max_bytes: '16MiB' }, drain: '50ms' }, async ({ receiver, sink, host }) => {
    receiver.behave = () => undefined // takes the connection and says nothing
    const path = join(folder, 'beside.ndjson')
    const file = new FileSink({
      path, mode: 0o600, rotateBytes: 1e9, rotateMs: 1e6, keepFiles: 1, keepBytes: 1e9, compress: false, queueBytesMax: 64e6,
    }, new RecordingHost())
    for (let index = 0; index < 80; index++) {
      const batch = exchanges(index * 1000, 1000)
      sink.write(batch)
      file.write(batch)
      await file.flush()
      await sink.flush()
    }
    await file.close()
    assert.equal(file.health().writtenRecords, 80_000)
    assert.equal(host.written, 80_000)
    assertAddsUp(sink)
    const { dropped, waitingRecords } = delivery(sink)
    assert.deepEqual([...dropped.keys()], ['spool full'])
    assert.ok(waitingRecords > 0 && waitingRecords < 80_000)
    const bytes = readdirSync(join(folder, 'bounded')).reduce((sum, name) => sum + statSync(join(folder, 'bounded', name)).size, 0)
    assert.ok(bytes <= 16 * 1024 * 1024 + 1024, `${bytes}`)
    assert.equal(host.logs.filter(line => /the spool ".*bounded" is full/.test(line)).length, 1)
  })
})

test('a stop ends in time while the server says nothing, and what was under way is sent again', async () => {
  const it = options('http://unused', { drain: '100ms' })
  const first = await Receiver.start(() => undefined)
  const sink = openOutput({ ...it, url: first.url }, new RecordingHost())
  sink.write(exchanges(0, 30))
  await until('it was sent', () => first.requests.length > 0)
  await sink.close()
  assert.equal(delivery(sink).waitingRecords, 30)
  await first.kill()
  const kept: number[] = []
  const second = await Receiver.start(request => {
    kept.push(...numbersIn(request))
    return { status: 200 }
  })
  await openOutput({ ...it, url: second.url, drain: '1m' }, new RecordingHost()).close()
  await second.kill()
  assert.deepEqual(kept, range(0, 30))
})

test('dead letters have a bound; what is refused beyond it is counted', async () => {
  await withOutput({ dead_letters: { max_bytes: '4KiB' } }, async ({ receiver, sink, host }) => {
    receiver.behave = () => ({ status: 422, body: 'never' })
    sink.write(exchanges(0, 40))
    await sink.flush()
    await until('all through', () => delivery(sink).waitingRecords === 0, host)
    const { refused, dropped, sent } = delivery(sink)
    assert.equal(sent, 0)
    assert.ok(refused > 0 && refused < 40)
    assert.deepEqual([...dropped], [['dead-letter file full', 40 - refused]])
  })
})

test('a batch that is too large for the server is sent in smaller ones', async () => {
  await withOutput({}, async ({ receiver, sink, host, kept, accept }) => {
    receiver.behave = (request, response) => numbersIn(request).length > 7 ? { status: 413 } : accept(request, response)
    sink.write(exchanges(0, 60))
    await until('all sent', () => delivery(sink).sent === 60, host)
    assert.deepEqual(kept, range(0, 60))
    assert.equal(delivery(sink).refused, 0)
  })
})

for (const [name, more, converse] of [
  ['fluent', {}, fluentConverse(false)],
  ['syslog', { format: 'cef' }, syslogConverse(({ id, body }) => ({ id, number: Number(/"event":\{"sequence":(\d+)/.exec(body)?.[1]), hostile: undefined }))],
] as const) {
  test(`${name}: a record that cannot be made ready to be sent goes to the dead letters after its batch was split; the others arrive`, async () => {
    const server = await StreamServer.start(converse)
    const host = new RecordingHost()
    const path = join(folder, `unfit-${name}`)
    const sink = openOutput({ ...options(server.url), type: name, spool: { path }, ...more }, host)
    const lines = Buffer.from(exchanges(0, 45).bytes).toString().replace('"event":{"sequence":17}', '"event":{"sequence":17')
    sink.write({ ...exchanges(0, 45), bytes: Buffer.from(lines) })
    await until('all through', () => delivery(sink).sent + delivery(sink).refused === 45, host)
    await until('all there', () => server.kept.length === 44, host)
    await sink.close()
    await server.kill()
    assertAddsUp(sink)
    assert.deepEqual([delivery(sink).sent, delivery(sink).refused, server.failed], [44, 1, undefined])
    assert.deepEqual(server.kept.map(record => record.number), range(0, 45).filter(value => value !== 17))
    const letters = readFileSync(join(path, 'dead-letters.ndjson'), 'utf8').trimEnd().split('\n')
    assert.equal(letters.length, 1)
    assert.match(letters[0] as string, /"reason":"cannot be made ready to be sent: .+"record":\{"kind":"exchange".*"sequence":17/)
    assert.match(host.logs.join('\n'), /^error: Cannot make a record ready for 127.0.0.1:\d+: .*; trying again, .*\ninfo: sending to \S+ works again$/)
  })
}

test('a redirect is not followed: credentials would go with it', async () => {
  const elsewhere = await Receiver.start(() => ({ status: 200 }))
  await withOutput({ drain: '50ms' }, async ({ receiver, sink, host }) => {
    receiver.behave = () => ({ status: 307, headers: { location: elsewhere.url } })
    sink.write(exchanges(0, 1))
    await until('it is told', () => sink.health().lastError !== undefined, host)
    assert.match(sink.health().lastError as string, /answers 307; redirects are not followed: set url to where it leads/)
  })
  assert.equal(elsewhere.requests.length, 0)
  await elsewhere.kill()
})

test('basic and bearer credentials come from the environment and from files', async () => {
  process.env['LINTEL_TEST_PASSWORD'] = 'p:w"ö'
  const file = join(folder, 'token')
  writeFileSync(file, 'tok-en\n')
  const cases: [Record<string, unknown>, string][] = [
    [{ basic: { user: 'lintel', password: { env: 'LINTEL_TEST_PASSWORD' } } }, `Basic ${Buffer.from('lintel:p:w"ö').toString('base64')}`],
    [{ bearer: { file } }, 'Bearer tok-en'],
  ]
  for (const [auth, expected] of cases) {
    await withOutput({ auth }, async ({ receiver, sink, host }) => {
      sink.write(exchanges(0, 1))
      await until('all sent', () => delivery(sink).sent === 1, host)
      assert.equal(receiver.requests[0]?.headers.authorization, expected)
    })
  }
})

test('a server that asks for a certificate of the client gets it', async () => {
  const server = makeCertificates(folder, 'server', 'DNS:logs.example')
  const client = makeCertificates(folder, 'client', 'DNS:lintel')
  const receiver = await Receiver.start(() => ({ status: 200 }), { ...readIdentity(server), clientCa: readFileSync(client.ca, 'utf8') })
  const tls = { ca: server.ca, server_name: 'logs.example' }
  const host = new RecordingHost()
  const without = openOutput(options(receiver.url, { tls, drain: '50ms' }), host)
  without.write(exchanges(0, 1))
  await until('it is told', () => without.health().lastError !== undefined, host)
  await without.close()
  assert.equal(receiver.requests.length, 0)
  const sink = openOutput(options(receiver.url, { tls: { ...tls, cert: client.cert, key: client.key } }), host)
  sink.write(exchanges(0, 1))
  await until('all sent', () => delivery(sink).sent === 1, host)
  await sink.close()
  await receiver.kill()
})

/** A proxy as RFC 9110 9.3.6 (CONNECT) and 3.7 (requests in absolute form) have it. */
async function startProxy(): Promise<{ readonly url: string, readonly asked: string[], close(): void }> {
  const asked: string[] = []
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    request.resume().on('end', () => response.writeHead(200).end())
  })
  proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
    asked.push(`CONNECT ${request.url}`)
    const [host, port] = (request.url ?? '').split(':') as [string, string]
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    for (const end of [socket, upstream]) end.on('error', () => { socket.destroy(); upstream.destroy() })
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked, close: () => { proxy.closeAllConnections(); proxy.close() } }
}

test('a proxy is gone through, for http and, unread, for https', async () => {
  const proxy = await startProxy()
  const files = makeCertificates(folder, 'proxied', 'IP:127.0.0.1')
  const receiver = await Receiver.start(() => ({ status: 200 }), readIdentity(files))
  const host = new RecordingHost()
  for (const more of [{ url: receiver.url, tls: { ca: files.ca } }, { url: 'http://logs.invalid:81/in' }]) {
    const sink = openOutput({ ...options(receiver.url, { proxy: proxy.url }), ...more }, host)
    sink.write(exchanges(0, 3))
    await until('all sent', () => delivery(sink).sent === 3, host)
    await sink.close()
  }
  assert.equal(receiver.requests.length, 1)
  assert.deepEqual(proxy.asked, [`CONNECT ${receiver.url.slice('https://'.length)}`, 'POST http://logs.invalid:81/in'])
  await receiver.kill()
  proxy.close()
})
