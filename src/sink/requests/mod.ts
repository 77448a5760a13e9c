/**
 * requests: metrics of requests, out of the records.
 *
 * In    `SafeBatch`, as every output gets them.
 * Out   families of histograms and counters, whenever they are asked for.
 * Limits values of a label (100), sets of labels (configured); what is beyond them counts as `other`, and is counted.
 *
 * @module
 */
export type { RequestLabel } from './request-labels.ts'
export { instrumentOf } from './request-histograms.ts'
export type { RequestHistograms } from './request-histograms.ts'
export { RequestMetrics } from './request-metrics.ts'
export type { RequestMetricsOptions } from './request-metrics.ts'
export { requestMetricsOptions } from './request-options.ts'
export { RequestMetricsSink } from './request-metrics-sink.ts'
