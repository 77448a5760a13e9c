const LF = 10

/** Bytes in pieces → whole lines. A line longer than the bound is left out, whole. */
export class LineSplitter {
  readonly #bytesMax: number
  readonly #give: (line: string) => void
  #rest: Buffer[] = []
  #restBytes = 0
  #skipping = false
  /** Lines that were too long. */
  skipped = 0

  constructor(bytesMax: number, give: (line: string) => void) {
    this.#bytesMax = bytesMax
    this.#give = give
  }

  take(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      this.#keep(chunk.subarray(start, end))
      this.#end()
      start = end + 1
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
  }

  #keep(part: Buffer): void {
    if (this.#skipping) return
    this.#rest.push(part)
    this.#restBytes += part.length
    if (this.#restBytes <= this.#bytesMax) return
    this.#skipping = true
    this.#clear()
  }

  #end(): void {
    if (this.#skipping) this.skipped++
    else if (this.#restBytes > 0) this.#give((this.#rest.length === 1 ? this.#rest[0] as Buffer : Buffer.concat(this.#rest)).toString())
    this.#skipping = false
    this.#clear()
  }

  #clear(): void {
    this.#rest = []
    this.#restBytes = 0
  }
}
