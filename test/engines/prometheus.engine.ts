/** A real Prometheus scrapes the metrics of the captures' requests, and answers PromQL: the numbers are those of the records. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { MetricFamily } from '../../lib/prometheus/mod.ts'
import { MetricsServer } from '../../src/metrics.ts'
import { CORPORA, hasCorpora } from '../conformance/testing/corpora.ts'
import { Prometheus } from './testing/prometheus-server.ts'
import { byMethodAndStatus, captureMetrics, countsOf, groupName, type Request, traceId } from './testing/request-records.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-prometheus-'))
const BY = 'sum by (http_request_method, http_response_status_code)'
const SERVER = 'http_server_request_duration_seconds'
/** A bucket of a native histogram is so wide. */
const NATIVE_GROWTH = 2 ** (1 / 8)

let requests: readonly Request[] = []
let families: () => MetricFamily[]
let metrics: MetricsServer
let target: string

before(async () => {
  if (!existsSync(CORPORA)) return
  ({ families, requests } = await captureMetrics(folder))
  metrics = new MetricsServer({ host: '127.0.0.1', port: 0 }, () => families())
  target = await metrics.start()
})
after(async () => {
  await metrics?.stop()
  rmSync(folder, { recursive: true, force: true })
})

function of(side: Request['side']): readonly Request[] {
  return requests.filter(request => request.side === side)
}

function quantile(all: readonly Request[], share: number): number {
  const sorted = all.map(({ duration }) => duration).sort((a, b) => a - b)
  return sorted[Math.ceil(share * sorted.length) - 1] as number
}

/** Exemplars that Prometheus has of the server's side: trace ids and values. */
async function assertExemplars(server: Prometheus, series: string): Promise<void> {
  const now = Date.now() / 1000
  const found = await server.get<readonly { readonly exemplars: readonly { readonly labels: Record<string, string>, readonly value: string }[] }[]>(
    'query_exemplars', { query: series, start: String(now - 600), end: String(now + 600) })
  const exemplars = found.flatMap(one => one.exemplars)
  assert.ok(exemplars.length > 0)
  for (const { labels, value } of exemplars) assert.equal(labels['trace_id'], traceId(Math.round(Number(value) * 10_000) - 1))
}

test('Prometheus by OpenMetrics: counts, sums, buckets and exemplars are those of the records', async context => {
  if (!hasCorpora(context)) return
  const server = await Prometheus.start(join(folder, 'classic'), { targets: [target], features: ['exemplar-storage'] })
  try {
    await server.gives(`sum(${SERVER}_count)`, of('server').length)
    await server.gives('sum(http_client_request_duration_seconds_count)', of('client').length)
    const groups = byMethodAndStatus(of('server'))
    const counts = await server.query(`${BY} (${SERVER}_count)`)
    assert.deepEqual(countsOf(counts), new Map([...groups].map(([name, all]) => [name, all.length])))
    for (const { metric, value } of await server.query(`${BY} (${SERVER}_sum)`)) {
      const sum = (groups.get(groupName(metric)) as Request[]).reduce((total, { duration }) => total + duration, 0)
      assert.ok(Math.abs(Number(value?.[1]) - sum) < 1e-6, `${groupName(metric)}: ${value?.[1]}, ${sum}`)
    }
    for (const le of ['0.0005', '0.1', '1.0', '+Inf']) {
      const within = of('server').filter(({ duration }) => duration <= Number(le.replace('+Inf', 'Infinity')))
      assert.equal(await server.number(`sum(${SERVER}_bucket{le="${le}"})`), within.length, le)
    }
    assert.equal(await server.number('sum(lintel_request_metrics_left_out_total{reason="no_duration"}) > bool 0'), 1)
    assert.equal(await server.number('sum(lintel_records_total) == bool scalar(sum(lintel_records_seen_total))'), 1)
    assert.equal(await server.number('lintel_build_info'), 1)
    await assertExemplars(server, `${SERVER}_bucket`)
    context.diagnostic(`${requests.length} requests, ${groups.size} methods with statuses`)
  } finally {
    await server.stop()
  }
})

test('Prometheus by protobuf: native histograms have counts, sums and quantiles of the records; exemplars', async context => {
  if (!hasCorpora(context)) return
  const server = await Prometheus.start(join(folder, 'native'), { targets: [target], features: ['native-histograms', 'exemplar-storage'] })
  try {
    await server.gives(`histogram_count(sum(${SERVER}))`, of('server').length)
    await server.gives('histogram_count(sum(http_client_request_duration_seconds))', of('client').length)
    const groups = byMethodAndStatus(of('server'))
    const found = await server.query(`${BY} (${SERVER})`)
    assert.equal(found.length, groups.size)
    for (const { metric, histogram } of found) {
      const all = groups.get(groupName(metric)) as Request[]
      assert.equal(Number(histogram?.[1].count), all.length)
      assert.ok(Math.abs(Number(histogram?.[1].sum) - all.reduce((total, { duration }) => total + duration, 0)) < 1e-6)
    }
    for (const share of [0.1, 0.5, 0.9, 0.99]) {
      const [there, wanted] = [await server.number(`histogram_quantile(${share}, sum(${SERVER}))`), quantile(of('server'), share)]
      assert.ok(there <= wanted * NATIVE_GROWTH && there >= wanted / NATIVE_GROWTH, `${share}: ${there}, ${wanted}`)
    }
    assert.deepEqual(await server.query(`${SERVER}_count`), [], 'scraped as one native histogram')
    assert.equal(await server.number('lintel_build_info'), 1)
    await assertExemplars(server, SERVER)
  } finally {
    await server.stop()
  }
})
