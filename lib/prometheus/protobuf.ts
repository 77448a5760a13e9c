import { ProtoWriter } from '../protobuf/mod.ts'
import type { Bucket, Exemplar, Histogram, Labels, MetricFamily } from './family.ts'
import { writeNative } from './native-fields.ts'

export const PROTOBUF_TYPE = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited'

/** https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto */
const TYPES = { counter: 0, gauge: 1, histogram: 4 } as const
const NUMBER_FIELD = { counter: 3, gauge: 2 } as const

/** The protobuf format: histograms with their exponential buckets too. */
export function protobufFormat(families: readonly MetricFamily[]): Buffer {
  const all = new ProtoWriter()
  for (const family of families) {
    if ((family.type === 'histogram' ? family.histograms : family.samples).length === 0) continue // a scraper may take it for a fault
    const one = new ProtoWriter()
    one.text(1, family.name)
    one.text(2, family.help)
    one.uint(3, TYPES[family.type])
    if (family.type === 'histogram') for (const histogram of family.histograms) one.message(4, metric => { writeHistogram(metric, histogram) })
    else {
      for (const { labels, value } of family.samples) {
        one.message(4, metric => {
          writeLabels(metric, labels)
          metric.message(NUMBER_FIELD[family.type], inner => { inner.double(1, value) })
        })
      }
    }
    all.delimited(one.bytes)
  }
  return all.bytes
}

function writeHistogram(metric: ProtoWriter, { labels, count, sum, buckets, native }: Histogram): void {
  writeLabels(metric, labels)
  metric.message(7, histogram => {
    histogram.uint(1, count)
    histogram.double(2, sum)
    for (const bucket of buckets) histogram.message(3, inner => { writeBucket(inner, bucket) })
    writeNative(histogram, native, 5, 12)
  })
}

function writeBucket(bucket: ProtoWriter, { cumulative, upper, exemplar }: Bucket): void {
  bucket.uint(1, cumulative)
  bucket.double(2, upper)
  if (exemplar !== undefined) bucket.message(3, inner => { writeExemplar(inner, exemplar) })
}

function writeExemplar(writer: ProtoWriter, { labels, value, timeMs }: Exemplar): void {
  writeLabels(writer, labels)
  writer.double(2, value)
  writer.message(3, time => {
    time.int(1, Math.floor(timeMs / 1000))
    time.int(2, Math.floor(timeMs % 1000) * 1e6)
  })
}

function writeLabels(writer: ProtoWriter, labels: Labels): void {
  for (const [name, value] of labels) {
    writer.message(1, pair => {
      pair.text(1, name)
      pair.text(2, value)
    })
  }
}
