/** OTLP over gRPC to a real gRPC server (@grpc/grpc-js), and to servers that are none. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http2'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Metadata, status } from '@grpc/grpc-js'
import type { Sink } from '../sink.ts'
import { RecordingHost } from '../sink.suite.ts'
import { assertAddsUp, delivery, exchanges, HOSTILE, openOutput, range, until } from './exporter.suite.ts'
import { retryDelayMs } from './otlp/grpc-status.ts'
import { sceneBefore, serverFaults } from './server-faults.suite.ts'
import { Collector, EMPTY } from './testing/otlp-collector.ts'
import { byName, partialSuccess } from './testing/otlp-decoder.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-otlp-grpc-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let number = 0

function open(port: number, host: RecordingHost, more: Record<string, unknown> = {}): Sink {
  return openOutput({
    type: 'otlp', protocol: 'grpc', url: `http://127.0.0.1:${port}`, spool: { path: join(folder, `${number++}`) },
    batch: { records: 20, age: '5ms' }, retry: { max_wait: '20ms' }, drain: '1m', ...more,
  }, host)
}

async function withCollector(more: Record<string, unknown>, body: (it: { collector: Collector, sink: Sink, host: RecordingHost }) => Promise<void>): Promise<void> {
  const collector = await Collector.start()
  const host = new RecordingHost()
  const sink = open(collector.port, host, more)
  try {
    await body({ collector, sink, host })
  } finally {
    await sink.close()
    assertAddsUp(sink)
    await collector.kill()
  }
}

for (const compression of ['gzip', 'none']) {
  test(`otlp over grpc, ${compression}: every record arrives once, in order, whole, as a log and as a span`, async () => {
    process.env['LINTEL_TEST_TOKEN'] = 'open-sesame'
    await withCollector({ compression, auth: { bearer: { env: 'LINTEL_TEST_TOKEN' } } }, async ({ collector, sink, host }) => {
      for (let index = 0; index < 10; index++) sink.write(exchanges(index * 15, 15))
      await until('all sent', () => delivery(sink).sent === 150, host)
      for (const signal of ['logs', 'traces'] as const) assert.deepEqual(collector.numbers(signal), range(0, 150))
      for (const { metadata, attributes, numbers } of collector.taken) {
        assert.deepEqual(metadata.get('authorization'), ['Bearer open-sesame'])
        const hostile = attributes.map(all => byName(all).get('http.request.header.x-hostile')?.arrayValue?.values?.map(({ stringValue }) => stringValue))
        assert.deepEqual(hostile, numbers.map(one => one % 15 === 0 ? HOSTILE : undefined))
      }
      assert.deepEqual(host.logs, [])
    })
  })
}

/** A google.rpc.Status with a RetryInfo, as servers send it. */
function retryInfo(seconds: number, nanos: number): Buffer {
  const field = (tag: number, bytes: Buffer): Buffer => Buffer.concat([Buffer.from([tag, bytes.length]), bytes])
  const nano = [nanos & 0x7f | 0x80, nanos >> 7 & 0x7f | 0x80, nanos >> 14 & 0x7f | 0x80, nanos >> 21]
  const info = field(0x0a, Buffer.from([0x08, seconds, 0x10, ...nano]))
  const any = Buffer.concat([field(0x0a, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')), field(0x12, info)])
  return Buffer.concat([Buffer.from([0x08, 8]), field(0x12, Buffer.from('busy')), field(0x1a, any)])
}

test('otlp over grpc: a server says by RetryInfo when it will take more', () => {
  assert.equal(retryDelayMs(retryInfo(3, 5_000_001).toString('base64')), 3006)
  assert.equal(retryDelayMs(retryInfo(0, 128).toString('base64').replace(/=+$/, '')), 1)
  for (const odd of [undefined, '', '!', Buffer.from('nothing').toString('base64'), retryInfo(3, 5).subarray(0, 40).toString('base64')]) assert.equal(retryDelayMs(odd), undefined)
})

const busy = new Metadata()
busy.set('grpc-status-details-bin', retryInfo(0, 1_000_000))
const AGAIN: readonly (readonly [code: status, metadata?: Metadata])[] = [
  [status.UNAVAILABLE], [status.CANCELLED], [status.DEADLINE_EXCEEDED], [status.ABORTED], [status.OUT_OF_RANGE], [status.DATA_LOSS],
  [status.RESOURCE_EXHAUSTED, busy], [status.UNKNOWN], [status.INTERNAL], [status.UNIMPLEMENTED], [status.PERMISSION_DENIED],
]
for (const [code, metadata] of AGAIN) {
  test(`otlp over grpc: what is answered with ${status[code]} is sent again, and nothing is lost or doubled`, async () => {
    await withCollector({}, async ({ collector, sink, host }) => {
      let troubles = 3
      collector.behave = () => troubles-- > 0 ? { code, details: 'not\nnow', ...(metadata === undefined ? {} : { metadata }) } : EMPTY
      sink.write(exchanges(0, 50))
      await until('all sent', () => delivery(sink).sent === 50, host)
      for (const signal of ['logs', 'traces'] as const) assert.deepEqual(collector.numbers(signal), range(0, 50))
      assert.equal(delivery(sink).retried, 60)
      assert.match(host.logs.join('\n'), new RegExp(`^error: 127.0.0.1:\\d+ answers ${status[code]} \\(not now\\).*; trying again, .*\ninfo: sending to .* works again$`))
    })
  })
}

for (const code of [status.INVALID_ARGUMENT, status.RESOURCE_EXHAUSTED]) {
  test(`otlp over grpc: what is answered with ${status[code]} goes in halves, and what is refused alone to the dead letters`, async () => {
    const path = join(folder, `letters-${code}`)
    await withCollector({ spool: { path } }, async ({ collector, sink, host }) => {
      collector.behave = ({ numbers }) => numbers.includes(7) || numbers.length > 15 ? { code, details: 'bad record' } : EMPTY
      sink.write(exchanges(0, 40))
      await until('all through', () => delivery(sink).sent + delivery(sink).refused === 40, host)
      for (const signal of ['logs', 'traces'] as const) assert.deepEqual(collector.numbers(signal), range(0, 40).filter(one => one !== 7))
      const letter = JSON.parse(readFileSync(join(path, 'dead-letters.ndjson'), 'utf8')) as { reason: string, record: { event: { sequence: number } } }
      assert.deepEqual([letter.reason, letter.record.event.sequence], [`${status[code]}: bad record`, 7])
    })
  })
}

test('otlp over grpc: of a partial success as many are counted as were rejected, and nothing is sent again', async () => {
  await withCollector({}, async ({ collector, sink, host }) => {
    collector.behave = ({ signal, numbers }) => signal === 'logs' && numbers.includes(0) ? partialSuccess('logs', 4, 'old') : EMPTY
    sink.write(exchanges(0, 40))
    await until('all through', () => delivery(sink).sent + delivery(sink).refused === 40, host)
    assert.deepEqual([delivery(sink).sent, delivery(sink).refused, delivery(sink).retried], [36, 4, 0])
    for (const signal of ['logs', 'traces'] as const) assert.deepEqual(collector.numbers(signal), range(0, 40))
  })
})

test('otlp over grpc: credentials that are not taken stand in no message', async () => {
  process.env['LINTEL_TEST_TOKEN'] = 'open-sesame'
  await withCollector({ auth: { bearer: { env: 'LINTEL_TEST_TOKEN' } } }, async ({ collector, sink, host }) => {
    collector.behave = ({ metadata }) => ({ code: status.UNAUTHENTICATED, details: `no: ${String(metadata.get('authorization')[0])} 100%` })
    sink.write(exchanges(0, 1))
    await until('it is told', () => sink.health().lastError !== undefined, host)
    assert.match(sink.health().lastError as string, /answers UNAUTHENTICATED \(no: Bearer \[hidden\] 100%\); the credentials are not taken: look at auth/)
    collector.behave = () => EMPTY
    await until('all sent', () => delivery(sink).sent === 1, host)
    assert.doesNotMatch(host.logs.join('\n'), /sesame/)
  })
})

test('otlp over grpc: a server that says nothing is given up in time, and a stop does not wait for it', async () => {
  await withCollector({ timeout: '200ms', drain: '100ms' }, async ({ collector, sink, host }) => {
    collector.behave = () => undefined
    sink.write(exchanges(0, 10))
    await until('it is told', () => sink.health().lastError !== undefined, host)
    assert.match(sink.health().lastError as string, /no answer within 200 ms|DEADLINE_EXCEEDED/)
    await sink.close()
    assert.equal(delivery(sink).waitingRecords, 10)
  })
})

test('otlp over grpc: what is no gRPC server is told, and nothing is taken for delivered', async () => {
  const http1 = createTcpServer(socket => { socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n') })
  const http2 = createServer((_request, response) => { response.writeHead(200, { 'content-type': 'text/html' }).end('<p>welcome') })
  const bare = createServer((_request, response) => { response.writeHead(200, { 'content-type': 'application/grpc', 'grpc-status': '0' }).end() })
  const cut = createServer((_request, response) => { response.writeHead(200, { 'content-type': 'application/grpc' }).write('\0\0', () => { response.stream.session?.destroy() }) })
  const cases = [[http1, /Cannot send to 127.0.0.1:\d+: /], [http2, /answers HTTP status 200, not gRPC; is it a server of OTLP over gRPC/],
    [bare, /answers OK without one whole message/], [cut, /Cannot send to .*closed/]] as const
  for (const [server, expected] of cases) {
    await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
    const host = new RecordingHost()
    const sink = open((server.address() as AddressInfo).port, host, { drain: '50ms' })
    sink.write(exchanges(0, 1))
    await until('it is told', () => sink.health().lastError !== undefined, host)
    assert.match(sink.health().lastError as string, expected)
    await sink.close()
    assert.deepEqual([delivery(sink).sent, delivery(sink).waitingRecords], [0, 1])
    server.close()
  }
})

test('otlp over grpc: an answer that is compressed is read, as the Collector sends it; a broken one is no answer', async () => {
  const answers = [gzipSync(partialSuccess('logs', 3, 'old')), Buffer.from('no gzip')]
  let turn = 0
  const server = createServer((request, response) => {
    const body = answers[turn++] ?? gzipSync(EMPTY)
    const prefix = Buffer.from([1, 0, 0, 0, body.length])
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/grpc', 'grpc-encoding': 'gzip', 'trailer': 'grpc-status' })
      response.addTrailers({ 'grpc-status': '0' })
      response.end(Buffer.concat([prefix, body]))
    })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  const host = new RecordingHost()
  const sink = open((server.address() as AddressInfo).port, host, { signals: ['logs'] })
  sink.write(exchanges(0, 40))
  await until('all through', () => delivery(sink).sent + delivery(sink).refused === 40, host)
  await sink.close()
  server.close()
  assert.deepEqual([delivery(sink).refused, delivery(sink).retried, turn], [3, 20, 3])
  assert.match(host.logs.join('\n'), /answers OK without one whole message/)
})

serverFaults({
  name: 'otlp over grpc',
  async open(more, identity) {
    const server = await Collector.start(() => EMPTY, identity)
    const url = `${identity === undefined ? 'http' : 'https'}://${server.address}`
    const options = { type: 'otlp', protocol: 'grpc', signals: ['logs'], url, spool: { path: join(folder, `${number++}`) }, ...more }
    return sceneBefore(server, options, address => ({ url: `http://${address}` }))
  },
})
