import assert from 'node:assert/strict'
import type { Histogram, HistogramFamily, MetricFamily } from '../../../../lib/prometheus/mod.ts'
import type { SafeBatch } from '../../batch.ts'
import type { RequestMetrics, RequestMetricsOptions } from '../request-metrics.ts'
import { REQUEST_LABEL_NAMES } from '../request-labels.ts'

export const OPTIONS: RequestMetricsOptions = { labels: REQUEST_LABEL_NAMES, buckets: [0.0005, 0.001, 0.01, 1], sizes: false, series_max: 10_000 }

type Json = Readonly<Record<string, unknown>>

function member(record: Json, name: string): unknown {
  return name.split('.').reduce<unknown>((at, key) => (at as Json | undefined)?.[key], record)
}

/** In shared memory, as the worker's are. */
export function batchOf(lines: readonly string[]): SafeBatch {
  const kinds = lines.reduce((counts, line) => (line.startsWith('{"kind":"exchange"') ? counts[0]++ : counts[3]++, counts), [0, 0, 0, 0, 0, 0] as [number, number, number, number, number, number])
  const bytes = Buffer.from(`${lines.join('\n')}\n`)
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 16), 8, bytes.length)
  shared.set(bytes)
  return { bytes: shared, count: lines.length, kinds, outputs: 1 }
}

export function histograms(families: readonly MetricFamily[], side: string): readonly Histogram[] {
  return (families.find(({ name }) => name === `http_${side}_request_duration_seconds`) as HistogramFamily).histograms
}

export function counter(families: readonly MetricFamily[], name: string, label: string): number | undefined {
  const family = families.find(found => found.name === name)
  return family?.type === 'counter' ? family.samples.find(({ labels }) => labels[0]?.[1] === label)?.value : undefined
}

/** What the records say, by parsing them: durations by side and labels. */
function told(lines: readonly string[], labels: readonly string[]): { durations: Map<string, number[]>, open: number, noHttp: number, noDuration: number } {
  const durations = new Map<string, number[]>()
  let [open, noHttp, noDuration] = [0, 0, 0]
  for (const line of lines) {
    const record = JSON.parse(line) as Json
    if (record['kind'] !== 'exchange') continue
    if (member(record, 'event.name') === 'open') open++
    else if (record['http'] === undefined) noHttp++
    else if (record['duration'] === undefined) noDuration++
    else {
      const side = member(record, 'client.process') !== undefined && member(record, 'server.process') === undefined ? 'client' : 'server'
      const key = JSON.stringify([side, labels.map(name => [name.replaceAll('.', '_'), String(member(record, name) ?? '')]).filter(([, text]) => text !== '')])
      durations.set(key, [...durations.get(key) ?? [], record['duration'] as number])
    }
  }
  return { durations, open, noHttp, noDuration }
}

/** Compares with what the records say. @returns the requests that were counted */
export function assertEqual(metrics: RequestMetrics, lines: readonly string[], labels: readonly string[]): number {
  const families = metrics.families()
  const { durations, open, noHttp, noDuration } = told(lines, labels)
  let count = 0
  for (const side of ['server', 'client']) {
    for (const histogram of histograms(families, side)) {
      const key = JSON.stringify([side, histogram.labels])
      const wanted = durations.get(key) ?? assert.fail(`not in the records: ${key}`)
      durations.delete(key)
      count += wanted.length
      assert.equal(histogram.count, wanted.length)
      assert.ok(Math.abs(histogram.sum - wanted.reduce((sum, value) => sum + value, 0)) < 1e-6 * (1 + histogram.sum))
      assert.deepEqual(histogram.buckets.map(({ upper, cumulative }) => [upper, cumulative]),
        [...OPTIONS.buckets, Infinity].map(upper => [upper, wanted.filter(value => value <= upper).length]))
      const { zeroCount, zeroThreshold, offset, counts } = histogram.native
      assert.equal(zeroCount, wanted.filter(value => value <= zeroThreshold).length)
      Array.from(counts).forEach((found, index) => {
        // What is longer than the last bucket is counted there.
        const [below, upper] = [2 ** ((offset + index - 1) / 8), index === counts.length - 1 ? Infinity : 2 ** ((offset + index) / 8)]
        assert.equal(found, wanted.filter(value => value > zeroThreshold && value > below && value <= upper).length)
      })
    }
  }
  assert.deepEqual([...durations.keys()], [], 'all label sets of the records are there')
  const leftOut = ['open', 'no_http', 'no_duration'].map(reason => counter(families, 'lintel_request_metrics_left_out_total', reason))
  assert.deepEqual(leftOut, [open, noHttp, noDuration])
  return count
}
