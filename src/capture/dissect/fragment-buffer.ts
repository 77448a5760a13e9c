import type { ByteMemory } from '../../../lib/bytes/mod.ts'

/** One bit for each 8 bytes of the largest datagram. */
const BITMAP_BYTES = 1024
const CAPACITY_MIN = 4096
const CAPACITY_MAX = 65536

/**
 * Bytes of incomplete datagrams in the shared memory: a bitmap of what is there, then the data, one block a
 * slot.
 */
export class FragmentBuffers {
  /**
   * What the last `copy` met, in blocks of 8 bytes: new ones, ones that were there, ones that were there
   * otherwise.
   */
  added = 0
  repeated = 0
  conflicts = 0

  readonly #memory: ByteMemory
  readonly #pointers: Int32Array
  readonly #capacities: Int32Array
  readonly #blocks: Int32Array
  /** Taken and not yet given back: pointer, then capacity. */
  readonly #taken: number[] = []
  #heldBytes = 0

  constructor(memory: ByteMemory, slots: number) {
    this.#memory = memory
    this.#pointers = new Int32Array(slots)
    this.#capacities = new Int32Array(slots)
    this.#blocks = new Int32Array(slots)
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Blocks of 8 bytes that are there. */
  blocks(slot: number): number {
    return this.#blocks[slot]!
  }

  /** Bytes that `ensure` would take. */
  growth(slot: number, bytes: number): number {
    const capacity = this.#capacities[slot]!
    if (bytes <= capacity) return 0
    return capacityFor(bytes) - capacity + (capacity === 0 ? BITMAP_BYTES : 0)
  }

  /** Room for `bytes` (at most 65,535); false when the memory has none. */
  ensure(slot: number, bytes: number): boolean {
    const before = this.#capacities[slot]!
    if (bytes <= before) return true
    const capacity = capacityFor(bytes)
    const { allocator, u8 } = this.#memory
    const pointer = allocator.alloc(BITMAP_BYTES + capacity)
    if (pointer === 0) return false
    const old = this.#pointers[slot]!
    if (before > 0) {
      u8.copyWithin(pointer, old, old + BITMAP_BYTES + before)
      this.#give(old, before)
    } else {
      u8.fill(0, pointer, pointer + BITMAP_BYTES)
      this.#blocks[slot] = 0
    }
    this.#pointers[slot] = pointer
    this.#capacities[slot] = capacity
    this.#heldBytes += BITMAP_BYTES + capacity
    return true
  }

  /**
   * Puts `length` bytes from `from` at `offset` (a multiple of 8), without touching what is there already.
   */
  copy(slot: number, offset: number, from: number, length: number): void {
    const { u8 } = this.#memory
    const bitmap = this.#pointers[slot]!
    const data = bitmap + BITMAP_BYTES
    this.added = 0
    this.repeated = 0
    this.conflicts = 0
    for (let done = 0; done < length; done += 8) {
      const block = (offset + done) >> 3
      const mask = 1 << (block & 7)
      const count = Math.min(8, length - done)
      const to = data + block * 8
      if ((u8[bitmap + (block >> 3)]! & mask) !== 0) {
        this.repeated++
        if (differ(u8, to, from + done, count)) this.conflicts++
        continue
      }
      for (let i = 0; i < count; i++) u8[to + i] = u8[from + done + i]!
      u8[bitmap + (block >> 3)]! |= mask
      this.added++
    }
    this.#blocks[slot]! += this.added
  }

  /** The slot's data; its memory stays until `release`. */
  take(slot: number): number {
    const pointer = this.#pointers[slot]!
    this.#taken.push(pointer, this.#capacities[slot]!)
    this.#capacities[slot] = 0
    return pointer + BITMAP_BYTES
  }

  release(): void {
    while (this.#taken.length > 0) {
      const capacity = this.#taken.pop()!
      this.#give(this.#taken.pop()!, capacity)
    }
  }

  drop(slot: number): void {
    const capacity = this.#capacities[slot]!
    if (capacity === 0) return
    this.#give(this.#pointers[slot]!, capacity)
    this.#capacities[slot] = 0
  }

  #give(pointer: number, capacity: number): void {
    this.#memory.allocator.free(pointer, BITMAP_BYTES + capacity)
    this.#heldBytes -= BITMAP_BYTES + capacity
  }
}

function capacityFor(bytes: number): number {
  let capacity = CAPACITY_MIN
  while (capacity < bytes && capacity < CAPACITY_MAX) capacity *= 2
  return capacity
}

function differ(u8: Uint8Array, first: number, second: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (u8[first + i] !== u8[second + i]) return true
  return false
}
