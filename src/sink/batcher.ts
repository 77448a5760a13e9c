import type { ByteMemory } from '../../lib/bytes/mod.ts'
import type { JsonEncoder } from '../../lib/record/mod.ts'
import { FREE_BUFFERS_MAX } from './batch.ts'
import type { SafeBatch } from './batch.ts'

const REGION_BYTES = 4 * 1024 * 1024
const BATCH_BYTES = 1024 * 1024

export interface BatcherOptions {
  /** Bytes after which a batch is given on. */
  readonly batchBytes?: number
}

/**
 * Records → NDJSON lines → batches. Lines are encoded into shared memory and leave it in one copy per batch, in a buffer
 * that both threads see (a transferred one would count as garbage on each side, hundreds of megabytes a second) and that
 * comes back by `recycle` when every output has done with it.
 *
 * Bound: one line takes at most 4 MiB; a longer one is refused and the caller counts it.
 */
export class Batcher {
  readonly #encoder: JsonEncoder
  readonly #give: (batch: SafeBatch) => void
  readonly #region: number
  /** The shared memory as a Buffer, whose `copy` moves bytes three times as fast into a SharedArrayBuffer as `set` does. */
  readonly #all: Buffer
  readonly #batchBytes: number
  readonly #free: SharedArrayBuffer[] = []
  #used = 0
  #count = 0
  #outputs = 0
  readonly #kinds: [number, number, number, number, number, number] = [0, 0, 0, 0, 0, 0]

  constructor(memory: ByteMemory, encoder: JsonEncoder, give: (batch: SafeBatch) => void, options: BatcherOptions = {}) {
    this.#encoder = encoder
    this.#give = give
    this.#batchBytes = options.batchBytes ?? BATCH_BYTES
    this.#region = memory.reserve(REGION_BYTES)
    this.#all = Buffer.from(memory.u8.buffer)
  }

  /** Bytes that wait for `flush`. */
  get waitingBytes(): number {
    return this.#used
  }

  /**
   * Encodes one record.
   *
   * @param record  address of a RECORD (wasm/layout.ts) that stands behind the wall
   * @param kind    KIND_*
   * @param outputs bit n = output n gets it
   * @returns false when its line is longer than the region: nothing was kept
   */
  add(record: number, kind: number, outputs: number): boolean {
    if (outputs !== this.#outputs) {
      this.flush()
      this.#outputs = outputs
    }
    let length = this.#encode(record)
    if (length === 0 && this.#used > 0) {
      this.flush()
      length = this.#encode(record)
    }
    if (length === 0) return false
    this.#used += length
    this.#count++
    this.#kinds[kind - 1]!++
    if (this.#used >= this.#batchBytes) this.flush()
    return true
  }

  /** Gives on what waits. */
  flush(): void {
    if (this.#count === 0) return
    const bytes = this.#buffer(this.#used)
    this.#all.copy(bytes, 0, this.#region, this.#region + this.#used)
    const kinds = [...this.#kinds] as [number, number, number, number, number, number]
    const batch: SafeBatch = { bytes, count: this.#count, kinds, outputs: this.#outputs }
    this.#used = 0
    this.#count = 0
    this.#kinds.fill(0)
    this.#give(batch)
  }

  /** Takes a batch's buffer back for the next one. */
  recycle(buffer: SharedArrayBuffer): void {
    if (this.#free.length < FREE_BUFFERS_MAX) this.#free.push(buffer)
  }

  #encode(record: number): number {
    return this.#encoder.encode(record, this.#region + this.#used, REGION_BYTES - this.#used)
  }

  #buffer(bytes: number): Uint8Array {
    const free = this.#free.pop()
    if (free !== undefined && free.byteLength >= bytes) return new Uint8Array(free, 0, bytes)
    return new Uint8Array(new SharedArrayBuffer(Math.max(bytes, this.#batchBytes + 65536)), 0, bytes)
  }
}

