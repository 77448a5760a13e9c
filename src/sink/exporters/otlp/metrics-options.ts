import { hostname } from 'node:os'
import { z } from 'zod'
import { bytesSchema, durationSchema } from '../../../../lib/units/mod.ts'
import { requestMetricsOptions, type RequestMetricsOptions } from '../../requests/mod.ts'
import type { SinkHost } from '../../sink.ts'
import { MetricsPusher } from '../metrics-pusher.ts'
import type { Channel } from './channel.ts'
import { SERVICE } from './export-request.ts'
import { HISTOGRAM_FORMS, type HistogramForm, MetricsRequestMaker, TEMPORALITIES, type Temporality } from './metrics-request.ts'
import { MetricsTarget } from './metrics-target.ts'

/** Key `metrics` of an output of OTLP. */
export const metricsSchema = z.strictObject({
  interval: durationSchema({ min: '100ms', max: '1h' }).prefault('15s').describe('How often the metrics are pushed.'),
  temporality: z.enum(TEMPORALITIES).default('cumulative')
    .describe('cumulative = all since the start; delta = what came since the push before: what is dropped then is lost.'),
  histograms: z.enum(HISTOGRAM_FORMS).default('explicit').describe('By the fixed bounds, or exponential.'),
  requests: z.strictObject({
    ...requestMetricsOptions,
    labels: requestMetricsOptions.labels.default(['http.request.method', 'http.response.status_code', 'server.address', 'url.scheme']),
    sizes: requestMetricsOptions.sizes.default(true),
  }).prefault({}).describe('What is counted.'),
  queue_bytes: bytesSchema({ min: '64KiB', max: '1GiB' }).prefault('16MiB')
    .describe('Bytes of pushes that may wait in memory; beyond them the oldest go, counted.'),
}).prefault({}).describe('Of the signal metrics: http.server.request.duration, http.server.request.body.size and ' +
  'http.server.response.body.size, and the same of http.client.')

export interface OtlpMetricsOptions {
  readonly interval: number
  readonly temporality: Temporality
  readonly histograms: HistogramForm
  readonly requests: RequestMetricsOptions
  readonly queue_bytes: number
}

interface Around {
  readonly metrics: OtlpMetricsOptions
  readonly service_name?: string | undefined
  readonly resource: Readonly<Record<string, string>>
  readonly retry: { readonly max_wait: number }
  readonly drain: number
}

/** Two agents must not write one series, so each says which it is. */
export function metricsPusher({ metrics, service_name, resource, retry, drain }: Around, channel: Channel, host: SinkHost): MetricsPusher {
  const maker = new MetricsRequestMaker({
    ...metrics, startMs: Date.now(), resource: { 'service.instance.id': hostname(), ...resource, 'service.name': service_name ?? SERVICE },
  })
  const target = new MetricsTarget(channel, message => { host.log('warn', message) })
  return new MetricsPusher(target, { ...metrics, retry, drain }, (requests, timeMs) => maker.make(requests, timeMs),
    (level, message) => { host.log(level, message) })
}
