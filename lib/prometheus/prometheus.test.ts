import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { MetricFamily } from './family.ts'
import { nativeIndex, openMetrics, protobufFormat, snappy, textFormat, writeRequest } from './mod.ts'
import { spansOf } from './native-buckets.ts'
import { negotiate } from './negotiate.ts'
import { double, fields, sint, unsnappy } from './testing/read-proto.ts'

const FAMILIES: readonly MetricFamily[] = [
  { name: 'a_total', type: 'counter', help: 'Say "a"\nor \\', samples: [{ labels: [['l', 'x"y\\z\n{,}=']], value: 3 }] },
  { name: 'b', type: 'gauge', help: 'B.', samples: [{ labels: [], value: -0.5 }] },
  {
    name: 'c_seconds', type: 'histogram', help: 'C.', histograms: [{
      labels: [['m', 'GET']], count: 3, sum: 7.5, buckets: [{ upper: 0.1, cumulative: 1 }, { upper: 1, cumulative: 2,
        exemplar: { labels: [['trace_id', 'ab']], value: 0.5, timeMs: 1_700_000_000_250 } }, { upper: Infinity, cumulative: 3 }],
      native: { schema: 3, zeroThreshold: 0.5, zeroCount: 1, offset: -2, counts: [0, 1, 0, 0, 5, 4, 0, 0, 0, 7] },
    }],
  },
]

test('the text format and OpenMetrics', () => {
  assert.equal(textFormat(FAMILIES), `# HELP a_total Say "a"\\nor \\\\
# TYPE a_total counter
a_total{l="x\\"y\\\\z\\n{,}="} 3
# HELP b B.
# TYPE b gauge
b -0.5
# HELP c_seconds C.
# TYPE c_seconds histogram
c_seconds_bucket{m="GET",le="0.1"} 1
c_seconds_bucket{m="GET",le="1"} 2
c_seconds_bucket{m="GET",le="+Inf"} 3
c_seconds_sum{m="GET"} 7.5
c_seconds_count{m="GET"} 3
`)
  assert.equal(openMetrics(FAMILIES), `# TYPE a counter
# HELP a Say \\"a\\"\\nor \\\\
a_total{l="x\\"y\\\\z\\n{,}="} 3
# TYPE b gauge
# HELP b B.
b -0.5
# TYPE c_seconds histogram
# HELP c_seconds C.
c_seconds_bucket{m="GET",le="0.1"} 1
c_seconds_bucket{m="GET",le="1.0"} 2 # {trace_id="ab"} 0.5 1700000000.25
c_seconds_bucket{m="GET",le="+Inf"} 3
c_seconds_sum{m="GET"} 7.5
c_seconds_count{m="GET"} 3
# EOF
`)
})

test('the protobuf format: classic and native buckets, exemplars, delimited messages', () => {
  const bytes = protobufFormat([...FAMILIES, { name: 'none_total', type: 'counter', help: 'None.', samples: [] }])
  const messages: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    let length = bytes[at++] as number
    if (length > 0x7f) length = (length & 0x7f) + (bytes[at++] as number) * 128
    messages.push(bytes.subarray(at, at += length))
  }
  assert.deepEqual(messages.map(message => [String(fields(message).get(1)?.[0]), fields(message).get(3)?.[0]]), [['a_total', 0n], ['b', 1n], ['c_seconds', 4n]])
  const histogram = fields(fields(fields(messages[2] as Buffer).get(4)?.[0] as Buffer).get(7)?.[0] as Buffer)
  assert.deepEqual([histogram.get(1)?.[0], double(histogram.get(2)?.[0]), sint(histogram.get(5)?.[0]), double(histogram.get(6)?.[0]), histogram.get(7)?.[0]], [3n, 7.5, 3, 0.5, 1n])
  const buckets = (histogram.get(3) as Buffer[]).map(fields)
  assert.deepEqual(buckets.map(bucket => [bucket.get(1)?.[0], double(bucket.get(2)?.[0])]), [[1n, 0.1], [2n, 1], [3n, Infinity]])
  const exemplar = fields(buckets[1]?.get(3)?.[0] as Buffer)
  assert.equal(double(exemplar.get(2)?.[0]), 0.5)
  assert.deepEqual([...fields(exemplar.get(3)?.[0] as Buffer).values()].flat(), [1_700_000_000n, 250_000_000n])
  assert.deepEqual((histogram.get(12) as Buffer[]).map(span => [sint(fields(span).get(1)?.[0]), fields(span).get(2)?.[0]]), [[-1, 5n], [3, 1n]])
})

test('spansOf() loses no bucket, whatever the gaps', () => {
  fc.assert(fc.property(fc.integer({ min: -200, max: 200 }), fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1e9 })), { maxLength: 60 }), (offset, counts) => {
    const { spans, deltas } = spansOf({ schema: 3, zeroThreshold: 0, zeroCount: 0, offset, counts })
    const found = new Map<number, number>()
    let [at, index, count] = [0, 0, 0]
    for (const span of spans) {
      assert.ok(span.length > 0 && (span === spans[0] || span.offset > 0))
      index += span.offset
      for (let left = span.length; left > 0; left--) found.set(index++, count += deltas[at++] as number)
    }
    assert.equal(at, deltas.length)
    assert.deepEqual([...found].filter(([, value]) => value !== 0), counts.map((value, place) => [offset + place, value]).filter(([, value]) => value !== 0))
  }))
})

test('nativeIndex() is the least index whose bound is not below the value, on the bounds too', () => {
  const bound = (index: number): number => 2 ** (((index % 8) + 8) % 8 / 8) * 2 ** Math.floor(index / 8)
  for (let index = -240; index <= 240; index++) {
    assert.equal(nativeIndex(bound(index)), index)
    assert.equal(nativeIndex(bound(index) * (1 + Number.EPSILON)), index + 1)
    assert.equal(nativeIndex(bound(index) * (1 - Number.EPSILON)), index)
  }
})

test('negotiate() gives what a scraper would have', () => {
  const proto = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited'
  const cases: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'text'], ['', 'text'], ['*/*', 'text'], ['text/html,*/*;q=0.8', 'text'], ['application/json', 'text'],
    ['application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'openmetrics'],
    [`${proto},application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5`, 'protobuf'],
    [`application/openmetrics-text;version=1.0.0;q=0.5,${proto};q=0.6`, 'protobuf'], [`${proto};q=0,text/plain`, 'text'],
    ['application/vnd.google.protobuf;proto=other;encoding=delimited', 'text'], ['application/vnd.google.protobuf', 'text'],
    ['application/openmetrics-text', 'openmetrics'], ['application/openmetrics-text; version="1.0.0"; q=0.9', 'openmetrics'], ['application/openmetrics-text;version=2.0.0', 'text'],
    ['application/openmetrics-text;q=x', 'text'],
  ]
  for (const [accept, expected] of cases) assert.equal(negotiate(accept), expected, accept)
})

/** Series of a WriteRequest: labels to the message. */
function seriesOf(bytes: Buffer): Map<string, Map<number, (bigint | Buffer)[]>> {
  return new Map((fields(bytes).get(1) as Buffer[]).map(series => {
    const found = fields(series)
    const labels = (found.get(1) as Buffer[]).map(label => (fields(label).get(1)?.[0] as Buffer) + '=' + (fields(label).get(2)?.[0] as Buffer))
    assert.deepEqual(labels, labels.toSorted(), 'labels are sorted by name')
    return [labels.join(), found]
  }))
}

test('writeRequest(): classic, native and both; labels sorted, own ones first; metadata', () => {
  const options = { timeMs: 1_700_000_000_123, labels: [['job', 'lintel'], ['m', 'outer']] as const }
  const classic = writeRequest(FAMILIES, { ...options, histograms: 'classic' })
  const found = seriesOf(classic.bytes)
  assert.equal(classic.samples, 7)
  assert.deepEqual([...found.keys()], [
    '__name__=a_total,job=lintel,l=x"y\\z\n{,}=,m=outer', '__name__=b,job=lintel,m=outer', ...['0.1', '1', '+Inf'].map(le => `__name__=c_seconds_bucket,job=lintel,le=${le},m=GET`),
    '__name__=c_seconds_sum,job=lintel,m=GET', '__name__=c_seconds_count,job=lintel,m=GET',
  ])
  const sample = fields(found.get('__name__=c_seconds_sum,job=lintel,m=GET')?.get(2)?.[0] as Buffer)
  assert.deepEqual([double(sample.get(1)?.[0]), sample.get(2)?.[0]], [7.5, 1_700_000_000_123n])
  const exemplar = fields(found.get('__name__=c_seconds_bucket,job=lintel,le=1,m=GET')?.get(3)?.[0] as Buffer)
  assert.deepEqual([double(exemplar.get(2)?.[0]), exemplar.get(3)?.[0]], [0.5, 1_700_000_000_250n])
  assert.deepEqual((fields(classic.bytes).get(3) as Buffer[]).map(one => [fields(one).get(1)?.[0], String(fields(one).get(2)?.[0])]), [[1n, 'a_total'], [2n, 'b'], [3n, 'c_seconds']])

  const native = writeRequest(FAMILIES, { ...options, histograms: 'native' })
  const histogram = fields(seriesOf(native.bytes).get('__name__=c_seconds,job=lintel,m=GET')?.get(4)?.[0] as Buffer)
  assert.equal(native.samples, 3)
  assert.deepEqual([histogram.get(1)?.[0], double(histogram.get(3)?.[0]), sint(histogram.get(4)?.[0]), double(histogram.get(5)?.[0]), histogram.get(6)?.[0], histogram.get(15)?.[0]],
    [3n, 7.5, 3, 0.5, 1n, 1_700_000_000_123n])
  assert.deepEqual((histogram.get(11) as Buffer[]).map(span => [sint(fields(span).get(1)?.[0]), fields(span).get(2)?.[0]]), [[-1, 5n], [3, 1n]])
  assert.equal(writeRequest(FAMILIES, { ...options, histograms: 'both' }).samples, 8)
})

test('snappy() loses no byte, and makes metrics small', () => {
  const repeating = fc.array(fc.constantFrom('http_server_request', 'a', 'b', '_duration_seconds', '0123456789'.repeat(20)), { maxLength: 400 }).map(words => Buffer.from(words.join('')))
  const any = fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes))
  fc.assert(fc.property(fc.oneof(repeating, any), bytes => { assert.deepEqual(unsnappy(snappy(bytes)), bytes) }))
  const noise = Buffer.from(Array.from({ length: 200_000 }, (_, index) => Math.imul(index, 2654435761) >>> 13 & 0xff))
  for (const bytes of [noise, Buffer.alloc(200_000), Buffer.concat([noise, noise]), Buffer.alloc(0), Buffer.from(Array.from({ length: 50_000 }, (_, index) => `series_${index % 100}{}`).join())]) {
    assert.ok(unsnappy(snappy(bytes)).equals(bytes))
  }
  assert.ok(snappy(Buffer.from('http_server_request_duration_seconds_bucket'.repeat(100))).length < 300)
})
