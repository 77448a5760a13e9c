import { INPUT_WAIT, type ByteInput } from './byte-input.ts'

export const WINDOW = { READY: 0, WAIT: 1, ENDED: 2 } as const
export type WINDOW = (typeof WINDOW)[keyof typeof WINDOW]

/** Where the window keeps its bytes: a part of any byte array. */
export interface WindowRegion {
  readonly bytes: Uint8Array
  readonly offset: number
  readonly length: number
}

/** Bytes a window needs: the largest packet (256 KiB) with its header, and room to read ahead. */
export const WINDOW_BYTES_MIN = 300 * 1024

/**
 * A moving view of a stream in a fixed region: what lies from `at` to `end` has been read and not yet used.
 * `at` and `end` are indexes in `bytes`.
 */
export class StreamWindow {
  readonly bytes: Uint8Array
  readonly input: ByteInput
  at: number
  end: number
  readonly #start: number
  readonly #limit: number
  /** Bytes read from the input so far. */
  #read = 0
  /** Bytes yet to be thrown away. */
  #skip = 0
  #ended = false

  constructor(input: ByteInput, region: WindowRegion) {
    if (region.length < WINDOW_BYTES_MIN) {
      const needed = `it needs ${WINDOW_BYTES_MIN}`
      throw new RangeError(`Cannot read through a window of ${region.length} bytes: ${needed}`)
    }
    this.input = input
    this.bytes = region.bytes
    this.at = region.offset
    this.end = region.offset
    this.#start = region.offset
    this.#limit = region.offset + region.length
  }

  /** Stream offset of the byte at `at`. */
  get position(): number {
    return this.#read - (this.end - this.at) + this.#skip
  }

  /** Bytes to be stepped over that the stream has not given: at its end, what it lacks. */
  get owed(): number {
    return this.#skip
  }

  /** Bytes of the stream after `at`, undefined when the stream's size is not known. */
  get remaining(): number | undefined {
    return this.input.size === undefined ? undefined : this.input.size - this.position
  }

  /** Makes `count` bytes (at most the region) available from `at` on. ENDED: the stream has fewer. */
  ensure(count: number): WINDOW {
    if (this.end - this.at >= count && this.#skip === 0) return WINDOW.READY
    return this.#fill(count)
  }

  /** Steps over `count` bytes, of which the stream may hold fewer. */
  skip(count: number): void {
    const ready = this.end - this.at
    if (count <= ready) {
      this.at += count
    } else {
      this.#skip += count - ready
      this.at = this.end
    }
  }

  #fill(count: number): WINDOW {
    for (;;) {
      const dropped = Math.min(this.#skip, this.end - this.at)
      this.at += dropped
      this.#skip -= dropped
      if (this.#skip === 0 && this.end - this.at >= count) return WINDOW.READY
      if (this.#ended) return WINDOW.ENDED
      this.#makeRoom(count)
      const got = this.input.read(this.bytes, this.end, this.#limit - this.end)
      if (got === INPUT_WAIT) return WINDOW.WAIT
      if (got === 0) this.#ended = true
      this.end += got
      this.#read += got
    }
  }

  #makeRoom(count: number): void {
    if (this.at === this.end) {
      this.at = this.#start
      this.end = this.#start
    } else if (this.at + count > this.#limit || this.end === this.#limit) {
      this.bytes.copyWithin(this.#start, this.at, this.end)
      this.end -= this.at - this.#start
      this.at = this.#start
    }
  }
}
