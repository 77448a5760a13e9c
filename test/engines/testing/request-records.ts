import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Agent } from '../../../src/agent.ts'
import { configSchema, type Config } from '../../../src/config.ts'
import { agentFamilies } from '../../../src/exposition.ts'
import { RequestMetrics, RequestMetricsSink } from '../../../src/sink/mod.ts'
import type { MetricFamily } from '../../../lib/prometheus/mod.ts'
import { CORPORA, truthRows } from '../../conformance/testing/corpora.ts'
import { batchesOf } from '../../store/testing/stored.ts'
import type { Series } from './prometheus-server.ts'

export interface Request {
  readonly side: 'server' | 'client'
  readonly method: string
  readonly status: string
  readonly duration: number
}

const TRACES = 40

/** Of the exchange that took 0.1 ms times the number and one. */
export function traceId(index: number): string {
  return (index + 1).toString(16).padStart(32, '0')
}

/** Exchanges with traces, some of them of a client here; captures have none. */
export function tracedLines(): string[] {
  return Array.from({ length: TRACES }, (_, index) => JSON.stringify({
    kind: 'exchange', time: new Date(Date.now() - TRACES + index).toISOString().replace('Z', '000000Z'), duration: 0.0001 * (index + 1), event: { sequence: 1e6 + index },
    client: { address: '192.0.2.1', port: 4000, ...(index % 4 === 0 ? { process: { pid: 9 } } : {}) }, server: { address: '192.0.2.2', port: 80 }, network: { type: 'ipv4' },
    http: { request: { method: 'GET', header: { 'x-a': ['"response":{"status_code":500'] } }, response: { status_code: 200 } },
    trace: { id: traceId(index), source: 'traceparent', sampled: true },
  }))
}

/** A run of the agent over the captures with HTTP: its metrics, and the requests as its NDJSON tells of them. */
export async function captureMetrics(folder: string): Promise<{ families: () => MetricFamily[], requests: readonly Request[] }> {
  const path = join(folder, 'records.ndjson')
  const files = truthRows().filter(row => row.http_requests > 0).map(row => `${CORPORA}/${row.file}`)
  const config = { ...configSchema.parse({ outputs: [{ type: 'file', path }], workers: 1 }), files } as Config
  const metrics = new RequestMetrics(config.metrics.requests)
  const agent = new Agent(config, { log: () => {}, ended: () => {}, outputs: [host => new RequestMetricsSink(metrics, host)] })
  await agent.start()
  await agent.finished
  await agent.stop()
  for (const batch of batchesOf(tracedLines(), TRACES)) metrics.observe(batch)
  const lines = [...readFileSync(path, 'utf8').trimEnd().split('\n'), ...tracedLines()]
  const requests = requestsOf(lines)
  assert.ok(requests.length > 1000)
  const figures = { version: '0', cpuSeconds: 1, residentBytes: 1, startSeconds: 1 }
  return { families: () => [...agentFamilies(agent.stats(), figures), ...metrics.families()], requests }
}

/** The requests that NDJSON tells of. */
export function requestsOf(lines: readonly string[]): Request[] {
  return lines.flatMap((line): Request[] => {
    const record = JSON.parse(line) as {
      readonly kind: string, readonly duration?: number, readonly client?: { readonly process?: object }, readonly server?: { readonly process?: object },
      readonly http?: { readonly request?: { readonly method?: string }, readonly response?: { readonly status_code?: number } },
    }
    if (record.kind !== 'exchange' || record.duration === undefined || record.http === undefined) return []
    const side = record.client?.process !== undefined && record.server?.process === undefined ? 'client' : 'server'
    return [{ side, method: record.http.request?.method ?? '', status: String(record.http.response?.status_code ?? ''), duration: record.duration }]
  })
}

/** Requests by method and status, as PromQL's `sum by` names the groups. */
export function byMethodAndStatus(requests: readonly Request[]): Map<string, Request[]> {
  return Map.groupBy(requests, ({ method, status }) => `${method} ${status}`)
}

/** Groups of a query to their values. */
export function countsOf(found: readonly Series[]): Map<string, number> {
  return new Map(found.map(({ metric, value }) => [groupName(metric), Number(value?.[1])]))
}

export function groupName(metric: Readonly<Record<string, string>>): string {
  return `${metric['http_request_method'] ?? ''} ${metric['http_response_status_code'] ?? ''}`
}
