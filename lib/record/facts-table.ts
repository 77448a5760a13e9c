import type { ByteMemory } from '../bytes/mod.ts'
import * as L from '../../wasm/layout.ts'
import type { RecordWriter } from './record-writer.ts'

/** Bytes of the entries of one facts block at most. */
const FACTS_BYTES_MAX = 64 * 1024

/** A record in shared memory; `length` 0 = there is none. */
export interface RecordSpan {
  readonly pointer: number
  readonly length: number
}

export interface FactsTableOptions {
  readonly memory: ByteMemory
  readonly writer: RecordWriter
  /** The record behind the wall of a raw one; valid until the next call. */
  readonly protect: (raw: RecordSpan) => RecordSpan
  /** Facts blocks at once; one more is refused. */
  readonly countMax: number
}

/**
 * Facts blocks (wasm/layout.ts): what is known of a connection or an exchange beside its packets, written once and shown in
 * many records. Each is held raw, for records off the hot path, and behind the wall, for those that are copied together.
 *
 * Bound: `countMax` blocks, 64 KiB each, and the shared memory's limit; `refused` counts what these cost.
 */
export class FactsTable {
  readonly #options: FactsTableOptions
  readonly #scratch: number
  readonly #blocks = new Set<number>()
  #refused = 0

  constructor(options: FactsTableOptions) {
    this.#options = options
    this.#scratch = options.memory.reserve(FACTS_BYTES_MAX)
  }

  get size(): number {
    return this.#blocks.size
  }

  /** Facts that were not kept: the table was full, the memory refused, or they were too long. */
  get refused(): number {
    return this.#refused
  }

  /**
   * A block of what `write` writes: fields in ascending id, one contiguous range of ids.
   *
   * @returns its address with one reference, which the caller releases; 0 = refused, counted
   */
  add(write: (writer: RecordWriter) => void): number {
    const { memory, writer, countMax } = this.#options
    writer.begin(L.KIND_CONNECTION, this.#scratch, FACTS_BYTES_MAX)
    write(writer)
    const length = writer.end()
    const bytes = L.FACTS_RAW + length
    const block = length === 0 || this.#blocks.size >= countMax ? 0 : memory.allocator.alloc(bytes)
    if (block === 0) {
      this.#refused++
      return 0
    }
    memory.u32[(block + L.FACTS_BYTES) >>> 2] = bytes
    memory.u32[(block + L.FACTS_REFERENCES) >>> 2] = 1
    memory.u32[(block + L.FACTS_SAFE) >>> 2] = 0
    memory.u8.copyWithin(block + L.FACTS_RAW, this.#scratch, this.#scratch + length)
    this.#blocks.add(block)
    this.#protect(block)
    return block
  }

  retain(block: number): void {
    this.#options.memory.u32[(block + L.FACTS_REFERENCES) >>> 2]!++
  }

  /** Gives one reference back; the last one frees the block. */
  release(block: number): void {
    const { memory } = this.#options
    const at = (block + L.FACTS_REFERENCES) >>> 2
    if (--memory.u32[at]! > 0) return
    this.#blocks.delete(block)
    this.#dropSafe(block)
    memory.allocator.free(block, memory.u32[(block + L.FACTS_BYTES) >>> 2]!)
  }

  /** Releases what `count` pointers at `slots` hold, and empties them. */
  releaseSlots(slots: number, count: number): void {
    const { u32 } = this.#options.memory
    for (let slot = slots >>> 2; slot < (slots >>> 2) + count; slot++) {
      const block = u32[slot]!
      if (block === 0) continue
      u32[slot] = 0
      this.release(block)
    }
  }

  /** Puts `block` (0 = none) into the pointer at `slot`, which holds a reference from then on; what stood there is released. */
  setSlot(slot: number, block: number): void {
    const { u32 } = this.#options.memory
    if (block !== 0) this.retain(block)
    this.releaseSlots(slot, 1)
    u32[slot >>> 2] = block
  }

  /** The wall's rules have changed: every block is taken through it again. */
  protectAll(): void {
    for (const block of this.#blocks) this.#protect(block)
  }

  #protect(block: number): void {
    const { memory, protect } = this.#options
    this.#dropSafe(block)
    const raw = block + L.FACTS_RAW
    const safe = protect({ pointer: raw, length: memory.u32[(raw + L.RECORD_LENGTH) >>> 2]! })
    const copy = safe.length === 0 ? 0 : memory.allocator.alloc(safe.length)
    if (copy === 0) {
      this.#refused++
      return
    }
    memory.u8.copyWithin(copy, safe.pointer, safe.pointer + safe.length)
    memory.u32[(block + L.FACTS_SAFE) >>> 2] = copy
    memory.u32[(block + L.FACTS_SAFE_BYTES) >>> 2] = safe.length
  }

  #dropSafe(block: number): void {
    const { memory } = this.#options
    const safe = memory.u32[(block + L.FACTS_SAFE) >>> 2]!
    if (safe !== 0) memory.allocator.free(safe, memory.u32[(block + L.FACTS_SAFE_BYTES) >>> 2]!)
    memory.u32[(block + L.FACTS_SAFE) >>> 2] = 0
  }
}
