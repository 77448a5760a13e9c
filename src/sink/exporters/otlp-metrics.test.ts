import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { SafeBatch } from '../batch.ts'
import { batchOf } from '../requests/testing/told-requests.ts'
import type { Sink } from '../sink.ts'
import { RecordingHost } from '../sink.suite.ts'
import { delivery, exchanges, HOSTILE, openOutput, until } from './exporter.suite.ts'
import { metricsFaults } from './metrics-faults.suite.ts'
import { byName, decodeLogs, decodeMetrics, partialSuccess } from './testing/otlp-decoder.ts'
import { counted, labelsOf, type Metric, type Point, pointsOf } from './testing/otlp-metrics.ts'
import { type Behaviour, Receiver, type Said } from './testing/receiver.ts'

const TYPE = 'application/x-protobuf'
const OK: Said = { status: 200, headers: { 'content-type': TYPE }, body: '' }
const DURATION = 'http.server.request.duration'
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

const folder = mkdtempSync(join(tmpdir(), 'lintel-otlp-metrics-'))
const open: { close?(): Promise<void>, kill?(): Promise<void> }[] = []
after(async () => {
  await Promise.all(open.map(one => one.close?.() ?? one.kill?.()))
  rmSync(folder, { recursive: true, force: true })
})

async function receiverThat(behave: Behaviour): Promise<Receiver> {
  const receiver = await Receiver.start(behave)
  open.push(receiver)
  return receiver
}

function openMetrics(url: string, host: RecordingHost, metrics: Record<string, unknown> = {}, more: Record<string, unknown> = {}): Sink {
  const sink = openOutput({
    type: 'otlp', url, signals: ['metrics'], retry: { max_wait: '20ms' }, drain: '2s', metrics: { interval: '100ms', ...metrics }, ...more,
  }, host)
  open.push(sink)
  return sink
}

interface Told {
  readonly duration?: number
  readonly status?: number
  readonly method?: string
  readonly sizes?: readonly [request: number, response: number]
  readonly trace?: string
  readonly isClient?: boolean
}

function record({ duration = 0.003, status = 200, method = 'GET', sizes, trace, isClient = false }: Told): string {
  const [request, response] = sizes?.map(size => ({ body: { size } })) ?? [{}, {}]
  return JSON.stringify({
    kind: 'exchange', time: '2026-11-22T14:13:03.123456789Z', duration: 0, event: { sequence: 1 },
    client: { address: '192.0.2.1', port: 1, ...(isClient ? { process: { pid: 1 } } : {}) }, server: { address: '10.0.0.1', port: 80 },
    network: { type: 'ipv4' }, url: { scheme: 'http', path: '/' },
    http: {
      request: { method, header: { 'x-hostile': HOSTILE, body: ['{"size":9'], response: ['{"body":{"size":7'] }, ...request },
      response: { status_code: status, header: { body: ['"body":{"size":8'] }, ...response },
    },
    ...(trace === undefined ? {} : { trace: { id: trace, sampled: true } }),
  }).replace('"duration":0', `"duration":${duration.toFixed(9)}`) // as records have it
}

const batch = (told: readonly Told[]): SafeBatch => batchOf(told.map(record))
const pushesOf = ({ requests }: Receiver): (readonly Metric[])[] => requests.map(({ path, headers, bytes }) => {
  assert.deepEqual([path, headers['content-type']], ['/v1/metrics', TYPE])
  const { resource, scope, ones } = decodeMetrics(bytes)
  assert.deepEqual([resource, scope], [{ 'service.instance.id': hostname(), 'service.name': 'lintel', team: 'edge' }, 'lintel'])
  return ones
})

test('otlp metrics: each push has all since the start, by attributes of their types; an exemplar goes once; times after a restart go on', async () => {
  const receiver = await receiverThat(() => OK)
  const host = new RecordingHost()
  const [good, bad] = ['a'.repeat(32), 'b'.repeat(32)]
  let last = 0n
  for (let run = 0; run < 2; run++) {
    receiver.requests.length = 0
    const sink = openMetrics(receiver.url, host, {}, { resource: { team: 'edge' }, compression: 'gzip' })
    sink.write(batch([{ trace: good, sizes: [0, 300] }, { duration: 4, status: 503, sizes: [1_000_000, 2] }, { status: 404, isClient: true }]))
    await until('pushed', () => receiver.requests.length >= 2, host)
    sink.write(batch([{ trace: bad }, { duration: 0.0000001 }]))
    await sink.close()
    const pushes = pushesOf(receiver)
    const points = pushes.map(push => pointsOf(push, DURATION))
    assert.deepEqual([counted(points[0] ?? []), counted(points.at(-1) ?? [])], [2, 4])
    const all = points.flat()
    assert.equal(new Set(all.map(point => point.startTimeUnixNano)).size, 1)
    assert.ok(BigInt(all[0]?.startTimeUnixNano as string) > last - 1n, 'counting began after the last push of the run before')
    const times = pushes.map(push => BigInt(pointsOf(push, DURATION)[0]?.timeUnixNano as string))
    assert.ok(times.every((time, index) => time > (times[index - 1] ?? BigInt(all[0]?.startTimeUnixNano as string))))
    last = times.at(-1) as bigint
    const withStatus = (status: number): Point => points.at(-1)?.find(point => labelsOf(point).includes(`status_code=${status}`)) ?? assert.fail()
    const [ok, failed] = [withStatus(200), withStatus(503)]
    assert.equal(labelsOf(ok), 'http.request.method=GET http.response.status_code=200 server.address=10.0.0.1 url.scheme=http')
    assert.match(labelsOf(failed), /^error\.type=503 /)
    assert.deepEqual(byName(failed.attributes ?? []).get('http.response.status_code'), { intValue: '503' })
    assert.deepEqual(ok.explicitBounds, SECONDS)
    assert.deepEqual(ok.bucketCounts, [1, 0, 0, 2, ...Array<number>(14).fill(0)].map(String))
    assert.ok(Math.abs((ok.sum as number) - 0.0060001) < 1e-12)
    const exemplars = all.flatMap(point => point.exemplars ?? []).map(({ asDouble, timeUnixNano, traceId }) => [asDouble, timeUnixNano, (traceId as Buffer).toString('hex')])
    const timeUnixNano = String(BigInt(Date.parse('2026-11-22T14:13:03.123Z')) * 1_000_000n)
    assert.deepEqual(exemplars, [[0.003, timeUnixNano, good], [0.003, timeUnixNano, bad]])
    const lastPush = pushes.at(-1) as readonly Metric[]
    const sums = ['request', 'response'].map(side => pointsOf(lastPush, `http.server.${side}.body.size`).map(({ count, sum }) => [count, sum]))
    assert.deepEqual(sums, [[['1', 0], ['1', 1_000_000]], [['1', 300], ['1', 2]]])
    assert.match(labelsOf(pointsOf(lastPush, 'http.client.request.duration')[0] ?? assert.fail()), /^error\.type=404 /)
    const { unit, histogram } = lastPush.find(({ name }) => name === DURATION) as Metric
    assert.deepEqual([unit, histogram?.aggregationTemporality], ['s', 2])
    const { writtenRecords, queuedBytes, droppedRecords } = sink.health()
    assert.ok(writtenRecords > 0)
    assert.deepEqual([queuedBytes, droppedRecords.size, host.logs], [0, 0, []])
    receiver.requests.length = 0
  }
  assert.ok(host.fates.every(({ written, reason }) => written === 0 && reason === undefined), 'no record is kept')
})

test('otlp metrics, delta and exponential: pushes add up to all, each begins where the one before ended, buckets hold their values', async () => {
  const receiver = await receiverThat(() => OK)
  const host = new RecordingHost()
  const sink = openMetrics(receiver.url, host, { temporality: 'delta', histograms: 'exponential', requests: { labels: [] } }, { resource: { team: 'edge' } })
  const durations = [0.000_000_5, 0.001, 0.125, 0.125, 0.13, 7]
  for (const duration of durations) {
    const before = receiver.requests.length
    sink.write(batch([{ duration }]))
    await until('pushed', () => receiver.requests.length > before + 1, host)
  }
  await sink.close()
  const pushes = pushesOf(receiver)
  const points = pushes.flatMap(push => pointsOf(push, DURATION))
  assert.deepEqual(points.map(({ count }) => count), durations.map(() => '1'), 'what has not changed is not told')
  points.forEach(({ scale, zeroCount, zeroThreshold, positive, sum }, index) => {
    const duration = durations[index] as number
    assert.ok(Math.abs((sum as number) - duration) < 1e-9)
    assert.equal(zeroThreshold, 2 ** -20)
    if (duration < 2 ** -20) return assert.deepEqual([zeroCount, positive], ['1', undefined])
    assert.deepEqual([zeroCount, positive?.bucketCounts, scale], ['0', ['1'], 3])
    const at = positive?.offset ?? 0
    assert.ok(2 ** (at / 8) < duration && duration <= 2 ** ((at + 1) / 8), `${duration} in bucket ${at}`)
  })
  const spans = pushes.flatMap(push => pointsOf(push, 'lintel_request_metrics_left_out').slice(0, 1))
  assert.equal(spans.length, pushes.length)
  spans.forEach(({ startTimeUnixNano }, index) => { if (index > 0) assert.equal(startTimeUnixNano, spans[index - 1]?.timeUnixNano) })
  assert.equal(pushes[0]?.find(({ name }) => name === 'lintel_request_metrics_left_out')?.sum?.aggregationTemporality, 1)
})

test('otlp metrics: sets of attributes beyond the bound are one series that says so, counted; many series go in requests of bounded size', async () => {
  const receiver = await receiverThat(() => OK)
  const host = new RecordingHost()
  const few = openMetrics(receiver.url, host, { requests: { labels: ['http.response.status_code'], series_max: 10 } }, { resource: { team: 'edge' } })
  few.write(batch(Array.from({ length: 50 }, (_, index) => ({ status: 200 + index }))))
  await few.close()
  const push = pushesOf(receiver).at(-1) as readonly Metric[]
  const points = pointsOf(push, DURATION)
  assert.equal(points.length, 9)
  const overflow = points.filter(point => labelsOf(point) === 'otel.metric.overflow=true')
  assert.deepEqual(overflow.map(({ attributes, count }) => [attributes?.[0]?.value, count]), [[{ boolValue: true }, '42']])
  assert.equal(counted(points), 50)
  const others = pointsOf(push, 'lintel_request_metrics_other')
  assert.deepEqual(others.map(point => [labelsOf(point), point.asInt]), [['label=http_response_status_code', '0'], ['label=all', '42']])

  receiver.requests.length = 0
  const many = openMetrics(receiver.url, host, { interval: '1h', requests: { labels: ['http.request.method', 'http.response.status_code'], series_max: 10_000 } }, { resource: { team: 'edge' } })
  many.write(batch(Array.from({ length: 9000 }, (_, index) => ({ method: `M${index % 90}`, status: 200 + Math.floor(index / 90), sizes: [1, 1] as const }))))
  await many.close()
  assert.ok(receiver.requests.length > 2)
  assert.ok(receiver.requests.every(({ bytes }) => bytes.length < 1.2 * 1024 * 1024))
  const all = pushesOf(receiver).flatMap(metrics => pointsOf(metrics, DURATION))
  assert.deepEqual([counted(all), new Set(all.map(labelsOf)).size], [9000, 9000])
})

test('otlp metrics beside logs: records go through the spool, metrics count them; what a server rejects of them is counted and told', async () => {
  const receiver = await receiverThat(({ path }) => path === '/v1/metrics'
    ? { status: 200, headers: { 'content-type': TYPE }, body: partialSuccess('metrics', 3, 'too many points') } : OK)
  const host = new RecordingHost()
  const sink = openMetrics(receiver.url, host, {}, { signals: ['logs', 'metrics'], spool: { path: join(folder, 'spool') }, batch: { age: '10ms' } })
  sink.write(exchanges(0, 40))
  await until('sent', () => delivery(sink).sent === 40 && sink.health().samples !== undefined && receiver.requests.some(({ path }) => path === '/v1/metrics'), host)
  await until('told', () => (sink.health().samples?.dropped.get('refused') ?? 0) >= 3, host)
  assert.match(host.logs.join('\n'), /refuses metrics \(too many points\); 3 samples are dropped/)
  receiver.behave = () => ({ status: 400, headers: { 'content-type': TYPE }, body: Buffer.concat([Buffer.from([0x08, 3, 0x12, 3]), Buffer.from('bad')]) })
  await until('refused', () => (sink.health().samples?.dropped.get('refused') ?? 0) > 6, host)
  receiver.behave = () => OK
  await sink.close()
  assert.equal(sink.health().writtenRecords, 40)
  assert.deepEqual(host.fates.map(({ written }) => written), [40])
  const [logs, metrics] = ['/v1/logs', '/v1/metrics'].map(wanted => receiver.requests.filter(({ path }) => path === wanted))
  assert.equal(logs?.flatMap(({ bytes }) => decodeLogs(bytes).flatMap(({ ones }) => ones)).length, 40)
  const points = pointsOf(decodeMetrics((metrics ?? []).at(-1)?.bytes as Buffer).ones, DURATION)
  assert.equal(counted(points), 40)
})

test('otlp: logs and traces want a spool, metrics alone none', () => {
  const host = new RecordingHost()
  assert.throws(() => openOutput({ type: 'otlp', url: 'http://x' }, host), /must be given for logs and traces/)
  assert.throws(() => openOutput({ type: 'otlp', url: 'http://x', signals: ['metrics', 'traces'] }, host), /must be given for logs and traces/)
})

metricsFaults({
  name: 'otlp metrics', path: '', said: OK,
  read({ bytes }) {
    const points = pointsOf(decodeMetrics(bytes).ones, DURATION)
    const counts = new Map(points.map(point => [byName(point.attributes ?? []).get('url.domain')?.stringValue ?? '', Number(point.count)]))
    return { counts, timeMs: Number(points[0]?.timeUnixNano ?? 0) / 1e6 }
  },
  options: interval => ({ type: 'otlp', signals: ['metrics'], metrics: { interval, requests: { labels: ['url.domain'] } } }),
})
