import type { ByteMemory } from '../bytes/mod.ts'
import * as F from '../../wasm/fields-contract.ts'
import { PICK_SLACK } from '../../wasm/pick-contract.ts'
import { lineMemory } from './line-memory.ts'

/** Lines that are longer are not looked into by a MemberPicker. */
export const LINE_BYTES_MAX = 4 * 1024 * 1024
const PIECES_MAX = 1024
/** What stands in the area is given out when it is this much. */
const FULL_BYTES = 1024 * 1024
/** A record's fields in another form are no more. */
export const COPY_BYTES_MAX = 8 * LINE_BYTES_MAX
const OUT_BYTES = FULL_BYTES + 2 * LINE_BYTES_MAX

interface JoinExports {
  joinPieces(list: number, count: number, to: number): number
  escapeMark(from: number, end: number, to: number, mark: number): number
  isPrintable(from: number, end: number): number
}

/** Where fields are copied to: addresses. */
interface Copies {
  readonly room: number
  readonly out: number
  readonly tags: number
}

/** Bytes in the area's memory. */
export interface Piece {
  readonly pointer: number
  readonly length: number
}

/**
 * Memory in which lines of JSON are taken apart and texts are put together of their pieces: an instance of the byte module that is
 * nobody else's. Of its address space a few hundred kilobytes are ever touched, unless lines are long.
 */
export class LineArea {
  readonly memory: ByteMemory = lineMemory()
  /** Where `hold` puts a line. */
  readonly line = this.memory.reserve(LINE_BYTES_MAX + PICK_SLACK)
  /** Room for what is made of a line, as long as that. */
  readonly rest = this.memory.reserve(LINE_BYTES_MAX + PICK_SLACK)
  /** The memory. */
  readonly bytes = Buffer.from(this.memory.u8.buffer)
  readonly #list = this.memory.reserve(PIECES_MAX * 8)
  readonly #out = this.memory.reserve(OUT_BYTES + PICK_SLACK)
  readonly #exports = this.memory.exports<JoinExports>()
  #copies: Copies | undefined
  #end = this.#out
  #count = 0
  #pieceBytes = 0
  #given: Buffer[] = []

  /** @returns false for a line over LINE_BYTES_MAX */
  hold(line: Uint8Array): boolean {
    if (line.length > LINE_BYTES_MAX) return false
    this.memory.u8.set(line, this.line)
    return true
  }

  /** A text that stays, for pieces: for few. */
  text(text: string): Piece {
    const bytes = Buffer.from(text)
    const pointer = this.memory.reserve(bytes.length + PICK_SLACK)
    this.memory.u8.set(bytes, pointer)
    return { pointer, length: bytes.length }
  }

  /** Bytes of the memory as text. */
  utf8(pointer: number, length: number): string {
    return this.bytes.toString('utf8', pointer, pointer + length)
  }

  /** Room for a FieldCopier, reserved when the first asks for it. */
  get copies(): Copies {
    return this.#copies ??= this.#reserveCopies()
  }

  /**
   * Copies `from` to `to`, with a backslash before each byte that is `mark` or a backslash. Room for twice what is copied must be there.
   *
   * @returns the place behind
   */
  escape(from: Uint8Array, to: Buffer, at: number, mark: number): number {
    const out = this.copies.out
    let behind = at
    for (let start = 0; start < from.length; start += LINE_BYTES_MAX) { // an escaped byte is one byte: parts are as good as the whole
      const part = from.subarray(start, start + LINE_BYTES_MAX)
      this.hold(part)
      behind += this.bytes.copy(to, behind, out, this.#exports.escapeMark(this.line, this.line + part.length, out, mark))
    }
    return behind
  }

  /** False when a control character, DEL or a line break of Unicode may be in it; so for some texts that have none, and for very long ones. */
  isPrintable(text: Uint8Array): boolean {
    return this.hold(text) && this.#exports.isPrintable(this.line, this.line + text.length) !== 0
  }

  /** Another piece of the text that is put together; copied with `join`. @throws {RangeError} for too many */
  add(pointer: number, length: number): void {
    if (this.#count === PIECES_MAX) throw new RangeError(`Cannot join more than ${PIECES_MAX} pieces`)
    const at = (this.#list >>> 2) + this.#count++ * 2
    this.memory.u32[at] = pointer
    this.memory.u32[at + 1] = length
    this.#pieceBytes += length
  }

  /** Puts the pieces behind what was joined before. @throws {RangeError} when they are more than twice the longest line */
  join(): void {
    if (this.#pieceBytes > OUT_BYTES - FULL_BYTES) {
      this.#count = this.#pieceBytes = 0
      throw new RangeError('Cannot join pieces: they are too long')
    }
    this.#end = this.#exports.joinPieces(this.#list, this.#count, this.#end)
    this.#count = this.#pieceBytes = 0
    if (this.#end - this.#out >= FULL_BYTES) this.#give()
  }

  /** Bytes from elsewhere behind what was joined before. */
  append(bytes: Buffer): void {
    this.#give()
    this.#given.push(bytes)
  }

  /** Forgets what was joined and not taken. */
  clear(): void {
    this.#end = this.#out
    this.#count = this.#pieceBytes = 0
    this.#given = []
  }

  /** All that was joined since the last time. */
  take(): Buffer {
    this.#give()
    const bytes = this.#given.length === 1 ? this.#given[0] as Buffer : Buffer.concat(this.#given)
    this.#given = []
    return bytes
  }

  #reserveCopies(): Copies {
    const reserve = (lines: number): number => this.memory.reserve(lines * LINE_BYTES_MAX + PICK_SLACK)
    const [text, list, tags, out] = [reserve(1), reserve(F.LIST_GROWTH), reserve(1), reserve(COPY_BYTES_MAX / LINE_BYTES_MAX)]
    const room = this.memory.reserve(F.ROOM_BYTES)
    const fields = [[F.ROOM_PATH, this.rest], [F.ROOM_TEXT, text], [F.ROOM_LIST, list], [F.ROOM_TAGS, tags], [F.ROOM_OUT, out],
      [F.ROOM_LIMIT, out + COPY_BYTES_MAX]] as const
    for (const [field, value] of fields) this.memory.view.setUint32(room + field, value, true)
    return { room, out, tags }
  }

  #give(): void {
    if (this.#end > this.#out) this.#given.push(Buffer.from(this.memory.u8.subarray(this.#out, this.#end)))
    this.#end = this.#out
  }
}
