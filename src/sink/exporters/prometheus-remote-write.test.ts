import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { double, fields, unsnappy } from '../../../lib/prometheus/testing/read-proto.ts'
import type { Sink } from '../sink.ts'
import { RecordingHost } from '../sink.suite.ts'
import { exchanges, openOutput, until } from './exporter.suite.ts'
import { metricsFaults } from './metrics-faults.suite.ts'
import { type Behaviour, type Received, Receiver } from './testing/receiver.ts'

process.env['LINTEL_TEST_WRITE'] = 'open-sesame/43'

/** Counts of requests by their domain in a push, and its time. */
function readByDomain({ path, headers, body }: Received): { counts: Map<string, number>, timeMs: number } {
  assert.equal(path, '/api/v1/write')
  assert.deepEqual([headers['content-type'], headers['content-encoding'], headers['x-prometheus-remote-write-version']], ['application/x-protobuf', 'snappy', '0.1.0'])
  const counts = new Map<string, number>()
  let timeMs = 0
  for (const series of fields(unsnappy(body)).get(1) as Buffer[]) {
    const labels = new Map((fields(series).get(1) as Buffer[]).map(label => [String(fields(label).get(1)?.[0]), String(fields(label).get(2)?.[0])]))
    assert.deepEqual([labels.get('job'), labels.get('instance')], ['lintel', 'gw-1'])
    if (labels.get('__name__') !== 'http_server_request_duration_seconds_count') continue
    const sample = fields(fields(series).get(2)?.[0] as Buffer)
    const domain = labels.get('url_domain') ?? ''
    counts.set(domain, (counts.get(domain) ?? 0) + double(sample.get(1)?.[0]))
    timeMs = Number(sample.get(2)?.[0])
  }
  return { counts, timeMs }
}

/** Sum of the counts of all requests in a push, and its time. */
function read(request: Received): { count: number, timeMs: number } {
  const { counts, timeMs } = readByDomain(request)
  return { count: [...counts.values()].reduce((sum, count) => sum + count, 0), timeMs }
}

const open: { close?(): Promise<void>, kill?(): Promise<void> }[] = []
after(async () => { await Promise.all(open.map(one => one.close?.() ?? one.kill?.())) }) // of tests that failed

async function receiverThat(behave: Behaviour): Promise<Receiver> {
  const receiver = await Receiver.start(behave)
  open.push(receiver)
  return receiver
}

function openWrite(url: string, host: RecordingHost, more: Record<string, unknown> = {}): Sink {
  const sink = openOutput({
    type: 'prometheus_remote_write', url: `${url}/api/v1/write`, labels: { instance: 'gw-1' }, interval: '100ms', retry: { max_wait: '20ms' }, drain: '2s', ...more,
  }, host)
  open.push(sink)
  return sink
}

test('prometheus_remote_write: each push has all that was counted, times rise, the last comes at the end; records are kept by nobody', async () => {
  const receiver = await receiverThat(() => ({ status: 204 }))
  const host = new RecordingHost()
  const sink = openWrite(receiver.url, host)
  sink.write(exchanges(0, 50))
  await until('pushed', () => receiver.requests.length >= 2, host)
  sink.write(exchanges(50, 20))
  await sink.close()
  const pushes = receiver.requests.map(read)
  assert.deepEqual([pushes[0]?.count, pushes.at(-1)?.count], [50, 70])
  assert.ok(pushes.every(({ timeMs }, index) => index === 0 || timeMs > (pushes[index - 1]?.timeMs as number)))
  assert.deepEqual(host.fates.map(({ written, reason }) => [written, reason]), [[0, undefined], [0, undefined]])
  const { writtenRecords, queuedBytes, droppedRecords } = sink.health()
  assert.ok(writtenRecords > 0)
  assert.deepEqual([queuedBytes, droppedRecords.size, host.logs], [0, 0, []])
  await receiver.kill()
})

test('prometheus_remote_write: 500 and a dead server get the push again, in order; what is refused is dropped, counted and told', async () => {
  const receiver = await receiverThat(() => ({ status: 500, body: 'not now' }))
  const host = new RecordingHost()
  const sink = openWrite(receiver.url, host)
  sink.write(exchanges(0, 10))
  await until('tried thrice', () => receiver.requests.length >= 3, host)
  assert.match(sink.health().lastError as string, /answers 500 \(not now\)/)
  assert.ok(receiver.requests[0]?.body.equals(receiver.requests[2]?.body as Buffer), 'the same push')
  await receiver.kill()
  await until('told', () => /ECONNREFUSED|hang up|ECONNRESET/.test(sink.health().lastError ?? ''), host)
  receiver.behave = () => ({ status: 200 })
  const before = receiver.requests.length
  await receiver.listen()
  await until('it works again', () => sink.health().lastError === undefined, host)
  const times = receiver.requests.slice(before).map(request => read(request).timeMs)
  assert.deepEqual(times, times.toSorted((a, b) => a - b))
  assert.equal(times[0], read(receiver.requests[0] as Received).timeMs, 'the first one that was not taken')
  receiver.behave = () => ({ status: 400, body: 'out of order sample' })
  await until('dropped', () => (sink.health().droppedRecords.get('refused') ?? 0) > 0, host)
  assert.match(host.logs.at(-1) as string, /refuses metrics \(400 bad request: out of order sample\); \d+ samples are dropped/)
  await sink.close()
  await receiver.kill()
})

test('prometheus_remote_write: what waits in memory is bounded, the oldest goes; a stop ends in time; no secret in a message', async () => {
  const receiver = await receiverThat(({ headers }) => ({ status: 401, body: `no ${headers.authorization}` }))
  const host = new RecordingHost()
  const sink = openWrite(receiver.url, host, { queue_bytes: '64KiB', interval: '100ms', drain: '50ms', auth: { bearer: { env: 'LINTEL_TEST_WRITE' } }, requests: { labels: ['http.request.method', 'url.domain'] } })
  const lines = Array.from({ length: 90 }, (_, index) => `{"kind":"exchange","time":"2026-11-22T14:13:03.123456789Z","duration":0.${index + 1},"url":{"domain":"${'x'.repeat(40)}${index}"},"http":{"request":{"method":"GET"}}}\n`)
  sink.write({ bytes: Buffer.from(lines.join('')), count: 90, kinds: [90, 0, 0, 0, 0, 0], outputs: 1 })
  await until('dropped', () => (sink.health().droppedRecords.get('queue full') ?? 0) > 0, host)
  assert.ok(sink.health().queuedBytes <= 64 * 1024 + 32 * 1024)
  await sink.close()
  assert.ok((sink.health().droppedRecords.get('not sent before the stop') ?? 0) > 0)
  assert.match(host.logs.join(), /answers 401 .*look at auth/)
  assert.doesNotMatch(host.logs.join(), /sesame/)
  await receiver.kill()
})

metricsFaults({
  name: 'prometheus_remote_write', path: '/api/v1/write', said: { status: 204 }, read: readByDomain,
  options: interval => ({ type: 'prometheus_remote_write', labels: { instance: 'gw-1' }, interval, requests: { labels: ['url.domain'] } }),
})
