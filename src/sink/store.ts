import { resolve } from 'node:path'
import { z } from 'zod'
import { bytesSchema, durationSchema } from '../../lib/units/mod.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from './sink-kind.ts'
import { StoreSink } from './store/store-sink.ts'

const PATH = z.string({ error: 'must be a path' }).min(1, 'must not be empty').refine(path => !path.includes('\0'), 'must not contain NUL')

export const storeKind = {
  type: 'store',
  schema: z.strictObject({
    type: z.literal('store'),
    ...sharedOptions,
    path: PATH.describe('Folder of the store; missing folders are made (0700). One Lintel writes to it at a time.'),
    segment: z.strictObject({
      bytes: bytesSchema({ min: '4KiB', max: '1GiB' }).prefault('64MiB').describe('A segment is made of this much NDJSON at most.'),
      age: durationSchema({ min: '1s', max: '24h' }).prefault('60s').describe('A segment is made when its first record has waited this long.'),
    }).prefault({}).describe('When what was written is made into a segment; it can be queried before, too.'),
    keep: z.strictObject({
      age: durationSchema({ min: '1s', max: '3650d' }).prefault('30d').describe('Segments stored longer ago are removed.'),
      bytes: bytesSchema({ min: '64KiB' }).prefault('16GiB').describe('Bytes of all segments at most; the oldest go first, the newest stays.'),
    }).prefault({}).describe('What is kept.'),
    backlog_bytes: bytesSchema({ min: '1MiB' }).prefault('1GiB')
      .describe('NDJSON that may wait to be made into segments; beyond it what comes waits in the queue.'),
    queue_bytes: bytesSchema({ min: '1MiB', max: '4GiB' }).prefault('128MiB')
      .describe('Bytes that may wait in memory; what comes then is dropped and counted.'),
  }).describe('A store in a folder, Parquet compressed with zstd, read by "lintel query".'),
  short: rest => rest === '' ? undefined : { type: 'store', path: rest },
  open: (options, host) => new StoreSink({
    folder: resolve(options.path), journalBytes: options.segment.bytes, journalMs: options.segment.age,
    backlogBytes: options.backlog_bytes, keepMs: options.keep.age, keepBytes: options.keep.bytes, queueBytesMax: options.queue_bytes,
  }, host),
} satisfies SinkKind<StoreOptions>

interface StoreOptions extends SharedOptions {
  readonly type: 'store'
  readonly path: string
  readonly segment: { readonly bytes: number, readonly age: number }
  readonly keep: { readonly age: number, readonly bytes: number }
  readonly backlog_bytes: number
  readonly queue_bytes: number
}
