import { getHeapStatistics } from 'node:v8'
import { collectGarbage } from './garbage.ts'

const GROWTH_MIN_BYTES = 4 << 20
const APART_MS = 60_000
/** A collection that gives pages back holds the loop up for some 100 ms: at this rate that is nothing to the ring. */
const QUIET_BYTES_PER_SECOND = 4 << 20

/**
 * Collects what died in the old part of a worker's heap while little is to be done. V8 does so by itself, in tasks of the
 * event loop (its memory reducer); a worker that never returns to it would keep what died until the heap has doubled.
 */
export class HeapReducer {
  readonly #collect: () => void
  #heldAfter = 0
  #collectedAt = 0
  #lookedAt = 0
  #bytesBefore = 0

  /** @param collect a full collection */
  constructor(collect: () => void = () => { collectGarbage('last-resort') }) {
    this.#collect = collect
  }

  /** One look. `now` in milliseconds; `bytes` = what the worker has taken from its source so far. */
  look(now: number, bytes: number): void {
    const bytesPerSecond = (bytes - this.#bytesBefore) / (now - this.#lookedAt) * 1000
    this.#lookedAt = now
    this.#bytesBefore = bytes
    if (now - this.#collectedAt < APART_MS || bytesPerSecond > QUIET_BYTES_PER_SECOND) return
    const grown = heldBytes() - this.#heldAfter
    if (grown < GROWTH_MIN_BYTES) return
    this.#collect()
    this.#collectedAt = now
    this.#heldAfter = heldBytes()
  }
}

/** Of the heap, and of buffers that it holds: the shared memory's address space is among them, always the same. */
function heldBytes(): number {
  const { total_heap_size: heap, external_memory: external, malloced_memory: allocated } = getHeapStatistics()
  return heap + external + allocated
}
