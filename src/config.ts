import { z } from 'zod'
import { durationSchema } from '../lib/units/mod.ts'
import { captureSchema } from './config/capture.ts'
import { fieldsSchema, headersSchema, kindsSchema } from './config/choice.ts'
import { filterSchema } from './config/filter.ts'
import { limitsSchema, workersSchema } from './config/limits.ts'
import { metricsSchema } from './config/metrics.ts'
import { cidrSchema, PRIVATE_NETWORKS } from './config/network.ts'
import { outputsSchema } from './config/output.ts'
import { checkedPrivacySchema } from './config/privacy.ts'
import { storeSchema } from './config/store.ts'
import { webSchema } from './config/web.ts'

/**
 * The configuration as a whole: each stage's part put together. The config file, the command line's flags, the JSON Schema and
 * docs/configuration.md all come from this.
 */
export const configSchema = z.strictObject({
  capture: captureSchema.prefault({}),
  kinds: kindsSchema,
  fields: fieldsSchema,
  headers: headersSchema,
  privacy: checkedPrivacySchema.prefault({}).describe('What is hidden, hashed or made anonymous before anything is written.'),
  exchanges: z.strictObject({
    open_after: durationSchema({ min: '1ms', max: '24d' }).optional()
      .describe('An exchange that is not over after this time is logged as it is, with event.name open, and whole at its end; ' +
        'none = at its end only.'),
  }).prefault({}).describe('When exchanges are logged.'),
  trust: z.strictObject({
    proxies: z.array(cidrSchema).prefault([...PRIVATE_NETWORKS])
      .describe('Networks of proxies whose Forwarded, X-Forwarded-For and X-Real-IP headers, and PROXY headers, are believed; ' +
        'none (`[]`) = nobody\'s.'),
  }).prefault({}).describe('Whose word is taken for client.real_address.'),
  decoders: z.array(z.string().min(1, 'must not be empty')).max(16, 'must be 16 files at most').default([])
    .describe('Files of decoders of your own (docs/decoders.md); paths are taken from the folder that lintel is started in.'),
  filter: filterSchema.optional().describe('CEL expression; only records for which it is true are logged.'),
  outputs: outputsSchema,
  metrics: metricsSchema.prefault({}).describe('The agent\'s own figures, and those of the requests, for Prometheus.'),
  store: storeSchema.prefault({}).describe('Where questions go.'),
  web: webSchema.prefault({}).describe('The page: live records, and views over the first output of type store.'),
  stats: z.strictObject({
    interval: durationSchema({ min: '100ms', max: '24d' }).optional().describe('A line of counters on standard error every so often; none = never.'),
  }).prefault({}).describe('The agent\'s own figures, for people.'),
  workers: workersSchema.optional()
    .describe('Threads that share the connections, 1 to 16. Replay: none = a core less than there are, up to 4, where it pays (64 MiB and more, ' +
      'not compressed). Live: none = one for each four cores, up to 4; a power of two; one where TLS is read in the clear.'),
  limits: limitsSchema,
  data_directory: z.string().min(1, 'must not be empty').optional()
    .describe('Folder for what the agent keeps; none = /var/lib/lintel for root, else ~/.local/state/lintel.'),
})

/** Checked, defaults filled in; plain data, so that it can be sent to a worker. */
export type FileConfig = z.output<typeof configSchema>

export interface Config extends FileConfig {
  /** Capture files to replay; empty = live capture. */
  readonly files: readonly string[]
}

/** What an empty configuration means. */
export function defaultConfig(): Config {
  return { ...configSchema.parse({}), files: [] }
}
