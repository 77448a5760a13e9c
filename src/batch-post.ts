// Not through mod.ts: neither thread needs more of the sinks here.
import { FREE_BUFFERS_MAX } from './sink/batch.ts'
import type { SafeBatch } from './sink/batch.ts'

/**
 * A batch between two threads. Its buffer goes over once and is spoken of by number after that: each time a shared buffer is
 * received V8 makes a new object that counts as all of its bytes, and collects the whole heap for what is no garbage, many
 * times a second under load.
 */
export interface PostedBatch extends Omit<SafeBatch, 'bytes'> {
  readonly slot: number
  /** Bytes of lines in the buffer. */
  readonly length: number
  /** The first time only. */
  readonly buffer?: SharedArrayBuffer
}

/** Every output has done with the buffer of a slot. */
export interface ReturnedBatch {
  readonly slot: number
  /** False = the other side has forgotten the slot; its buffer is free. */
  readonly isKept: boolean
}

/** The side that fills buffers. Bound: the batches on their way, and at most FREE_BUFFERS_MAX more. */
export class BatchPoster {
  readonly #buffers = new Map<number, SharedArrayBuffer>()
  readonly #slots = new Map<SharedArrayBuffer, number>()
  #next = 0

  /** Slots that both sides know, or that are on their way back. */
  get size(): number {
    return this.#buffers.size
  }

  /** `bytes` of the batch begins where its shared buffer begins. */
  post({ bytes, count, kinds, outputs }: SafeBatch): PostedBatch {
    const buffer = bytes.buffer as SharedArrayBuffer
    const known = this.#slots.get(buffer)
    const slot = known ?? this.#next++
    const posted = { slot, length: bytes.length, count, kinds, outputs }
    if (known !== undefined) return posted
    this.#slots.set(buffer, slot)
    this.#buffers.set(slot, buffer)
    return { ...posted, buffer }
  }

  /** @returns the buffer to fill again; undefined = it was let go */
  take({ slot, isKept }: ReturnedBatch): SharedArrayBuffer | undefined {
    const buffer = this.#buffers.get(slot)
    if (isKept || buffer === undefined) return buffer
    this.#buffers.delete(slot)
    this.#slots.delete(buffer)
    return undefined
  }
}

/** The side that reads buffers. Same bound. */
export class BatchReceiver {
  readonly #buffers = new Map<number, SharedArrayBuffer>()
  readonly #slots = new Map<SharedArrayBuffer, number>()

  receive({ slot, length, buffer, count, kinds, outputs }: PostedBatch): SafeBatch {
    if (buffer !== undefined) {
      this.#buffers.set(slot, buffer)
      this.#slots.set(buffer, slot)
    }
    const known = this.#buffers.get(slot)
    if (known === undefined) throw new Error(`Cannot read batch buffer ${slot}: it was never sent`)
    return { bytes: new Uint8Array(known, 0, length), count, kinds, outputs }
  }

  /** Whether the batch was received here. */
  has(batch: SafeBatch): boolean {
    return this.#slots.has(batch.bytes.buffer as SharedArrayBuffer)
  }

  /** Nobody reads the batch any more. */
  give(batch: SafeBatch): ReturnedBatch {
    const buffer = batch.bytes.buffer as SharedArrayBuffer
    const slot = this.#slots.get(buffer)
    if (slot === undefined) throw new Error('Cannot give a batch back: it was not received here')
    const isKept = this.#buffers.size <= FREE_BUFFERS_MAX
    if (!isKept) {
      this.#buffers.delete(slot)
      this.#slots.delete(buffer)
    }
    return { slot, isKept }
  }
}
