import { z } from 'zod'
import { REQUEST_LABEL_NAMES } from './request-labels.ts'

const BUCKETS_MAX = 32
/** Those of OpenTelemetry for http.server.request.duration, and three below them: a gateway answers in less than its 5 ms. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** Keys of everything that makes metrics of requests. */
export const requestMetricsOptions = {
  labels: z.array(z.enum(REQUEST_LABEL_NAMES)).refine(labels => new Set(labels).size === labels.length, 'must not have the same label twice')
    .default(['http.request.method', 'http.response.status_code', 'server.address'])
    .describe('Labels, by the fields that they are of; 100 values each, those beyond are `other`. url.domain is what clients say: choose it where ' +
      'they are known.'),
  buckets: z.array(z.number().positive('must be above 0')).min(1, 'must name one bound at least')
    .max(BUCKETS_MAX, `must be ${BUCKETS_MAX} bounds at most`)
    .refine(bounds => bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] as number)), 'must rise from bound to bound')
    .default(BUCKETS).describe('Upper bounds of the buckets in seconds; native histograms have their own.'),
  sizes: z.boolean().default(false).describe('Also count the sizes of bodies, of requests and of responses, as far as they are known; ' +
    'a set of labels then takes 12 KB.'),
  series_max: z.int().min(10).max(10_000).default(1000)
    .describe('Sets of labels that are told apart, some 4 KB each; in those beyond all labels are `other`.'),
}
