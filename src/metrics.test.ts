import assert from 'node:assert/strict'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { textFormat } from '../lib/prometheus/mod.ts'
import { agentFamilies } from './exposition.ts'
import type { Stats } from './ledger.ts'
import { MetricsServer } from './metrics.ts'

const STATS: Stats = {
  uptimeMs: 1000,
  packets: { seen: 10, delivered: 7, notWanted: new Map([['port', 2]]), lost: new Map([['ring_full', 1]]), bytesDelivered: 900, bytesCut: 5 },
  tlsCalls: { seen: 1, delivered: 1, notWanted: new Map(), lost: new Map(), bytesDelivered: 3, bytesCut: 0 },
  tlsSessions: new Map([['opened', 2], ['not_wanted', 3], ['bytes_lost', 7]]),
  records: { seen: 5, logged: 3, filtered: 1, sampled: 0, dropped: new Map([['disk full', 1]]), queued: 0 },
  kinds: new Map([['exchange', 5]]), anomalies: new Map([['bare_lf', 2]]), connectionsOpen: 1, connectionsShare: 0.5, failures: 0,
  outputs: [{ name: 'file:/tmp/a "b"\\c\nd', queuedBytes: 9, queuedRecords: 1, writtenRecords: 3, writtenBytes: 300, droppedRecords: new Map([['disk full', 1]]), lastError: 'x' }, {
    name: 'webhook:a', queuedBytes: 0, queuedRecords: 0, writtenRecords: 9, writtenBytes: 900, droppedRecords: new Map(),
    delivery: {
      state: 'sending', spooled: 9, found: 3, sent: 5, retried: 4, refused: 1, dropped: new Map([['spool full', 2]]), waitingRecords: 4, waitingBytes: 400,
      lagSeconds: 1.5,
    },
  }],
}
const FIGURES = { version: '1.2.3', cpuSeconds: 0.5, residentBytes: 1000, startSeconds: 1_700_000_000 }

/** Samples by series; fails on a line that is no exposition format, a family without a type, or a series that is there twice. */
function parse(exposed: string): Map<string, number> {
  const samples = new Map<string, number>()
  const types = new Set<string>()
  assert.ok(exposed.endsWith('\n'))
  for (const line of exposed.slice(0, -1).split('\n')) {
    const type = /^# TYPE (\S+) (?:counter|gauge)$/.exec(line)
    if (type !== null) types.add(type[1] ?? '')
    if (line.startsWith('#')) continue
    const sample = /^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$/.exec(line)
    assert.ok(sample !== null, line)
    assert.ok(types.has(sample[1] ?? ''), line)
    const series = line.slice(0, line.lastIndexOf(' '))
    assert.ok(!samples.has(series), `twice: ${series}`)
    samples.set(series, Number(sample[3]))
  }
  return samples
}

test('the agent\'s figures are the text format, and its counters add up', () => {
  const samples = parse(textFormat(agentFamilies(STATS, FIGURES)))
  const sumOf = (family: string) => [...samples].filter(([series]) => series.startsWith(`${family}{`)).reduce((sum, [, value]) => sum + value, 0)
  assert.equal(sumOf('lintel_packets_total'), samples.get('lintel_packets_seen_total'))
  assert.equal(sumOf('lintel_records_total') + (samples.get('lintel_records_queued') ?? 0), sumOf('lintel_records_seen_total'))
  assert.equal(samples.get('lintel_records_total{outcome="dropped",reason="disk full"}'), 1)
  assert.equal(samples.get('lintel_connections_share'), 0.5)
  assert.equal(samples.get('lintel_tls_sessions_total{event="not_wanted"}'), 3)
  assert.equal(sumOf('lintel_tls_sessions_total'), 5)
  assert.equal(samples.get('lintel_tls_bytes_lost_total'), 7)
  assert.equal(samples.get('lintel_output_up{output="file:/tmp/a \\"b\\"\\\\c\\nd"}'), 0)
  const outcome = (name: string, reason = ''): number => samples.get(`lintel_delivery_records_total{output="webhook:a",outcome="${name}",reason="${reason}"}`) ?? NaN
  assert.equal(outcome('spooled') + outcome('found'), outcome('sent') + outcome('refused') + outcome('dropped', 'spool full') +
    (samples.get('lintel_delivery_waiting_records{output="webhook:a"}') ?? NaN))
  assert.equal(samples.get('lintel_delivery_lag_seconds{output="webhook:a"}'), 1.5)
  assert.equal(samples.get(`lintel_build_info{version="1.2.3",node="${process.versions.node}"}`), 1)
})

async function ask(port: number, path: string, headers: Record<string, string>, method = 'GET'): Promise<{ status: number | undefined, body: string }> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers, method, agent: false }, response => {
      text(response).then(body => resolve({ status: response.statusCode, body }), reject)
    }).on('error', reject).end()
  })
}

test('MetricsServer answers scrapes on loopback, refuses other hosts, paths and methods', async () => {
  const server = new MetricsServer({ host: '127.0.0.1', port: 0 }, () => [{ name: 'a', type: 'gauge', help: 'x', samples: [{ labels: [], value: 1 }] }])
  const address = await server.start()
  const port = Number(address.split(':')[1])
  try {
    assert.deepEqual(await ask(port, '/metrics', {}), { status: 200, body: '# HELP a x\n# TYPE a gauge\na 1\n' })
    assert.deepEqual(await ask(port, '/metrics?x=1', { host: `localhost:${port}` }), { status: 200, body: '# HELP a x\n# TYPE a gauge\na 1\n' })
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', '10.0.0.1']) {
      assert.equal((await ask(port, '/metrics', { host })).status, 403, host)
    }
    assert.equal((await ask(port, '/', {})).status, 404)
    assert.equal((await ask(port, '/metrics', {}, 'POST')).status, 405)
    await assert.rejects(new MetricsServer({ host: '127.0.0.1', port }, () => []).start(), /Cannot serve metrics on 127\.0\.0\.1:\d+: the port is in use.*--metrics off/)
  } finally {
    await server.stop()
  }
})
