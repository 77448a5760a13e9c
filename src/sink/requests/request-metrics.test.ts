import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOSTILE } from '../exporters/exporter.suite.ts'
import { RecordingHost } from '../sink.suite.ts'
import { REQUEST_LABEL_NAMES } from './request-labels.ts'
import { LABEL_VALUES_MAX, RequestMetrics } from './request-metrics.ts'
import { RequestMetricsSink } from './request-metrics-sink.ts'
import { assertEqual, batchOf, counter, histograms, OPTIONS } from './testing/told-requests.ts'

function exchange(more: { method?: string, address?: string, port?: number, domain?: string, duration?: number | undefined, client?: object, server?: object,
  header?: object, status?: number, trace?: object, event?: object }): string {
  const { method = 'GET', address = '10.0.0.1', port, domain, client = {}, server = {}, header = {}, status = 200, trace, event = { sequence: 1 } } = more
  return JSON.stringify({
    kind: 'exchange', time: '2026-11-22T14:13:03.123456789Z', duration: 'duration' in more ? more.duration : 0.002, event, client: { address: '192.0.2.1', port: 1, ...client },
    server: { address, port, ...server }, network: { type: 'ipv4' }, url: { scheme: 'http', domain, path: '/' },
    http: { request: { method, header }, response: { status_code: status, header } }, trace,
  })
}

/** Keys and values that look like what is searched for. */
const LOOKALIKES = {
  duration: ['9'], http: ['"http":{"request":{"method":"PUT"'], response: ['"response":{"status_code":500'], server: ['x","server":{"address":"6.6.6.6'], trace: ['{"id":"'],
  port: ['7'], process: ['{'], network: ['{'], domain: ['evil'], status_code: ['1'], event: ['{"name":"open"'], 'x-hostile': HOSTILE, 'x-end': ['\\'],
}

test('request metrics are not led astray by headers, methods, hosts and missing fields', () => {
  const process = { process: { pid: 1 } }
  const lines = [
    exchange({ header: LOOKALIKES }), exchange({ header: LOOKALIKES, status: 503, method: '_OTHER', domain: 'a"b\\c\n,{}=' }),
    exchange({ duration: undefined, header: LOOKALIKES }), exchange({ event: { name: 'open' }, header: LOOKALIKES }), exchange({ event: { name: 'reset' }, port: 80 }),
    exchange({ client: process }), exchange({ server: process, header: LOOKALIKES }), exchange({ client: process, server: process }), exchange({ client: process, header: LOOKALIKES, duration: 0 }),
    exchange({ duration: 3600 }), exchange({ duration: 1e9 }), exchange({ duration: 0.001 }), exchange({ duration: 0.000_000_001 }).replace('1e-9', '0.000000001'), exchange({ duration: 0.5 }), exchange({ duration: 0.25 }),
    '{"kind":"exchange","time":"2026-11-22T14:13:03.123456789Z","duration":1,"message":{"request":{"header":{"http":["{"]}}}}', '{"kind":"exchange"}',
    '{"kind":"anomaly","duration":1,"http":{"request":{"method":"GET"}}}', exchange({ status: 299 }),
  ]
  for (const labels of [REQUEST_LABEL_NAMES, ['http.request.method'] as const, []]) {
    const metrics = new RequestMetrics({ ...OPTIONS, labels })
    metrics.observe(batchOf(lines))
    metrics.observe(batchOf(lines.toReversed()))
    metrics.observe(batchOf(['{"kind":"anomaly"}']))
    assert.equal(assertEqual(metrics, [...lines, ...lines], labels), 2 * 14)
  }
})

test('values and sets of labels are bounded; what is beyond the bounds is other, and counted', () => {
  const labels = ['http.request.method', 'server.address', 'url.domain'] as const
  const metrics = new RequestMetrics({ ...OPTIONS, labels, series_max: 300 })
  const lines = Array.from({ length: 1000 }, (_, index) => exchange({ address: `10.0.0.${index % 200}`, domain: index === 7 ? 'x'.repeat(200) : 'other' }))
  metrics.observe(batchOf(lines))
  metrics.observe(batchOf(lines))
  const families = metrics.families()
  const found = histograms(families, 'server')
  assert.equal(found.length, LABEL_VALUES_MAX + 1)
  assert.equal(found.reduce((sum, { count }) => sum + count, 0), 2000)
  assert.equal(found.find(({ labels: [address] }) => address?.[1] === 'other')?.count, 1000)
  assert.equal(counter(families, 'lintel_request_metrics_other_total', 'server_address'), 1000)
  assert.equal(counter(families, 'lintel_request_metrics_other_total', 'url_domain'), 2)
  assert.equal(new Set(found.map(histogram => JSON.stringify(histogram.labels))).size, found.length, 'no series twice')

  const few = new RequestMetrics({ ...OPTIONS, labels, series_max: 10 })
  few.observe(batchOf(lines))
  const [folded] = histograms(few.families(), 'server').filter(histogram => histogram.labels.every(([, text]) => text === 'other'))
  assert.equal(histograms(few.families(), 'server').length, 9)
  assert.equal(folded?.count, 1000 - 8 * 5)
  assert.equal(counter(few.families(), 'lintel_request_metrics_other_total', 'all'), 1000 - 8 * 5)
})

test('exemplars: one for each bucket and reading, with trace id, value and time; none of traces that were not sampled', () => {
  const metrics = new RequestMetrics({ ...OPTIONS, labels: [] })
  const trace = (digit: string, more = {}) => ({ id: digit.repeat(32), source: 'traceparent', ...more })
  const exemplars = () => histograms(metrics.families(), 'server')[0]?.buckets.map(({ exemplar }) => exemplar?.labels[0]?.[1]?.[0])
  const lines = [
    exchange({ duration: 0.0001, trace: trace('1', { sampled: false }) }), exchange({ duration: 0.0002, trace: trace('2') }), exchange({ duration: 0.0003, trace: trace('3', { sampled: true }) }),
    exchange({ duration: 5, trace: { id: 'x'.repeat(32) } }), exchange({ duration: 6 }), exchange({ duration: 7, trace: trace('a') }),
  ]
  metrics.observe(batchOf(lines))
  assert.deepEqual(exemplars(), ['2', undefined, undefined, undefined, 'a'])
  metrics.observe(batchOf([exchange({ duration: 0.0004, trace: trace('b'), header: { sampled: ['false'] } })]))
  assert.deepEqual(exemplars(), ['b', undefined, undefined, undefined, 'a'])
  const exemplar = histograms(metrics.families(), 'server')[0]?.buckets[0]?.exemplar
  assert.deepEqual(exemplar, { labels: [['trace_id', 'b'.repeat(32)]], value: 0.0004, timeMs: Date.parse('2026-11-22T14:13:03.123Z') })
})

test('the sink settles each batch as kept by nobody, and has nothing to wait for', async () => {
  const metrics = new RequestMetrics({ ...OPTIONS, labels: [] })
  const host = new RecordingHost()
  const sink = new RequestMetricsSink(metrics, host)
  for (const count of [2, 1]) sink.write(batchOf(Array.from({ length: count }, () => exchange({}))))
  await sink.flush()
  await sink.close()
  assert.deepEqual(host.fates.map(({ batch, written, reason }) => [batch.count, written, reason]), [[2, 0, undefined], [1, 0, undefined]])
  assert.equal(histograms(metrics.families(), 'server')[0]?.count, 3)
})
