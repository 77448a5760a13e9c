import { z } from 'zod'
import { bytesSchema, durationSchema } from '../../lib/units/mod.ts'

/** Capture threads of a replay. */
export const workersSchema = z.int().min(1).max(16)

/** Bounds of what the agent holds; what a bound costs is counted under its name. */
export const limitsSchema = z.strictObject({
  memory: bytesSchema({ min: '16MiB', max: '240MiB' }).prefault('96MiB')
    .describe('Bytes of messages in flight, divided among the workers, 16MiB each at least; what comes then is dropped and counted.'),
  connections: z.int().min(16).max(1_000_000).default(65_536).describe('Connections followed at once, divided among the workers.'),
  connection_idle: durationSchema({ min: '1s', max: '24d' }).prefault('5m').describe('A connection without a packet for so long is given up.'),
}).prefault({}).describe('Bounds of what the agent holds; what a bound costs is counted.')
