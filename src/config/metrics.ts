import { z } from 'zod'
import { requestMetricsOptions } from '../sink/mod.ts'
import { loopbackSchema } from './network.ts'

export const metricsSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('Serve Prometheus metrics.'),
  address: loopbackSchema.prefault('127.0.0.1:9464').describe('Loopback address and port.'),
  requests: z.strictObject({
    enabled: z.boolean().default(false).describe('Serve metrics of the requests too.'),
    ...requestMetricsOptions,
  }).prefault({}).describe('Durations of requests as histograms, out of the records (docs/exporters.md).'),
})
