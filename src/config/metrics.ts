import { z } from 'zod'
import { durationSchema } from '../../lib/units/mod.ts'
import { requestMetricsOptions } from '../sink/mod.ts'
import { loopbackSchema } from './network.ts'

/** Names as TALLY_LABELS of src/capture/kernel has them, which is not loaded for a configuration. */
export const TALLY_LABEL_NAMES = ['client.address', 'url.domain', 'http.request.method', 'http.response.status_class', 'user_agent.class'] as const

const talliesSchema = z.strictObject({
  labels: z.array(z.enum(TALLY_LABEL_NAMES)).refine(labels => new Set(labels).size === labels.length, 'must not have the same label twice')
    .default([...TALLY_LABEL_NAMES])
    .describe('Labels. client.address and url.domain are as many as clients make them: leave them out where they are not known.'),
  interval: durationSchema({ min: '100ms', max: '1h' }).prefault('10s').describe('How often the kernel\'s counts are read.'),
  keys_max: z.int().min(1024).max(1_000_000).default(16_384)
    .describe('Sets of labels that the kernel holds at a time, some 200 bytes each and 32 more a CPU; what the quietest had counted since it was '
      + 'read is lost and counted as evicted.'),
  series_max: z.int().min(10).max(100_000).default(5000).describe('Sets of labels that are shown; in those beyond all labels are `other`.'),
}).prefault({}).describe('Requests and bytes as the kernel counts them, with capture.mode metrics.')

export const metricsSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('Serve Prometheus metrics.'),
  address: loopbackSchema.prefault('127.0.0.1:9464').describe('Loopback address and port.'),
  requests: z.strictObject({
    enabled: z.boolean().default(false).describe('Serve metrics of the requests too.'),
    ...requestMetricsOptions,
  }).prefault({}).describe('Durations of requests as histograms, out of the records (docs/exporters.md).'),
  tallies: talliesSchema,
})
