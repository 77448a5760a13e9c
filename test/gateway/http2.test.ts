/** HTTP/2 in the clear, live: curl, h2load, nghttp and Node against nginx, nghttpd and Node; every exchange once, right. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { constants } from 'node:http2'
import { Gateway } from './testing/gateway.ts'
import { Http2Client, serve } from './testing/http2-peers.ts'
import { Lintel } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'
import { run } from './testing/process.ts'
import { RawServer } from './testing/raw-peer.ts'
import * as T from '../../src/decode/http2/testing/frames.ts'
import { plainBlock } from '../../src/decode/http2/testing/hpack-encoder.ts'

const NGINX = 18201
const NODE = 18202
const RAW = 18203
const OPEN = 18204

let lintel: Lintel
let gateway: Gateway
before(async () => {
  gateway = await Gateway.start({ listen: [`127.0.0.1:${NGINX} http2`], location: 'add_header X-Uri $uri; return 200 "hello world\\n";' })
  lintel = await Lintel.start(['--port', `${NGINX}-${RAW}`, '--interface', 'lo', '--kind', 'exchange', '--kind', 'anomaly'])
})
after(async () => {
  try {
    await lintel.stopQuietly()
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await gateway.stop()
  }
})

test('curl with prior knowledge, nginx: all headers, version, scheme, domain', async () => {
  const url = `http://127.0.0.1:${NGINX}/curl?q=1`
  const args = ['-s', '--http2-prior-knowledge', '-H', 'X-Mine: a b', '-H', 'Authorization: Bearer topsecrettoken', '-A', 'my-curl/1', url]
  assert.equal(await run('curl', args), 'hello world\n')
  const [record] = await lintel.exchanges('/curl')
  assert.equal(record?.network?.protocol?.version, '2')
  assert.equal(record.url?.domain, '127.0.0.1')
  assert.equal(record.url.query, 'q=1')
  assert.equal(record.http?.request?.method, 'GET')
  assert.deepEqual(record.http.request.header, { 'user-agent': ['my-curl/1'], accept: ['*/*'], 'x-mine': ['a b'], authorization: ['Bearer REDACTED'] })
  assert.equal(record.http.response?.status_code, 200)
  assert.deepEqual(record.http.response.header?.['x-uri'], ['/curl'])
  assert.equal(record.http.response.body?.size, 12)
  assert.equal(record.marks, undefined)
})

test('curl upgrades to h2c: one exchange, its request from HTTP/1 and its response from stream 1', async () => {
  const frames = Buffer.concat([T.settings([3, 100]), T.headers(1, plainBlock({ ':status': '200', 'x-from': 'stream' })), T.data(1, 'upgraded', true)])
  const answer = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n${frames.toString('latin1')}`
  const server = await RawServer.scripted(RAW, [{ until: '\r\n\r\n', send: answer }])
  try {
    assert.equal(await run('curl', ['-s', '--http2', '-m', '5', `http://127.0.0.1:${RAW}/upgraded`]), 'upgraded')
  } finally {
    await server.stop()
  }
  const [record, ...more] = await lintel.exchanges('/upgraded')
  assert.deepEqual(more, [])
  assert.equal(record?.network?.protocol?.version, '1.1')
  assert.deepEqual(record.http?.response?.interim_status_codes, [101])
  assert.equal(record.http.response.status_code, 200)
  assert.deepEqual(record.http.response.header, { 'x-from': ['stream'] })
  assert.equal(record.http.response.body?.size, 8)
  assert.ok(record.http.request?.header?.['http2-settings'] !== undefined)
})

test('h2load, nginx: as many exchanges as the server counted, each with all it sent', async () => {
  // nginx writes its log a second later.
  await delay(1200)
  const before = gateway.requestCount()
  const args = ['-n', '3000', '-c', '5', '-m', '20', '-H', 'x-run: h2load', `http://127.0.0.1:${NGINX}/h2load`]
  assert.match(await run('h2load', args), /3000 succeeded/)
  const records = await lintel.exchanges('/h2load', 3000)
  await delay(1200)
  assert.equal(gateway.requestCount() - before, 3000)
  assert.equal(records.length, 3000)
  for (const { http, marks } of records) {
    assert.equal(marks, undefined)
    assert.deepEqual(http?.request?.header?.['x-run'], ['h2load'])
    assert.deepEqual(http.response?.header?.['x-uri'], ['/h2load'])
    assert.equal(http.response.body?.size, 12)
  }
})

function shown(record: LoggedRecord | undefined, side: 'request' | 'response'): Record<string, string[]> {
  return record?.http?.[side]?.header ?? {}
}

test('Node, both ends: concurrent streams, bodies, trailers, large heads, pushes, resets', async () => {
  const server = await serve(NODE, (stream, headers) => {
    const path = headers[':path']!
    if (path === '/reset') return stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    if (path === '/push') {
      stream.pushStream({ ':path': '/pushed.css' }, (_error, pushed) => {
        pushed.respond({ ':status': 200, 'x-pushed': 'yes' })
        pushed.end('css')
      })
    }
    stream.respond({ ':status': path === '/large' ? 206 : 200, 'x-path': path, 'x-long': 'l'.repeat(path === '/large' ? 40_000 : 10) }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': path }))
    stream.resume()
    stream.on('end', () => stream.end(Buffer.alloc(path === '/large' ? 200_000 : 5)))
  })
  const client = await Http2Client.connect(NODE)
  try {
    client.session.on('stream', (pushed) => pushed.resume())
    const asks = Array.from({ length: 60 }, (_, index) => client.ask({ ':path': `/node/${index}`, 'x-index': String(index) }, index % 2 === 0 ? undefined : 'b'.repeat(index)))
    await Promise.all([...asks, client.ask({ ':path': '/large', cookie: 'c'.repeat(30_000) }, Buffer.alloc(150_000)), client.ask({ ':path': '/push' })])
    await client.ask({ ':path': '/reset' }).catch(() => undefined)
    await client.close()
  } finally {
    server.close()
  }
  await lintel.exchanges('/reset')
  for (let index = 0; index < 60; index++) {
    const [record] = await lintel.exchanges(`/node/${index}`)
    assert.deepEqual(shown(record, 'request')['x-index'], [String(index)])
    assert.deepEqual(shown(record, 'response')['x-path'], [`/node/${index}`])
    assert.deepEqual(record?.http?.response?.trailer, { 'x-sum': [`/node/${index}`] })
    assert.equal(record?.http?.request?.body?.size, index % 2 === 0 ? 0 : index)
    assert.equal(record.http.response.body?.size, 5)
    assert.equal(record.marks, undefined)
  }
  const [large] = await lintel.exchanges('/large')
  assert.equal(large?.http?.request?.body?.size, 150_000)
  assert.equal(large.http.response?.body?.size, 200_000)
  assert.equal(shown(large, 'response')['x-long']?.[0]?.length, 40_000)
  assert.ok(large.http.request.header?.['cookie'] !== undefined)
  const [pushed] = await lintel.exchanges('/pushed.css')
  assert.deepEqual(shown(pushed, 'response')['x-pushed'], ['yes'])
  const [reset] = await lintel.exchanges('/reset')
  assert.equal(reset?.marks?.['http.response.status_code'], 'stream reset: ENHANCE_YOUR_CALM')
})

test('Node: values that the sender lets nobody index are hidden', async () => {
  const server = await serve(NODE, (stream) => {
    stream.respond({ ':status': 200, 'x-quiet': 'sesame', 'x-loud': 'seen' })
    stream.end()
  })
  const client = await Http2Client.connect(NODE)
  const { sensitiveHeaders } = await import('node:http2')
  try {
    await client.ask({ ':path': '/sensitive', 'x-code': 'sesame', 'x-plain': 'seen', [sensitiveHeaders]: ['x-code'] } as never)
    await client.close()
  } finally {
    server.close()
  }
  const [record] = await lintel.exchanges('/sensitive')
  assert.deepEqual(shown(record, 'request'), { 'x-code': ['REDACTED'], 'x-plain': ['seen'] })
})

/** A length-prefixed message of gRPC. */
const CALL = { ':path': '/shop.v1.Cart/Watch', 'content-type': 'application/grpc', te: 'trailers', 'grpc-timeout': '2S' }

test('gRPC over Node: unary and streaming, messages counted, status from trailers or from the head alone', async () => {
  const server = await serve(NODE, (stream, headers) => {
    if (headers['x-kind'] === 'refused') {
      return stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': 7, 'grpc-message': 'not%20yours' }, { endStream: true })
    }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.resume()
    stream.on('end', () => {
      for (let count = 0; count < 25; count++) stream.write(T.grpcMessage(Buffer.alloc(count * 1000)))
      stream.end()
    })
  })
  const client = await Http2Client.connect(NODE)
  try {
    await client.ask({ ...CALL, 'x-kind': 'stream' }, T.grpcMessage('hello'))
    await client.ask({ ...CALL, 'x-kind': 'refused' }, T.grpcMessage('hello'))
    await client.close()
  } finally {
    server.close()
  }
  const records = (await lintel.exchanges(CALL[':path'], 2)) as (LoggedRecord & { rpc?: Record<string, unknown> })[]
  const of = (kind: string): Record<string, unknown> | undefined =>
    records.find((record) => shown(record, 'request')['x-kind']?.[0] === kind)?.rpc
  const counts = { request: { message_count: 1 }, response: { message_count: 25 } }
  const call = { system: { name: 'grpc' }, method: 'shop.v1.Cart/Watch', deadline: 2 }
  assert.deepEqual(of('stream'), { ...call, status_code: 'OK', ...counts })
  assert.deepEqual(of('refused'), { ...call, status_code: 'PERMISSION_DENIED', status_message: 'not yours', request: { message_count: 1 }, response: { message_count: 0 } })
})

test('an exchange that goes on is logged once while it is open, and whole at its end: HTTP/2 and server-sent events of HTTP/1', async () => {
  const own = await Lintel.start(['--port', String(OPEN), '--interface', 'lo', '--kind', 'exchange', '--open-after', '200ms',
    '--no-tls', '--no-processes']) // all its records are counted below
  let close = (): void => {}
  const server = await serve(OPEN, (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'text/event-stream' })
    stream.write('data: 1\n\n')
    close = () => stream.end('data: 2\n\n')
  })
  try {
    const client = await Http2Client.connect(OPEN)
    const asked = client.ask({ ':path': '/events' })
    const [open] = await own.exchanges('/events')
    assert.equal(open?.event?.name, 'open')
    assert.equal(open.http?.response?.status_code, 200)
    assert.deepEqual(shown(open, 'response')['content-type'], ['text/event-stream'])
    assert.equal(open.duration, undefined)
    assert.equal(open.http.response.body, undefined)
    close()
    await asked
    await client.close()
    server.close()
    const [, whole] = await own.exchanges('/events', 2)
    assert.equal(whole?.event?.name, undefined)
    assert.equal(whole?.http?.response?.body?.size, 18)
    assert.equal(whole.network?.connection?.id, open.network?.connection?.id)
    assert.deepEqual((whole as { http2?: unknown }).http2, (open as { http2?: unknown }).http2)
    const raw = await RawServer.scripted(OPEN, [
      { until: '\r\n\r\n', send: 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n' },
      { until: 'never', send: '' },
    ])
    const curl = run('curl', ['-sN', '-m', '1', `http://127.0.0.1:${OPEN}/sse`]).catch(() => undefined)
    const [sse] = await own.exchanges('/sse')
    assert.equal(sse?.event?.name, 'open')
    assert.equal(sse.http?.response?.status_code, 200)
    await curl
    await raw.stop()
    const [, ended, ...more] = await own.exchanges('/sse', 2)
    assert.equal(ended?.event?.name, undefined)
    assert.equal(ended?.http?.request?.depth, sse.http.request?.depth)
    assert.deepEqual(more, [])
    assert.match(await own.stop(), /records seen 4 = logged 4[\s\S]*adds up/)
  } finally {
    server.close()
    await own.process.stop('SIGKILL')
    own.remove()
  }
})
