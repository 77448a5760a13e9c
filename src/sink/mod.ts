/**
 * sink: records behind the privacy wall → files, terminals, pipes.
 *
 * In    `SafeBatch`: whole NDJSON lines.
 * Out   each batch to each output that wants it; the fate of each record, once, in `Outlets.counts`.
 * Drops a batch that does not fit into an output's queue, as a whole, counted under the trouble's name.
 * Limits bytes queued per output (32 MiB unless configured), 30 outputs, 5 s to write what is left at the end.
 *
 * An output that is slow, full or broken never slows the capture or another output.
 *
 * @module
 */
export { Batcher } from './batcher.ts'
export { BATCH_KINDS } from './batch.ts'
export type { SafeBatch } from './batch.ts'
export { databaseSchema } from './exporters/clickhouse.ts'
export { compileFilter, FilterError } from './filter/mod.ts'
export type { Filter, FilterField, RecordReader } from './filter/mod.ts'
export { Outlets, OUTPUTS_MAX } from './outlets.ts'
export type { OutletCounts, OutletsHost } from './outlets.ts'
export { PrettySink } from './pretty.ts'
export { clean, cut, paintFor, plain, prettyLine } from './pretty-line.ts'
export type { Paint } from './pretty-line.ts'
export { openSink, parseOutput, SINK_KINDS } from './registry.ts'
export type { SinkOptions } from './registry.ts'
export { RequestMetrics, requestMetricsOptions, RequestMetricsSink } from './requests/mod.ts'
export type { RequestMetricsOptions } from './requests/mod.ts'
export type { OutputFields } from './sink-kind.ts'
export { LOG_LEVELS } from './sink.ts'
export type { DeliveryHealth, LogLevel, Sink, SinkHealth, SinkHost } from './sink.ts'
export { PageHandle } from './web/page-handle.ts'
export type { ClickServer, PageAccess, PageProcessOptions, PageShown, PageStore, Price, Prices } from './web/page-message.ts'
export { PAGE_SLOW, WebSink } from './web/web-sink.ts'
