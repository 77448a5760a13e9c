/**
 * Bytes between the inflating thread and the reading one: a ring in shared memory, so that neither ever holds
 * more.
 */
export const RING_BYTES = 1 << 19

/** Words of the ring's head. */
export const WORD = {
  /** Bytes ever written, modulo 2^32. */
  WRITTEN: 0,
  /** Bytes ever read, modulo 2^32. */
  READ: 1,
  STATE: 2,
  /** Bumped by the writer after each change: what the reader waits on. */
  WRITER_TICK: 3,
  /** Bumped by the reader after each change: what the writer waits on. */
  READER_TICK: 4,
} as const
export const HEAD_BYTES = 64

export const CHANNEL_STATE = { OPEN: 0, ENDED: 1, DAMAGED: 2, READ_FAILED: 3, CLOSED: 4 } as const
export type CHANNEL_STATE = (typeof CHANNEL_STATE)[keyof typeof CHANNEL_STATE]

export const COMPRESSION = { GZIP: 'gzip', ZSTD: 'zstd' } as const
export type COMPRESSION = (typeof COMPRESSION)[keyof typeof COMPRESSION]

export interface InflateJob {
  channel: SharedArrayBuffer
  descriptor: number
  compression: COMPRESSION
  /** Compressed bytes that were read already, to find the magic number. */
  prefix: Uint8Array
}
