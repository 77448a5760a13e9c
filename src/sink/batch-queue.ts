import { countLines, type SafeBatch } from './batch.ts'

interface Waiting {
  readonly batch: SafeBatch
  /** Bytes of it that are through already. */
  offset: number
  /** Records of it that are through already. */
  written: number
}

/** First in, first out, bounded in bytes. Knows how far the first batch has got, so that a short write can go on. */
export class BatchQueue {
  readonly #bytesMax: number
  #waiting: Waiting[] = []
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  get records(): number {
    return this.#waiting.reduce((sum, entry) => sum + entry.batch.count - entry.written, 0)
  }

  get empty(): boolean {
    return this.#waiting.length === 0
  }

  /** @returns false when it does not fit; a batch larger than the bound fits into an empty queue. */
  push(batch: SafeBatch): boolean {
    if (this.#bytes > 0 && this.#bytes + batch.bytes.length > this.#bytesMax) return false
    this.#waiting.push({ batch, offset: 0, written: 0 })
    this.#bytes += batch.bytes.length
    return true
  }

  /** The bytes in front, nothing taken out: at most `partsMax` buffers and `bytesMax` bytes, but one buffer at least. */
  front(partsMax: number, bytesMax: number): Uint8Array[] {
    const parts: Uint8Array[] = []
    let bytes = 0
    for (const { batch, offset } of this.#waiting) {
      const length = batch.bytes.length - offset
      if (parts.length === partsMax || (parts.length > 0 && bytes + length > bytesMax)) break
      parts.push(offset === 0 ? batch.bytes : batch.bytes.subarray(offset))
      bytes += length
    }
    return parts
  }

  /** Records in the first `parts` batches that are not through. */
  recordsOf(parts: number): number {
    return this.#waiting.slice(0, parts).reduce((sum, entry) => sum + entry.batch.count - entry.written, 0)
  }

  /** `bytes` of the front are through, up to an end of line: calls `done` for each batch that is through as a whole. */
  advance(bytes: number, done: (batch: SafeBatch) => void): void {
    let left = bytes
    let count = 0
    while (left > 0 && count < this.#waiting.length) {
      const entry = this.#waiting[count] as Waiting
      const length = entry.batch.bytes.length - entry.offset
      if (left < length) {
        entry.written += countLines(entry.batch.bytes, entry.offset, entry.offset + left)
        entry.offset += left
        break
      }
      left -= length
      count++
    }
    this.#bytes -= bytes
    for (const { batch } of this.#waiting.splice(0, count)) done(batch)
  }

  /** Takes everything out: `given` gets each batch and how many of its records are through. */
  clear(given: (batch: SafeBatch, written: number) => void): void {
    const all = this.#waiting
    this.#waiting = []
    this.#bytes = 0
    for (const { batch, written } of all) given(batch, written)
  }
}
