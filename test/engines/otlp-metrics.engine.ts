/** Metrics of the captures' requests, by OTLP into a real OpenTelemetry Collector that is stopped and started midway, against their NDJSON. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openOutput, until } from '../../src/sink/exporters/exporter.suite.ts'
import { counted, type Metric, type Point, labelsOf, pointsOf } from '../../src/sink/exporters/testing/otlp-metrics.ts'
import { RecordingHost } from '../../src/sink/sink.suite.ts'
import { hasCorpora } from '../conformance/testing/corpora.ts'
import { batchesOf } from '../store/testing/stored.ts'
import { OtelCollector } from './testing/otel-collector.ts'
import { captureMetrics, type Request, traceId, tracedLines } from './testing/request-records.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-collector-metrics-'))
after(() => rmSync(folder, { recursive: true, force: true }))

interface Body {
  readonly body?: { readonly size?: number }
}

interface Told {
  readonly lines: readonly string[]
  readonly requests: readonly Request[]
  readonly sizes: Readonly<Record<'request' | 'response', number[]>>
}

/** What the NDJSON says: requests, and sizes of the bodies of those on the server's side. */
async function told(): Promise<Told> {
  const { requests } = await captureMetrics(folder)
  const all = [...readFileSync(join(folder, 'records.ndjson'), 'utf8').trimEnd().split('\n'), ...tracedLines()]
  const lines = all.filter(line => line.startsWith('{"kind":"exchange"'))
  const sizes = { request: [] as number[], response: [] as number[] }
  for (const line of lines) {
    const { http, duration, client, server } = JSON.parse(line) as {
      readonly duration?: number, readonly client?: { readonly process?: object }, readonly server?: { readonly process?: object },
      readonly http?: { readonly request?: Body, readonly response?: Body },
    }
    if (http === undefined || duration === undefined || client?.process !== undefined && server?.process === undefined) continue
    for (const side of ['request', 'response'] as const) {
      const size = http[side]?.body?.size
      if (size !== undefined) sizes[side].push(size)
    }
  }
  return { lines, requests, sizes }
}

/** All points of a metric: of delta pushes all, of cumulative ones the last of each series. */
function points(pushes: readonly (readonly Metric[])[], name: string, isDelta: boolean): readonly Point[] {
  const all = pushes.flatMap(push => pointsOf(push, name))
  return isDelta ? all : [...new Map(all.map(point => [labelsOf(point), point])).values()]
}

function bucketSums(all: readonly Point[]): number[] {
  return all.reduce<number[]>((sums, { bucketCounts = [] }) => bucketCounts.map((count, index) => (sums[index] ?? 0) + Number(count)), [])
}

let facts: ReturnType<typeof told> | undefined

const CASES = [
  ['http', 'cumulative', 'explicit'], ['grpc', 'delta', 'explicit'], ['http', 'delta', 'exponential'], ['grpc', 'cumulative', 'exponential'],
] as const
for (const [protocol, temporality, histograms] of CASES) {
  test(`Collector over ${protocol}: ${temporality} ${histograms} histograms have the records' counts, also after it was away`, async context => {
    if (!hasCorpora(context)) return
    facts ??= told()
    const { lines, requests, sizes } = await facts
    const collector = await OtelCollector.start(join(folder, `${protocol}-${temporality}-${histograms}`))
    const host = new RecordingHost()
    const sink = openOutput({
      type: 'otlp', protocol, url: collector.url(protocol), signals: ['metrics'], compression: 'gzip', retry: { max_wait: '100ms' }, drain: '30s',
      metrics: { interval: '200ms', temporality, histograms, requests: { labels: ['http.request.method', 'http.response.status_code'] } },
    }, host)
    try {
      const batches = batchesOf(lines, 200)
      const middle = Math.floor(batches.length / 2)
      for (const batch of batches.slice(0, middle)) sink.write(batch)
      await until('some are there', () => sink.health().writtenRecords > 0, host)
      await collector.stop()
      for (const batch of batches.slice(middle)) sink.write(batch)
      await until('it is told', () => sink.health().lastError !== undefined, host)
      await collector.run()
    } finally {
      await sink.close()
      await collector.stop()
    }
    const isDelta = temporality === 'delta'
    const pushes = collector.pushes()
    const server = requests.filter(({ side }) => side === 'server')
    const durations = points(pushes, 'http.server.request.duration', isDelta)
    const groups = Map.groupBy(durations, point => labelsOf(point).replace(/error\.type=\d+ /, ''))
    const wanted = Map.groupBy(server, ({ method, status }) => [method === '' ? [] : [`http.request.method=${method}`],
      status === '' ? [] : [`http.response.status_code=${status}`]].flat().join(' '))
    assert.deepEqual(new Map([...groups].map(([name, all]) => [name, counted(all)]).sort() as [string, number][]),
      new Map([...wanted].map(([name, all]) => [name, all.length]).sort() as [string, number][]))
    assert.equal(counted(points(pushes, 'http.client.request.duration', isDelta)), requests.length - server.length)
    for (const side of ['request', 'response'] as const) {
      const found = points(pushes, `http.server.${side}.body.size`, isDelta)
      assert.equal(counted(found), sizes[side].length)
      assert.equal(found.reduce((sum, point) => sum + (point.sum ?? 0), 0), sizes[side].reduce((sum, size) => sum + size, 0))
    }
    if (histograms === 'explicit') {
      const bounds = durations[0]?.explicitBounds ?? []
      const inBucket = (index: number): number => {
        return server.filter(({ duration }) => duration > (bounds[index - 1] ?? -1) && duration <= (bounds[index] ?? Infinity)).length
      }
      assert.deepEqual(bucketSums(durations), Array.from({ length: bounds.length + 1 }, (_, index) => inBucket(index)))
    } else {
      const inBuckets = durations.flatMap(({ zeroCount = '0', positive }) => [zeroCount, ...positive?.bucketCounts ?? []]).map(Number)
      assert.equal(inBuckets.reduce((sum, count) => sum + count, 0), server.length)
    }
    const starts = new Set(pushes.flatMap(push => pointsOf(push, 'http.server.request.duration').map(({ startTimeUnixNano }) => startTimeUnixNano)))
    assert.ok(isDelta ? starts.size > 1 : starts.size === 1)
    const traces = new Set(Array.from({ length: 40 }, (_, index) => traceId(index)))
    const exemplars = pushes.flatMap(push => pointsOf(push, 'http.server.request.duration').flatMap(point => point.exemplars ?? []))
    assert.ok(exemplars.length > 0 && exemplars.every(one => traces.has(String(one.traceId))))
    assert.equal(sink.health().droppedRecords.size, 0, host.logs.join('\n'))
    context.diagnostic(`${requests.length} requests, ${pushes.length} pushes, ${exemplars.length} exemplars`)
  })
}
