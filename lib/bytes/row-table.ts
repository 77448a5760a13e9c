/** Rows that are made together. */
const CHUNK_ROWS = 1024

/**
 * Rows of one size outside of the shared memory, for what is put aside and comes back: a row is a number, its bytes are read and
 * written through `view`. No object per row.
 *
 * Bound: the rows that were ever taken at once; those given back are used again.
 */
export class RowTable {
  readonly #rowBytes: number
  readonly #chunks: DataView[] = []
  /** Row given back last, whose first word names the one before; -1 = none. */
  #free = -1
  #made = 0
  #size = 0
  /** Of the row that was sought last. */
  view: DataView = new DataView(new ArrayBuffer(0))

  /** @param rowBytes of each row, at least 4 */
  constructor(rowBytes: number) {
    this.#rowBytes = rowBytes
  }

  /** Rows taken and not given back. */
  get size(): number {
    return this.#size
  }

  /** @returns a row, contents undefined */
  take(): number {
    this.#size++
    const row = this.#free
    if (row >= 0) {
      const at = this.seek(row)
      this.#free = this.view.getInt32(at, true)
      return row
    }
    if (this.#made % CHUNK_ROWS === 0) this.#chunks.push(new DataView(new ArrayBuffer(CHUNK_ROWS * this.#rowBytes)))
    return this.#made++
  }

  /** Gives a row back, once. */
  give(row: number): void {
    this.#size--
    const at = this.seek(row)
    this.view.setInt32(at, this.#free, true)
    this.#free = row
  }

  /** Makes `view` that of a row. @returns where the row begins in it, until the next call of any method */
  seek(row: number): number {
    this.view = this.#chunks[Math.floor(row / CHUNK_ROWS)]!
    return (row % CHUNK_ROWS) * this.#rowBytes
  }
}
