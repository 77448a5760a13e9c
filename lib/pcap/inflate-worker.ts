import { readSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { createGunzip, createZstdDecompress } from 'node:zlib'

import { CHANNEL_STATE, COMPRESSION, HEAD_BYTES, RING_BYTES, WORD } from './inflate-channel.ts'
import type { InflateJob } from './inflate-channel.ts'

/** Compressed bytes read at a time. */
const CHUNK_BYTES = 1 << 16
const RETRY_MILLISECONDS = 20

const job = workerData as InflateJob
const head = new Int32Array(job.channel, 0, HEAD_BYTES / 4)
const ring = new Uint8Array(job.channel, HEAD_BYTES, RING_BYTES)

inflate(job.prefix)

/** Feeds the stream; its own back-pressure keeps one chunk in flight. */
function inflate(first: Uint8Array): void {
  const options = { chunkSize: CHUNK_BYTES }
  const stream = job.compression === COMPRESSION.GZIP ? createGunzip(options) : createZstdDecompress(options)
  stream.on('data', (chunk: Uint8Array) => {
    if (!push(chunk)) process.exit(0)
  })
  let chunk = first
  let bytesBefore = 0
  stream.on('end', () => {
    // Node's zstd stream ends with the first frame that ends inside a chunk: another stream goes on behind
    // it.
    const taken = stream.bytesWritten - bytesBefore
    const more = job.compression === COMPRESSION.ZSTD && taken < chunk.length
    if (more) inflate(chunk.subarray(taken))
    else finish(CHANNEL_STATE.ENDED)
  })
  stream.on('error', () => finish(CHANNEL_STATE.DAMAGED))
  const feed = (): void => {
    bytesBefore = stream.bytesWritten
    stream.write(chunk, error => {
      // An error has its own event; what the stream did not take is for the next one.
      if (error || stream.bytesWritten - bytesBefore < chunk.length) return
      const next = readChunk()
      if (next === undefined) return finish(CHANNEL_STATE.READ_FAILED)
      chunk = next
      if (next.length > 0) return feed()
      bytesBefore = stream.bytesWritten
      stream.end()
    })
  }
  feed()
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
