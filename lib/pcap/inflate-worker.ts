import { readSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { createGunzip, createZstdDecompress } from 'node:zlib'

import { CHANNEL_STATE, COMPRESSION, HEAD_BYTES, RING_BYTES, WORD, type InflateJob } from './inflate-channel.ts'

/** Compressed bytes read at a time. */
const CHUNK_BYTES = 1 << 16
const RETRY_MILLISECONDS = 20

const job = workerData as InflateJob
const head = new Int32Array(job.channel, 0, HEAD_BYTES / 4)
const ring = new Uint8Array(job.channel, HEAD_BYTES, RING_BYTES)

inflate()

/** One member after another, gzip and zstd alike; the stream's own back-pressure keeps one chunk in flight. */
function inflate(): void {
  const options = { chunkSize: CHUNK_BYTES }
  const stream = job.compression === COMPRESSION.GZIP ? createGunzip(options) : createZstdDecompress(options)
  stream.on('data', (chunk: Uint8Array) => {
    if (!push(chunk)) process.exit(0)
  })
  stream.on('end', () => finish(CHANNEL_STATE.ENDED))
  stream.on('error', () => finish(CHANNEL_STATE.DAMAGED))
  const feed = (): void => {
    const chunk = readChunk()
    if (chunk === undefined) finish(CHANNEL_STATE.READ_FAILED)
    else if (chunk.length === 0) stream.end()
    else stream.write(chunk, feed)
  }
  if (job.prefix.length > 0) stream.write(job.prefix, feed)
  else feed()
}

function readChunk(): Uint8Array | undefined {
  const chunk = new Uint8Array(CHUNK_BYTES)
  for (;;) {
    try {
      return chunk.subarray(0, readSync(job.descriptor, chunk, 0, CHUNK_BYTES, null))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return undefined
      if (Atomics.load(head, WORD.STATE) === CHANNEL_STATE.CLOSED) process.exit(0)
      Atomics.wait(head, WORD.READER_TICK, Atomics.load(head, WORD.READER_TICK), RETRY_MILLISECONDS)
    }
  }
}

/** Copies `chunk` into the ring, waiting for room; false when the reader has gone. */
function push(chunk: Uint8Array): boolean {
  let done = 0
  while (done < chunk.length) {
    if (Atomics.load(head, WORD.STATE) === CHANNEL_STATE.CLOSED) return false
    const tick = Atomics.load(head, WORD.READER_TICK)
    const written = Atomics.load(head, WORD.WRITTEN)
    const room = RING_BYTES - ((written - Atomics.load(head, WORD.READ)) >>> 0)
    if (room === 0) {
      Atomics.wait(head, WORD.READER_TICK, tick, 1000)
      continue
    }
    const at = (written >>> 0) % RING_BYTES
    const count = Math.min(room, chunk.length - done, RING_BYTES - at)
    ring.set(chunk.subarray(done, done + count), at)
    done += count
    Atomics.store(head, WORD.WRITTEN, (written + count) | 0)
    wakeReader()
  }
  return true
}

function finish(state: CHANNEL_STATE): void {
  Atomics.compareExchange(head, WORD.STATE, CHANNEL_STATE.OPEN, state)
  wakeReader()
}

function wakeReader(): void {
  Atomics.add(head, WORD.WRITER_TICK, 1)
  Atomics.notify(head, WORD.WRITER_TICK)
}
