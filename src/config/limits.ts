import { z } from 'zod'
import { bytesSchema, durationSchema } from '../../lib/units/mod.ts'

/** Bounds of what the agent holds; what a bound costs is counted under its name. */
export const limitsSchema = z.strictObject({
  memory: bytesSchema({ min: '16MiB', max: '240MiB' }).prefault('96MiB')
    .describe('Bytes of messages in flight, per worker; what comes then is dropped and counted.'),
  connections: z.int().min(16).max(1_000_000).default(65_536).describe('Connections followed at once, per worker.'),
  connection_idle: durationSchema({ min: '1s', max: '24d' }).prefault('5m').describe('A connection without a packet for so long is given up.'),
}).prefault({}).describe('Bounds of what the agent holds; what a bound costs is counted.')
