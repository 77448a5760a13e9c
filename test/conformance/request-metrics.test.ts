/** Metrics of requests, against what the records of all captures say when they are parsed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REQUEST_LABEL_NAMES } from '../../src/sink/requests/request-labels.ts'
import { LABEL_VALUES_MAX, RequestMetrics } from '../../src/sink/requests/request-metrics.ts'
import { assertEqual, batchOf, OPTIONS } from '../../src/sink/requests/testing/told-requests.ts'
import { corpusLines } from '../store/testing/corpus-lines.ts'
import { hasCorpora } from './testing/corpora.ts'

test('request metrics are those of the records of all captures, by every label', async context => {
  if (!hasCorpora(context)) return
  const lines = await corpusLines()
  const labels = ['url.scheme', 'http.request.method', 'http.response.status_code'] as const
  const metrics = new RequestMetrics({ ...OPTIONS, labels })
  for (let at = 0; at < lines.length; at += 700) metrics.observe(batchOf(lines.slice(at, at + 700)))
  const count = assertEqual(metrics, lines, labels)
  assert.ok(count > 1000)
  const exchanges = lines.filter(line => line.startsWith('{"kind":"exchange"'))
  for (let at = 0; at < exchanges.length; at += LABEL_VALUES_MAX) { // so few have no more values than a label takes
    const all = new RequestMetrics(OPTIONS)
    all.observe(batchOf(exchanges.slice(at, at + LABEL_VALUES_MAX)))
    assertEqual(all, exchanges.slice(at, at + LABEL_VALUES_MAX), REQUEST_LABEL_NAMES)
  }
  context.diagnostic(`${count} requests`)
})
