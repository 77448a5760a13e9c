const NOT_THERE = Number.MAX_SAFE_INTEGER

/**
 * Finds a text in the lines of a batch, one after the other. Where it stands next is kept, so that lines without it cost nothing: in all
 * the batch is searched through once.
 */
export class Finder {
  readonly #needle: Buffer
  #next = -1

  constructor(needle: string) {
    this.#needle = Buffer.from(needle)
  }

  /** Another batch. */
  reset(): void {
    this.#next = -1
  }

  /** Offset behind the first one in [from, end), or -1. In a batch `from` never goes back behind what a call before found beyond its `end`. */
  find(bytes: Buffer, from: number, end: number): number {
    if (this.#next < from) {
      const found = bytes.indexOf(this.#needle, from)
      this.#next = found === -1 ? NOT_THERE : found
    }
    return this.#next < end ? this.#next + this.#needle.length : -1
  }
}
