import { readSync } from 'node:fs'
import type { Transform } from 'node:stream'
import { workerData } from 'node:worker_threads'
import { constants, crc32, createInflateRaw, createZstdDecompress } from 'node:zlib'

import { readU32 } from './byte-order.ts'
import { GZIP_TRAILER_BYTES, gzipHeaderBytes } from './gzip-header.ts'
import { CHANNEL_STATE, COMPRESSION, HEAD_BYTES, RING_BYTES, WORD } from './inflate-channel.ts'
import type { InflateJob } from './inflate-channel.ts'

/** Compressed bytes read at a time. */
const CHUNK_BYTES = 1 << 16
const RETRY_MILLISECONDS = 20
/** Of a gzip member's header: its extra field has up to 64 KiB, its texts are names. */
const HEADER_BYTES_MAX = 1 << 18

const job = workerData as InflateJob
const head = new Int32Array(job.channel, 0, HEAD_BYTES / 4)
const ring = new Uint8Array(job.channel, HEAD_BYTES, RING_BYTES)

const options = { chunkSize: CHUNK_BYTES }

if (job.compression === COMPRESSION.GZIP) member(job.prefix)
else frame(job.prefix)

/** Node's zstd stream ends with the first frame that ends inside a chunk: another stream goes on behind it. */
function frame(first: Uint8Array): void {
  const over = (rest: Uint8Array): void => { rest.length > 0 ? frame(rest) : finish(CHANNEL_STATE.ENDED) }
  feed(createZstdDecompress(options), first, () => {}, over)
}

/**
 * One member of a gzip file, and those behind it. Header and trailer are read here, and not by node's own stream, which gives nothing of
 * the last 64 KiB when the file is cut, its check sum is wrong, or something else stands behind it.
 */
function member(first: Uint8Array): void {
  let bytes = first
  let header = gzipHeaderBytes(bytes)
  while (header === undefined && bytes.length < HEADER_BYTES_MAX) {
    const more = withNext(bytes)
    if (more === undefined) return
    bytes = more
    header = gzipHeaderBytes(bytes)
  }
  if (header === undefined || header < 0) return finish(CHANNEL_STATE.DAMAGED)
  let sum = 0
  const given = (chunk: Uint8Array): void => { sum = crc32(chunk, sum) }
  feed(createInflateRaw({ ...options, finishFlush: constants.Z_SYNC_FLUSH }), bytes.subarray(header), given, rest => { trailer(rest, sum) })
}

function trailer(first: Uint8Array, sum: number): void {
  let bytes = first
  while (bytes.length < GZIP_TRAILER_BYTES) {
    const more = withNext(bytes)
    if (more === undefined) return
    bytes = more
  }
  if (readU32(bytes, 0, false) !== sum) return finish(CHANNEL_STATE.DAMAGED)
  const rest = bytes.subarray(GZIP_TRAILER_BYTES)
  const behind = rest.length > 0 ? rest : readChunk()
  if (behind === undefined) finish(CHANNEL_STATE.READ_FAILED)
  // Zeros fill up the blocks of a tape.
  else if (behind.length === 0 || behind[0] === 0) finish(CHANNEL_STATE.ENDED)
  else member(behind)
}

/** `bytes` with what comes next of the file; undefined = nothing does, and that is told. */
function withNext(bytes: Uint8Array): Uint8Array | undefined {
  const next = readChunk()
  if (next !== undefined && next.length > 0) return Buffer.concat([bytes, next])
  finish(next === undefined ? CHANNEL_STATE.READ_FAILED : CHANNEL_STATE.DAMAGED)
  return undefined
}

/**
 * Gives `first` and what follows it to a stream, whose own back-pressure keeps one chunk in flight.
 *
 * @param over gets what of the last chunk the stream did not take
 */
function feed(stream: Transform & { readonly bytesWritten: number }, first: Uint8Array, given: (chunk: Uint8Array) => void,
  over: (rest: Uint8Array) => void): void {
  let chunk = first
  let bytesBefore = 0
  stream.on('data', (inflated: Uint8Array) => {
    given(inflated)
    if (!push(inflated)) process.exit(0)
  })
  stream.on('end', () => { over(chunk.subarray(stream.bytesWritten - bytesBefore)) })
  stream.on('error', () => finish(CHANNEL_STATE.DAMAGED))
  const next = (): void => {
    bytesBefore = stream.bytesWritten
    stream.write(chunk, error => {
      // An error has its own event; what the stream did not take is for the next one.
      if (error || stream.bytesWritten - bytesBefore < chunk.length) return
      const more = readChunk()
      if (more === undefined) return finish(CHANNEL_STATE.READ_FAILED)
      chunk = more
      if (more.length > 0) return next()
      bytesBefore = stream.bytesWritten
      stream.end()
    })
  }
  next()
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
