import { advance, distance } from './sequence.ts'
import type { ReassemblySpace } from './reassembly-space.ts'

// A piece in shared memory: bytes of the stream that wait for earlier ones.
const PIECE_SEQUENCE = 0 // i32
const PIECE_LENGTH = 4 // i32
const PIECE_RECORD = 8 // i32: record number of its packet
const PIECE_SIZE = 12 // i32: bytes of the block; PIECE_BYTES = its packet was seen, but not captured
const PIECE_TIME = 16 // f64
const PIECE_ACKNOWLEDGEMENT = 24 // i32: what its packet acknowledges
const PIECE_ABSENT = 28 // i32: without bytes, ABSENT.cut or ABSENT.leftOut
const PIECE_BYTES = 32 // then the bytes

/** In place of a pointer to bytes that are not there: not captured, or left out on purpose (GAP.leftOut). */
export const ABSENT = { cut: 0, leftOut: -1 } as const

/** What `insert` met where the new bytes lie over held ones. */
export const OVERLAP = { none: 0, same: 1, differs: 2 } as const

/**
 * Pieces of one side's stream that came too early: sorted, never overlapping, in shared memory. Of two
 * segments for the same bytes the first one received wins; the later one is compared with it.
 *
 * Bound: `segmentCountMax` pieces and `bufferBytesMax` a side, `bufferBytesTotalMax` of all sides. One
 * insertion costs a binary search, a move of at most `segmentCountMax` numbers, and its own bytes.
 */
export class HeldSegments {
  readonly #space: ReassemblySpace
  /** Pointers to pieces, ascending by sequence. */
  readonly #pieces: number[] = []
  #bytes = 0
  /** The worst that the last `insert` met: a value of OVERLAP. */
  overlap: number = OVERLAP.none
  /** True when the last refusal was for this side's own bounds, false when for those shared by all. */
  isFull = false

  constructor(space: ReassemblySpace) {
    this.#space = space
  }

  get count(): number {
    return this.#pieces.length
  }

  /** Sequence of the first held byte; only while `count` > 0. */
  get sequence(): number {
    return this.#space.memory.i32[(this.#pieces[0]! + PIECE_SEQUENCE) >> 2]!
  }

  /** Length, bytes (a pointer, or a value of ABSENT), record, acknowledgement and time of the first piece; only while `count` > 0. */
  get length(): number {
    return this.#space.memory.i32[(this.#pieces[0]! + PIECE_LENGTH) >> 2]!
  }

  get pointer(): number {
    const piece = this.#pieces[0]!
    return this.#isAbsent(piece) ? this.#space.memory.i32[(piece + PIECE_ABSENT) >> 2]! : piece + PIECE_BYTES
  }

  get record(): number {
    return this.#space.memory.i32[(this.#pieces[0]! + PIECE_RECORD) >> 2]!
  }

  get acknowledgement(): number {
    return this.#space.memory.i32[(this.#pieces[0]! + PIECE_ACKNOWLEDGEMENT) >> 2]!
  }

  get time(): number {
    return this.#space.memory.f64[(this.#pieces[0]! + PIECE_TIME) >> 3]!
  }

  /** Sequence after the last held byte; only while `count` > 0. */
  get end(): number {
    return this.#endOf(this.#pieces[this.#pieces.length - 1]!)
  }

  /** True when every byte from `from` to `to` is held. */
  covers(from: number, to: number): boolean {
    let cursor = from
    for (let index = this.#firstEndingAfter(from); index < this.#pieces.length; index++) {
      const piece = this.#pieces[index]!
      this.#space.steps++
      if (distance(this.#sequenceOf(piece), cursor) > 0) return false
      cursor = this.#endOf(piece)
      if (distance(cursor, to) >= 0) return true
    }
    return false
  }

  /**
   * Keeps what is new of the bytes `from` ... `to`.
   *
   * @param bytes           where the first of them lies, or a value of ABSENT
   * @param acknowledgement what their packet acknowledges
   * @returns sequence up to which they are dealt with; before `to` = a bound was met there
   */
  insert(from: number, to: number, bytes: number, time: number, record: number, acknowledgement: number): number {
    this.overlap = OVERLAP.none
    let index = this.#firstEndingAfter(from)
    let cursor = from
    while (cursor !== to) {
      this.#space.steps++
      const piece = this.#pieces[index]
      const left = distance(to, cursor)
      const room = piece === undefined ? left : Math.min(left, distance(this.#sequenceOf(piece), cursor))
      const at = bytes <= 0 ? bytes : bytes + distance(cursor, from)
      if (room > 0) {
        if (!this.#put(index, cursor, room, at, time, record, acknowledgement)) return cursor
        cursor = advance(cursor, room)
      } else {
        const common = Math.min(left, distance(this.#endOf(piece!), cursor))
        this.#compare(piece!, cursor, common, at)
        cursor = advance(cursor, common)
      }
      index++
    }
    return cursor
  }

  /** Gives up the first piece. */
  shift(): void {
    this.#free(this.#pieces.shift()!)
  }

  /** Gives up everything from `sequence` on. @returns bytes that were given up */
  truncate(sequence: number): number {
    let dropped = 0
    for (let last = this.#pieces.at(-1); last !== undefined; last = this.#pieces.at(-1)) {
      const beyond = distance(this.#endOf(last), sequence)
      if (beyond <= 0) break
      const length = distance(this.#endOf(last), this.#sequenceOf(last))
      dropped += Math.min(beyond, length)
      if (beyond < length) {
        this.#space.memory.i32[(last + PIECE_LENGTH) >> 2] = length - beyond
        break
      }
      this.#pieces.pop()
      this.#free(last)
    }
    return dropped
  }

  clear(): void {
    for (const piece of this.#pieces) this.#free(piece)
    this.#pieces.length = 0
  }

  #sequenceOf(piece: number): number {
    return this.#space.memory.i32[(piece + PIECE_SEQUENCE) >> 2]!
  }

  #endOf(piece: number): number {
    const words = this.#space.memory.i32
    return advance(words[(piece + PIECE_SEQUENCE) >> 2]!, words[(piece + PIECE_LENGTH) >> 2]!)
  }

  /** Index of the first piece that ends after `sequence`. */
  #firstEndingAfter(sequence: number): number {
    let low = 0
    let high = this.#pieces.length
    while (low < high) {
      this.#space.steps++
      const middle = (low + high) >>> 1
      if (distance(this.#endOf(this.#pieces[middle]!), sequence) > 0) high = middle
      else low = middle + 1
    }
    return low
  }

  #put(
    at: number, sequence: number, length: number, bytes: number, time: number, record: number, acknowledgement: number,
  ): boolean {
    const { memory, limits } = this.#space
    const size = PIECE_BYTES + (bytes <= 0 ? 0 : length)
    this.isFull = this.#pieces.length >= limits.segmentCountMax || this.#bytes + size > limits.bufferBytesMax
    if (this.isFull) return false
    const piece = this.#space.take(size)
    if (piece === 0) return false
    this.#bytes += size
    memory.i32[(piece + PIECE_SEQUENCE) >> 2] = sequence
    memory.i32[(piece + PIECE_LENGTH) >> 2] = length
    memory.i32[(piece + PIECE_RECORD) >> 2] = record
    memory.i32[(piece + PIECE_SIZE) >> 2] = size
    memory.f64[(piece + PIECE_TIME) >> 3] = time
    memory.i32[(piece + PIECE_ACKNOWLEDGEMENT) >> 2] = acknowledgement
    memory.i32[(piece + PIECE_ABSENT) >> 2] = bytes
    if (bytes > 0) memory.u8.copyWithin(piece + PIECE_BYTES, bytes, bytes + length)
    this.#space.steps += this.#pieces.length - at
    if (at === this.#pieces.length) this.#pieces.push(piece)
    else this.#pieces.splice(at, 0, piece)
    return true
  }

  #compare(piece: number, cursor: number, length: number, bytes: number): void {
    const { u8 } = this.#space.memory
    let overlap: number = OVERLAP.same
    if (bytes > 0 && !this.#isAbsent(piece)) {
      const held = piece + PIECE_BYTES + distance(cursor, this.#sequenceOf(piece))
      for (let i = 0; i < length; i++) {
        if (u8[held + i] === u8[bytes + i]) continue
        overlap = OVERLAP.differs
        break
      }
    }
    if (overlap > this.overlap) this.overlap = overlap
  }

  #isAbsent(piece: number): boolean {
    return this.#space.memory.i32[(piece + PIECE_SIZE) >> 2] === PIECE_BYTES
  }

  #free(piece: number): void {
    const size = this.#space.memory.i32[(piece + PIECE_SIZE) >> 2]!
    this.#bytes -= size
    this.#space.give(piece, size)
  }
}
