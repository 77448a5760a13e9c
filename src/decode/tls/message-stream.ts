import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { Carry } from '../carry.ts'

/** A handshake message over this is left out; the longest are certificate chains. */
const MESSAGE_BYTES_MAX = 65_536
const HEADER_BYTES = 4

/** What the stream tells. */
export interface MessageStreamOwner {
  /** Nothing more is wanted. */
  readonly isDone: boolean
  /** A whole message; `body` is a view, valid during the call. */
  message(type: number, body: Uint8Array, time: number): void
  tooLong(type: number, time: number): void
  refused(time: number): void
}

/**
 * Handshake messages (RFC 8446 4) out of the fragments that records carry: several messages a record, one message over several.
 *
 * Bound: MESSAGE_BYTES_MAX held, in shared memory.
 */
export class MessageStream {
  readonly #owner: MessageStreamOwner
  readonly #memory: ByteMemory
  readonly #carry: Carry
  /** Bytes of a message left out that are still to come. */
  #leaving = 0

  constructor(owner: MessageStreamOwner, memory: ByteMemory) {
    this.#owner = owner
    this.#memory = memory
    this.#carry = new Carry(memory, MESSAGE_BYTES_MAX + HEADER_BYTES)
  }

  /** A message has begun and is not over. */
  get isInside(): boolean {
    return this.#carry.length > 0 || this.#leaving > 0
  }

  take(pointer: number, length: number, time: number): void {
    let at = pointer
    const end = pointer + length
    while (at < end && !this.#owner.isDone) {
      if (this.#leaving > 0) {
        const passed = Math.min(this.#leaving, end - at)
        this.#leaving -= passed
        at += passed
      } else if (this.#carry.length === 0) {
        at = this.#direct(at, end, time)
      } else {
        at = this.#carried(at, end, time)
      }
    }
  }

  clear(): void {
    this.#carry.clear()
    this.#leaving = 0
  }

  /** A message that begins at `at`: read in place when it is whole. */
  #direct(at: number, end: number, time: number): number {
    if (end - at >= HEADER_BYTES) {
      const size = this.#size(at)
      if (size > MESSAGE_BYTES_MAX) return this.#leave(at, size, time)
      if (end - at >= HEADER_BYTES + size) {
        this.#give(at, size, time)
        return at + HEADER_BYTES + size
      }
    }
    return this.#append(at, end - at, time)
  }

  #carried(at: number, end: number, time: number): number {
    const carry = this.#carry
    if (carry.length < HEADER_BYTES) return this.#append(at, Math.min(HEADER_BYTES - carry.length, end - at), time)
    const size = this.#size(carry.pointer)
    if (size > MESSAGE_BYTES_MAX) {
      this.#owner.tooLong(this.#memory.u8[carry.pointer]!, time)
      this.#leaving = size
      carry.clear()
      return at
    }
    const next = this.#append(at, Math.min(HEADER_BYTES + size - carry.length, end - at), time)
    if (carry.length === HEADER_BYTES + size) {
      this.#give(carry.pointer, size, time)
      carry.clear()
    }
    return next
  }

  #append(at: number, length: number, time: number): number {
    if (!this.#carry.append(at, length)) this.#owner.refused(time)
    // A message without body is whole with its header.
    else if (this.#carry.length === HEADER_BYTES && this.#size(this.#carry.pointer) === 0) {
      this.#give(this.#carry.pointer, 0, time)
      this.#carry.clear()
    }
    return at + length
  }

  #leave(at: number, size: number, time: number): number {
    this.#owner.tooLong(this.#memory.u8[at]!, time)
    this.#leaving = size
    return at + HEADER_BYTES
  }

  #size(at: number): number {
    const { u8 } = this.#memory
    return u8[at + 1]! * 0x10000 + u8[at + 2]! * 0x100 + u8[at + 3]!
  }

  #give(at: number, size: number, time: number): void {
    const { u8 } = this.#memory
    this.#owner.message(u8[at]!, u8.subarray(at + HEADER_BYTES, at + HEADER_BYTES + size), time)
  }
}
