/** Metrics of captures' and a live run's requests, by remote write into a real Prometheus that is stopped and started midway, asked by PromQL. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { openOutput, until } from '../../src/sink/exporters/exporter.suite.ts'
import { RecordingHost } from '../../src/sink/sink.suite.ts'
import { hasCorpora } from '../conformance/testing/corpora.ts'
import { batchesOf } from '../store/testing/stored.ts'
import { Prometheus } from './testing/prometheus-server.ts'
import { REAL_EXCHANGES, realExchanges } from './testing/real-exchanges.ts'
import { byMethodAndStatus, captureMetrics, countsOf, type Request, requestsOf, tracedLines } from './testing/request-records.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-prometheus-write-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const SERVER = 'http_server_request_duration_seconds'

interface Run {
  readonly lines: readonly string[]
  readonly requests: readonly Request[]
}

async function capturedRun(context: TestContext): Promise<Run | undefined> {
  if (!hasCorpora(context)) return undefined
  const { requests } = await captureMetrics(folder)
  return { lines: [...readFileSync(join(folder, 'records.ndjson'), 'utf8').trimEnd().split('\n'), ...tracedLines()], requests }
}

async function liveRun(): Promise<Run> {
  const lines = await realExchanges()
  return { lines, requests: requestsOf(lines) }
}

async function roundTrip({ lines, requests }: Run, context: TestContext): Promise<void> {
  const exchanges = lines.filter(line => line.startsWith('{"kind":"exchange"'))
  const features = ['native-histograms', 'exemplar-storage']
  const server = await Prometheus.start(join(folder, `prometheus-${requests.length}`), { features, isReceiver: true })
  const host = new RecordingHost()
  const sink = openOutput({
    type: 'prometheus_remote_write', url: `${server.url}/api/v1/write`, labels: { instance: 'gw-1' }, interval: '200ms', histograms: 'both',
    retry: { max_wait: '100ms' },
  }, host)
  try {
    const batches = batchesOf(exchanges, 200)
    const middle = Math.floor(batches.length / 2)
    for (const batch of batches.slice(0, middle)) sink.write(batch)
    await until('some are there', () => sink.health().writtenRecords > 0, host)
    await server.stop()
    for (const batch of batches.slice(middle)) sink.write(batch)
    await until('it is told', () => sink.health().lastError !== undefined, host)
    await server.run()
    const wanted = requests.filter(({ side }) => side === 'server')
    await server.gives(`sum(${SERVER}_count{job="lintel",instance="gw-1"})`, wanted.length)
    await server.gives(`histogram_count(sum(${SERVER}))`, wanted.length)
    await server.gives('sum(http_client_request_duration_seconds_count) or vector(0)', requests.length - wanted.length)
    const groups = byMethodAndStatus(wanted)
    const found = await server.query(`sum by (http_request_method, http_response_status_code) (${SERVER}_count)`)
    assert.deepEqual(countsOf(found), new Map([...groups].map(([name, all]) => [name, all.length])))
    assert.equal(await server.number(`sum(${SERVER}_bucket{le="0.1"})`), wanted.filter(({ duration }) => duration <= 0.1).length)
    const metadata = await server.get<Readonly<Record<string, unknown>>>('metadata', { metric: SERVER })
    context.diagnostic(`${requests.length} requests; ${JSON.stringify(metadata)}`)
  } finally {
    await sink.close()
    await server.stop()
  }
  assert.equal(sink.health().droppedRecords.size, 0, host.logs.join('\n'))
}

for (const [name, run] of [['the captures', capturedRun], [`${REAL_EXCHANGES} real exchanges`, liveRun]] as const) {
  test(`Prometheus by remote write: ${name}: classic and native histograms have the counts of the records, also after it was away`, async context => {
    const found = await run(context)
    if (found !== undefined) await roundTrip(found, context)
  })
}
