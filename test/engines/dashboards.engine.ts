/** A real Prometheus scrapes a running page of metrics, and answers every expression of the dashboard in deploy/grafana with numbers. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { MetricFamily } from '../../lib/prometheus/mod.ts'
import { Agent } from '../../src/agent.ts'
import { configSchema, type Config } from '../../src/config.ts'
import { agentFamilies } from '../../src/exposition.ts'
import { MetricsServer } from '../../src/metrics.ts'
import { RequestMetrics, RequestMetricsSink } from '../../src/sink/mod.ts'
import { panelsOf } from '../../tools/dashboards/testing/deployed.ts'
import { CORPORA, hasCorpora, truthRows } from '../conformance/testing/corpora.ts'
import { batchesOf } from '../store/testing/stored.ts'
import { Prometheus } from './testing/prometheus-server.ts'
import { tracedLines } from './testing/request-records.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-dashboards-'))
/** What Grafana fills in; the span is some scrapes. */
const FILLED: readonly (readonly [string, string])[] = [['$__rate_interval', '60s'], ['$job', '.*'], ['$instance', '.*']]

const receiver = createServer((request, response) => { request.resume().on('end', () => response.writeHead(204).end()) })
let server: MetricsServer | undefined
let expressions: { title: string, query: string }[] = []

before(async () => {
  expressions = panelsOf('prometheus').flatMap(({ title, queries }) => queries.map(query => ({ title, query })))
  await new Promise<void>(resolve => { receiver.listen(0, '127.0.0.1', resolve) })
})
after(async () => {
  await server?.stop()
  receiver.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A replay of the captures into a spooling output; then the same requests go on, so that there are rates. */
async function runningFamilies(): Promise<() => MetricFamily[]> {
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  const outputs = [{ type: 'webhook', url, spool: { path: join(folder, 'spool') } }]
  const files = truthRows().filter(row => row.http_requests > 0).map(row => `${CORPORA}/${row.file}`)
  const config = { ...configSchema.parse({ outputs, workers: 1 }), files } as Config
  const metrics = new RequestMetrics(config.metrics.requests)
  const agent = new Agent(config, { log: () => {}, ended: () => {}, outputs: [host => new RequestMetricsSink(metrics, host)] })
  await agent.start()
  await agent.finished
  await agent.stop()
  return () => {
    for (const batch of batchesOf(tracedLines())) metrics.observe(batch)
    return [...agentFamilies(agent.stats(), { version: '0', cpuSeconds: 1, residentBytes: 1, startSeconds: 1 }), ...metrics.families()]
  }
}

function filled(query: string, side: string): string {
  return FILLED.reduce((text, [from, to]) => text.replaceAll(from, to), query).replaceAll('${side}', side)
}

async function assertAnswers(prometheus: Prometheus): Promise<void> {
  for (const side of ['server', 'client']) {
    await prometheus.gives(`count(count_over_time(lintel_build_info[60s]) >= 3)`, 1)
    for (const { title, query } of expressions) {
      const found = await prometheus.query(filled(query, side))
      const numbers = found.map(({ value }) => Number(value?.[1]))
      assert.ok(numbers.some(number => Number.isFinite(number)), `${title}, ${side}: ${filled(query, side)} gives ${JSON.stringify(found)}`)
    }
  }
}

test('every expression of the dashboard has an answer, of histograms classic and native', async context => {
  if (!hasCorpora(context)) return
  const families = await runningFamilies()
  server = new MetricsServer({ host: '127.0.0.1', port: 0 }, families)
  const target = await server.start()
  assert.ok(expressions.length > 20)
  for (const features of [[], ['native-histograms']]) {
    const prometheus = await Prometheus.start(join(folder, `prometheus-${features.length}`), { targets: [target], features })
    try {
      await assertAnswers(prometheus)
      const failing = filled(expressions.find(({ title }) => title === 'Server errors')?.query ?? '', 'server')
      assert.equal(await prometheus.number(failing), 0, 'the requests that go on have a status of 200')
    } finally {
      await prometheus.stop()
    }
  }
  context.diagnostic(`${expressions.length} expressions`)
})
