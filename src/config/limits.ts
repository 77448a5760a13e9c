import { z } from 'zod'
import { bytesSchema, durationSchema } from '../../lib/units/mod.ts'

/** Capture threads. */
export const workersSchema = z.int().min(1).max(16)

/** Bounds of what the agent holds; what a bound costs is counted under its name. */
export const limitsSchema = z.strictObject({
  memory: bytesSchema({ min: '160MiB', max: '1TiB' }).optional()
    .describe('Resident memory of the agent. Close to it each new connection takes the place of the one that was quiet longest. '
      + 'Default: no bound.'),
  cpu: z.number().min(0.01).max(1024).optional()
    .describe('CPUs that the agent may use, e.g. 0.5. Above it, and when packets are lost as the ring is full, fewer connections are '
      + 'read. Default: no bound.'),
  cpu_pressure: z.number().min(1).max(100).optional()
    .describe('Percent of time in which some task of the host waits for a CPU (PSI, 10 s). Above it fewer connections are read. Default: no bound.'),
  overload: z.enum(['sample', 'lose']).default('sample')
    .describe('When the agent cannot keep up: read a share of the connections, whole ones, or lose packets as they come. Both are counted.'),
  messages: bytesSchema({ min: '16MiB', max: '240MiB' }).prefault('96MiB')
    .describe('Bytes of messages in flight, divided among the workers, 16MiB each at least; what comes then is dropped and counted.'),
  connections: z.int().min(16).max(1_000_000).default(65_536).describe('Connections followed at once, divided among the workers.'),
  connection_idle: durationSchema({ min: '1s', max: '24d' }).prefault('5m').describe('A connection without a packet for so long is given up.'),
}).prefault({}).describe('Bounds of what the agent holds; what a bound costs is counted.')
