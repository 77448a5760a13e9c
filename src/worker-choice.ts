/**
 * How many workers share the connections of a live capture, or read the files of a replay.
 *
 * @module
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { COMPRESSION_MAGIC_BYTES, compressionOf } from '../lib/pcap/compression.ts' // not by mod.ts: this thread reads no capture
import type { Config } from './config.ts'

/** The main thread and the kernel's writing take the better part of a core: on two cores a second worker gains a seventh. */
const CORES_FOR_OTHERS = 1
/** Without a wish no more than these: each reads all of the file, or takes cores from the gateway. */
const WORKERS_MAX = 4
/** A live capture has one worker for so many cores: one keeps up with a gateway on those, and costs less than two. */
const CORES_OF_WORKER = 4
/** Below this a second thread costs more at its start than it saves. */
const PLAIN_BYTES_MIN = 64 * 1024 * 1024

export interface WorkerChoice {
  readonly count: number
  /** Why it is not what was asked for. */
  readonly notice?: string
}

type Wish = Pick<Config, 'files' | 'workers'> & { readonly capture: Pick<Config['capture'], 'mode' | 'transport' | 'tls'> }

/**
 * What can be read only once (standard input, a pipe) has one worker, and so has a live capture that reads TLS in the clear. Without a
 * wish, compressed files do too: each worker would inflate them.
 */
export function chooseWorkers({ files, workers, capture }: Wish, cores = availableParallelism()): WorkerChoice {
  if (files.length === 0) return chooseLive(capture, workers, cores)
  const sizes = files.map(plainBytes)
  const once = files.find((_, index) => sizes[index] === undefined)
  if (once !== undefined) return one(workers, `${once === '-' ? 'standard input' : JSON.stringify(once)} can be read only once`)
  if (workers !== undefined) return { count: workers }
  const isPlain = sizes.every((size) => size !== 0)
  const bytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
  const most = Math.max(1, Math.min(cores - CORES_FOR_OTHERS, WORKERS_MAX))
  return { count: isPlain && bytes >= PLAIN_BYTES_MIN ? most : 1 }
}

/** Each has a ring, which a connection belongs to by bits of its hash: a power of two. */
function chooseLive({ mode, transport, tls }: Wish['capture'], workers: number | undefined, cores: number): WorkerChoice {
  if (mode === 'metrics') return one(workers, 'the kernel counts, and there is nothing to share')
  if (tls.enabled) return one(workers, 'TLS in the clear is read by one, as its sessions may find their sockets late; see capture.tls.enabled')
  if (transport === 'perf') return one(workers, 'perf buffers have one reader')
  const wanted = workers ?? Math.max(1, Math.min(Math.floor(cores / CORES_OF_WORKER), WORKERS_MAX))
  const count = 2 ** Math.floor(Math.log2(wanted))
  return workers === undefined || workers === count ? { count }
    : { count, notice: `workers: ${workers} are ${count}: a live capture is shared by a power of two` }
}

function one(workers: number | undefined, reason: string): WorkerChoice {
  return workers === undefined || workers === 1 ? { count: 1 } : { count: 1, notice: `workers: ${workers} is left aside: ${reason}` }
}

/** Bytes of a capture file; 0 = it is compressed, or cannot be read; undefined = it can be read only once. */
function plainBytes(path: string): number | undefined {
  if (path === '-') return undefined
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return 0
  if (!found.isFile()) return undefined
  return isCompressed(path) ? 0 : found.size
}

/** By the first bytes: gzip, zstd. What cannot be opened is told by who reads it. */
function isCompressed(path: string): boolean {
  let file
  try {
    file = openSync(path, 'r')
  } catch {
    return true
  }
  try {
    const prefix = Buffer.alloc(COMPRESSION_MAGIC_BYTES)
    return compressionOf(prefix.subarray(0, readSync(file, prefix, 0, prefix.length, 0))) !== undefined
  } finally {
    closeSync(file)
  }
}
