import type { ByteMemory } from '../../../lib/bytes/mod.ts'

/** Bytes that one session may hold back, its events included. */
const HELD_BYTES_MAX = 256 * 1024

interface Held { readonly pointer: number; readonly bytes: number }

/** First events of a session, kept until it is known whose they are. */
export class HeldEvents {
  readonly firstTime: number
  readonly #memory: ByteMemory
  readonly #events: Held[] = []
  #bytes = 0

  constructor(memory: ByteMemory, firstTime: number) {
    this.#memory = memory
    this.firstTime = firstTime
  }

  /** Keeps a copy. @returns false when the bound or the memory refuses it */
  add(event: number, bytes: number): boolean {
    if (this.#bytes + bytes > HELD_BYTES_MAX) return false
    const pointer = this.#memory.allocator.alloc(bytes)
    if (pointer === 0) return false
    this.#memory.u8.copyWithin(pointer, event, event + bytes)
    this.#events.push({ pointer, bytes })
    this.#bytes += bytes
    return true
  }

  /** Gives each event in order, then forgets it; `last` is the newest of them, valid during every call. */
  drain(take: (event: number, isFirst: boolean, last: number) => void): void {
    const last = this.#events.at(-1)
    if (last !== undefined) this.#events.forEach(({ pointer }, index) => { take(pointer, index === 0, last.pointer) })
    this.clear()
  }

  clear(): void {
    for (const { pointer, bytes } of this.#events) this.#memory.allocator.free(pointer, bytes)
    this.#events.length = 0
    this.#bytes = 0
  }
}
