import type { ByteMemory } from '../../lib/bytes/mod.ts'

/** Who sends byte by byte and then nothing shall cost no more. */
const BYTES_MIN = 64

/**
 * Bytes carried from one call to the next, contiguous in shared memory: a block that doubles up to its bound and is given
 * back as soon as it is empty.
 */
export class Carry {
  readonly #memory: ByteMemory
  readonly #bytesMax: number
  #pointer = 0
  #capacity = 0
  #length = 0

  /** `bytesMax` is the bound on what is held. */
  constructor(memory: ByteMemory, bytesMax: number) {
    this.#memory = memory
    this.#bytesMax = bytesMax
  }

  get pointer(): number {
    return this.#pointer
  }

  get length(): number {
    return this.#length
  }

  /** Bytes that may still be appended. */
  get room(): number {
    return this.#bytesMax - this.#length
  }

  /** Appends a copy of `length` bytes; false, with nothing changed, when that is over the bound or the memory refuses. */
  append(from: number, length: number): boolean {
    const needed = this.#length + length
    if (needed > this.#bytesMax) return false
    if (needed > this.#capacity && !this.#grow(needed)) return false
    this.#memory.u8.copyWithin(this.#pointer + this.#length, from, from + length)
    this.#length = needed
    return true
  }

  /** Takes `length` bytes off its front; at most all of them. */
  dropFront(length: number): void {
    this.#memory.u8.copyWithin(this.#pointer, this.#pointer + length, this.#pointer + this.#length)
    this.#length -= length
  }

  /** Empties it and gives its block back. */
  clear(): void {
    if (this.#capacity !== 0) this.#memory.allocator.free(this.#pointer, this.#capacity)
    this.#pointer = 0
    this.#capacity = 0
    this.#length = 0
  }

  #grow(needed: number): boolean {
    let capacity = Math.max(this.#capacity * 2, BYTES_MIN)
    while (capacity < needed) capacity *= 2
    // A bound that is no power of two still fits: the last step is cut to it.
    capacity = Math.min(capacity, Math.max(this.#bytesMax, BYTES_MIN))
    const block = this.#memory.allocator.alloc(capacity)
    if (block === 0) return false
    this.#memory.u8.copyWithin(block, this.#pointer, this.#pointer + this.#length)
    if (this.#capacity !== 0) this.#memory.allocator.free(this.#pointer, this.#capacity)
    this.#pointer = block
    this.#capacity = capacity
    return true
  }
}
