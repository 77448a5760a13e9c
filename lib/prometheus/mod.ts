/**
 * prometheus: metrics in the formats that Prometheus reads.
 *
 * In    families of counters, gauges and histograms, as plain data.
 * Out   the text format 0.0.4, OpenMetrics 1.0 with exemplars, protobuf with native histograms; which of them a scraper wants;
 *       requests of remote write 1.0.
 *
 * @module
 */
export type { Bucket, Exemplar, Histogram, HistogramFamily, Labels, MetricFamily, NativeBuckets, NumberFamily } from './family.ts'
export { nativeIndex, SCHEMA } from './native-buckets.ts'
export { negotiate } from './negotiate.ts'
export type { Format } from './negotiate.ts'
export { PROTOBUF_TYPE, protobufFormat } from './protobuf.ts'
export { writeRequest } from './remote-write.ts'
export type { HistogramForm, WriteOptions } from './remote-write.ts'
export { snappy } from './snappy.ts'
export { OPEN_METRICS_TYPE, openMetrics, TEXT_TYPE, textFormat } from './text.ts'
