/**
 * How many workers read the files of a replay.
 *
 * @module
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { COMPRESSION_MAGIC_BYTES, compressionOf } from '../lib/pcap/compression.ts' // not by mod.ts: this thread reads no capture
import type { Config } from './config.ts'

/** The main thread and the kernel's writing take the better part of a core: on two cores a second worker gains a seventh. */
const CORES_FOR_OTHERS = 1
/** Without a wish no more than these: each reads all of the file. */
const WORKERS_MAX = 4
/** Below this a second thread costs more at its start than it saves. */
const PLAIN_BYTES_MIN = 64 * 1024 * 1024

export interface WorkerChoice {
  readonly count: number
  /** Why it is not what was asked for. */
  readonly notice?: string
}

/**
 * A live capture, and what can be read only once (standard input, a pipe), has one worker. Without a wish, compressed files do too: each
 * worker would inflate them.
 */
export function chooseWorkers({ files, workers }: Pick<Config, 'files' | 'workers'>, cores = availableParallelism()): WorkerChoice {
  if (files.length === 0) return one(workers, 'a live capture has one')
  const sizes = files.map(plainBytes)
  const once = files.find((_, index) => sizes[index] === undefined)
  if (once !== undefined) return one(workers, `${once === '-' ? 'standard input' : JSON.stringify(once)} can be read only once`)
  if (workers !== undefined) return { count: workers }
  const isPlain = sizes.every((size) => size !== 0)
  const bytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
  const most = Math.max(1, Math.min(cores - CORES_FOR_OTHERS, WORKERS_MAX))
  return { count: isPlain && bytes >= PLAIN_BYTES_MIN ? most : 1 }
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
