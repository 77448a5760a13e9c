import { close, openSync, constants, read } from 'node:fs'
import { promisify } from 'node:util'
import { pieceAt, pieceUpTo, type SealedPiece } from '../journal.ts'

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
  /** Where pieces end, as far as that is known; it grows. None = they are searched for. */
  #ends: readonly number[]
  /** Which of them is the first behind what is read. */
  #endAt = 0
  #buffer: Buffer = Buffer.alloc(0)
  /** Where the buffer stands in the file, and how far it is read. */
  #base = 0
  #at = 0
  #isReading = false
  #isClosed = false

  /** @throws {Error} with `code` of the system call */
  constructor(path: string, ends: readonly number[]) {
    this.#ends = ends
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
      const piece = this.#piece()
      if (piece !== undefined) {
        this.#at = piece.next
        return {
          bytes: this.#buffer.subarray(piece.start, piece.end), offset: this.#base + piece.start,
          damagedBytes: piece.damagedBytes, damagedRecords: piece.damagedRecords,
        }
      }
      if (this.#base + this.#buffer.length >= size) return undefined
      const wanted = this.#wanted(bytes, size)
      await this.#fill(this.offset, wanted)
      if (this.#buffer.length === wanted) continue
      this.#ends = [] // somebody made the file shorter
      if (pieceAt(this.#buffer, 0) === undefined) return undefined
    }
  }

  /** The next piece, if it is in the buffer as a whole. */
  #piece(): SealedPiece | undefined {
    const end = this.#knownEnd()
    if (end === undefined) return pieceAt(this.#buffer, this.#at)
    if (end > this.#base + this.#buffer.length) return undefined
    const piece = pieceUpTo(this.#buffer, this.#at, end - this.#base)
    if (piece === undefined) this.#ends = [] // its seal is gone
    return piece
  }

  #knownEnd(): number | undefined {
    while ((this.#ends[this.#endAt] ?? Infinity) <= this.offset) this.#endAt++
    return this.#ends[this.#endAt]
  }

  /** How much to read: whole pieces where it is known where they end, else `bytes`. */
  #wanted(bytes: number, size: number): number {
    let end = this.#knownEnd()
    if (end === undefined) return Math.min(bytes, size - this.offset)
    for (let at = this.#endAt + 1; (this.#ends[at] ?? Infinity) <= this.offset + CHUNK_BYTES; at++) end = this.#ends[at]
    return (end as number) - this.offset
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
