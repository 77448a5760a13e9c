import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side } from '../../connection/mod.ts'
import { Carry } from '../carry.ts'

const HEADER_BYTES = 2
/** The length has 15 bits; a hello has 9 bytes, its suites, and up to 48 of session and challenge. */
const HELLO_BYTES_MAX = 4096

/** True for bytes that may begin a hello in the form of SSL 2.0 (RFC 5246 E.2): at least 5 of them tell. */
export function mayBeSsl2Hello(bytes: Uint8Array, at: number, length: number): boolean {
  if (length < 5) return false
  const size = (bytes[at]! & 0x7f) * 0x100 + bytes[at + 1]!
  const version = bytes[at + 3]! * 0x100 + bytes[at + 4]!
  return (bytes[at]! & 0x80) !== 0 && size >= 12 && size <= HELLO_BYTES_MAX && bytes[at + 2] === 1 &&
    (version === 2 || (version >= 0x300 && version <= 0x303))
}

/** Collects the first message of a side when it has the form of SSL 2.0. */
export class Ssl2Start {
  readonly #memory: ByteMemory
  readonly #carry: Carry
  #side: Side | undefined
  #isOver = false
  #body: Uint8Array | undefined

  constructor(memory: ByteMemory) {
    this.#memory = memory
    this.#carry = new Carry(memory, HEADER_BYTES + HELLO_BYTES_MAX)
  }

  /** It has begun and is not over. */
  get isInside(): boolean {
    return this.#carry.length > 0
  }

  /** The message without its length; set by the call of `take` that completes it. */
  get body(): Uint8Array | undefined {
    return this.#body
  }

  /** Whether the bytes at hand belong to it. */
  isOpen(side: Side, isFirst: boolean, pointer: number, length: number): boolean {
    if (this.#isOver) return false
    if (this.#side !== undefined) return side === this.#side
    if (!isFirst || !mayBeSsl2Hello(this.#memory.u8, pointer, length)) return false
    this.#side = side
    return true
  }

  /** @returns bytes taken */
  take(pointer: number, length: number): number {
    const { u8 } = this.#memory
    const first = this.#carry.length > 0 ? this.#carry.pointer : pointer
    const size = HEADER_BYTES + (u8[first]! & 0x7f) * 0x100 + u8[first + 1]!
    const taken = Math.min(size - this.#carry.length, length)
    if (!this.#carry.append(pointer, taken)) {
      this.#isOver = true
      return taken
    }
    if (this.#carry.length === size) {
      this.#body = u8.slice(this.#carry.pointer + HEADER_BYTES, this.#carry.pointer + size)
      this.#isOver = true
      this.#carry.clear()
    }
    return taken
  }

  clear(): void {
    this.#isOver = true
    this.#carry.clear()
  }
}
