import { z } from 'zod'
import { bytesSchema, durationSchema } from '../../../lib/units/mod.ts'
import { fieldsOption, type OutputFields } from '../sink-kind.ts'

const PATH = z.string({ error: 'must be a path' }).min(1, 'must not be empty').refine(path => !path.includes('\0'), 'must not contain NUL')

/** Keys of every output that sends over a network: its spool, batches, retries. */
export const deliveryOptions = {
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 letters, digits, ".", "_" or "-"').optional()
    .describe('Name in messages and metrics; none = the server\'s host.'),
  ...fieldsOption,
  spool: z.strictObject({
    path: PATH.describe('Folder of the spool; missing folders are made (0700). One output writes to it.'),
    max_bytes: bytesSchema({ min: '16MiB' }).prefault('1GiB')
      .describe('Bytes that may wait on disk; beyond them the oldest records are dropped, a sixteenth (16 MiB at most) at a time, and counted.'),
  }).describe('Where records wait on disk until the server has acknowledged them.'),
  batch: z.strictObject({
    records: z.int().min(1).max(100_000).default(2000).describe('Records sent at once at most.'),
    bytes: bytesSchema({ min: '1KiB', max: '64MiB' }).prefault('2MiB')
      .describe('Bytes of them at most, as NDJSON; a record that is longer is sent alone.'),
    age: durationSchema({ min: '0ms', max: '1h' }).prefault('1s').describe('A batch is sent when its first record has waited this long.'),
  }).prefault({}).describe('What is sent at once.'),
  retry: z.strictObject({
    max_wait: durationSchema({ min: '10ms', max: '1h' }).prefault('30s')
      .describe('Longest wait between two tries; waits double from 200ms and are random. Retry-After of the server is kept, up to 15m.'),
  }).prefault({}).describe('A batch is tried again until the server takes it, or refuses it for good.'),
  dead_letters: z.strictObject({
    path: PATH.optional()
      .describe('NDJSON file of the records that the server refused for good, each with the reason (0600); none = in the spool\'s folder.'),
    max_bytes: bytesSchema({ min: '4KiB' }).prefault('64MiB').describe('Bytes of it at most; what is refused beyond them is dropped and counted.'),
  }).prefault({}).describe('What the server refuses for good.'),
  drain: durationSchema({ min: '0ms', max: '1h' }).prefault('5s')
    .describe('How long a stop goes on sending; what is left then stays in the spool for the next start.'),
  queue_bytes: bytesSchema({ min: '1MiB', max: '4GiB' }).prefault('32MiB')
    .describe('Bytes that may wait in memory for the spool\'s disk; what comes then is dropped and counted.'),
}

/** The same, checked, defaults filled in. */
export interface DeliveryConfig {
  readonly name?: string | undefined
  readonly fields?: OutputFields | undefined
  readonly spool: { readonly path: string, readonly max_bytes: number }
  readonly batch: { readonly records: number, readonly bytes: number, readonly age: number }
  readonly retry: { readonly max_wait: number }
  readonly dead_letters: { readonly path?: string | undefined, readonly max_bytes: number }
  readonly drain: number
  readonly queue_bytes: number
}
