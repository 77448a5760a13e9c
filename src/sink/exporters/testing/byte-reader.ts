import assert from 'node:assert/strict'
import type { Socket } from 'node:net'

/** Bytes as they come, so many at a time. */
export class ByteReader {
  readonly #parts: AsyncIterator<Buffer>
  #left = Buffer.alloc(0)

  constructor(socket: Socket) {
    this.#parts = (socket as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  }

  /** Undefined at the end. */
  async take(count: number): Promise<Buffer | undefined> {
    while (this.#left.length < count) {
      const { value, done } = await this.#parts.next() as IteratorResult<Buffer>
      if (done === true) {
        assert.equal(this.#left.length, 0, 'the connection ended within a frame')
        return undefined
      }
      this.#left = Buffer.concat([this.#left, value])
    }
    const taken = this.#left.subarray(0, count)
    this.#left = this.#left.subarray(count)
    return taken
  }

  async need(count: number): Promise<Buffer> {
    return await this.take(count) ?? assert.fail('the connection ended within a window')
  }
}
