import { close, openSync, constants, read } from 'node:fs'
import { promisify } from 'node:util'
import { pieceAt } from '../journal.ts'

const readAsync = promisify(read)
const CHUNK_BYTES = 1024 * 1024

/** Whole lines that are as they were written. */
export interface Lines {
  readonly bytes: Buffer
  /** Where they stand in the file. */
  readonly offset: number
  /** What was skipped before them, and how many records that were. */
  readonly damagedBytes: number
  readonly damagedRecords: number
}

/** Reads a segment piece by piece while it may still be written. Holds the piece at hand: some MiB. */
export class SegmentReader {
  readonly #fd: number
  #buffer: Buffer = Buffer.alloc(0)
  /** Where the buffer stands in the file, and how far it is read. */
  #base = 0
  #at = 0
  #isReading = false
  #isClosed = false

  /** @throws {Error} with `code` of the system call */
  constructor(path: string) {
    this.#fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  }

  /** Bytes of the file that were read, up to an end of a piece. */
  get offset(): number {
    return this.#base + this.#at
  }

  /**
   * The next piece; its lines are empty where nothing of it is sound.
   *
   * @param size bytes of the file that are known to be written
   * @returns undefined when there is no further whole piece
   * @throws {Error} with `code` of the system call
   */
  async next(size: number): Promise<Lines | undefined> {
    for (let bytes = CHUNK_BYTES; ; bytes *= 2) {
      const piece = pieceAt(this.#buffer, this.#at)
      if (piece !== undefined) {
        this.#at = piece.next
        return {
          bytes: this.#buffer.subarray(piece.start, piece.end), offset: this.#base + piece.start,
          damagedBytes: piece.damagedBytes, damagedRecords: piece.damagedRecords,
        }
      }
      if (this.#base + this.#buffer.length >= size) return undefined
      const wanted = Math.min(bytes, size - this.offset)
      await this.#fill(this.offset, wanted)
      if (this.#buffer.length < wanted && pieceAt(this.#buffer, 0) === undefined) return undefined
    }
  }

  /** Also in the middle of `next`: the descriptor, whose number others may get, is given back once nothing reads from it. */
  close(): void {
    this.#isClosed = true
    if (!this.#isReading) close(this.#fd, () => {})
  }

  async #fill(from: number, bytes: number): Promise<void> {
    const buffer = Buffer.allocUnsafe(bytes) // what is not filled is cut off
    let filled = 0
    this.#isReading = true
    try {
      for (let got = -1; got !== 0 && filled < bytes; filled += got) { // 0: somebody made the file shorter
        got = (await readAsync(this.#fd, buffer, filled, bytes - filled, from + filled)).bytesRead
      }
    } finally {
      this.#isReading = false
      if (this.#isClosed) this.close()
    }
    this.#buffer = buffer.subarray(0, filled)
    this.#base = from
    this.#at = 0
  }
}
