import * as P from '../../wasm/pick-contract.ts'
import type { LineArea } from './line-area.ts'
import { type PickedMember, writeTable } from './member-table.ts'

interface PickExports {
  pickMembers(picker: number, line: number, length: number, rest: number): number
}

/**
 * Finds members of a record in its line, and what is left without them, in WebAssembly and without parsing: values stay byte for
 * byte what the encoder wrote, numbers beyond 2^53 too, and names of headers are not looked at.
 *
 * One picker serves many lines, one after the other; what it tells is of the last that its area holds. Bounds: lines of
 * LINE_BYTES_MAX, names of 9 words, 65,534 members.
 */
export class MemberPicker {
  readonly #area: LineArea
  readonly #table: number
  readonly #spans: number
  readonly #pick: PickExports['pickMembers']
  #restLength = 0

  /** @throws {RangeError} for names that cannot be held apart: one twice, one that is a group of another; or too long */
  constructor(area: LineArea, members: readonly PickedMember[]) {
    this.#area = area
    const { memory } = area
    const spans = memory.reserve(members.length * P.SPAN_BYTES)
    this.#table = writeTable(memory, members)
    memory.view.setUint32(this.#table + P.PICK_COUNT, members.length, true)
    memory.view.setUint32(this.#table + P.PICK_SPANS, spans, true)
    this.#spans = spans >>> 2
    this.#pick = area.memory.exports<PickExports>().pickMembers
  }

  /**
   * @returns false when the line is no object as the encoder writes it (no white space, no escapes in keys of fields) or too long;
   *   nothing else is then to be read
   */
  pick(line: Uint8Array): boolean {
    if (!this.#area.hold(line)) return false
    this.#restLength = this.#pick(this.#table, this.#area.line, line.length, this.#area.rest)
    return this.#restLength !== P.PICK_ODD
  }

  has(member: number): boolean {
    return this.#area.memory.u32[this.#spans + member * 2] !== 0
  }

  /** Where the value stands in the area's memory; only for one that is there. */
  start(member: number): number {
    return this.#area.line + (this.#area.memory.u32[this.#spans + member * 2] as number)
  }

  end(member: number): number {
    return this.#area.line + (this.#area.memory.u32[this.#spans + member * 2 + 1] as number)
  }

  /** The value as JSON text; undefined where it is not there. */
  json(member: number): string | undefined {
    return this.has(member) ? this.#area.utf8(this.start(member), this.end(member) - this.start(member)) : undefined
  }

  /** Bytes of what is left, at the area's `rest`: a JSON object without the groups that are empty then; 0 = nothing is left. */
  get restLength(): number {
    return this.#restLength
  }

  /** The same as bytes, in the area's memory: good until the next line; `{}` when nothing is left. */
  get restBytes(): Buffer {
    return this.#restLength === 0 ? Buffer.from('{}') : this.#area.bytes.subarray(this.#area.rest, this.#area.rest + this.#restLength)
  }

  /** The same as text; `{}` when nothing is left. */
  get restJson(): string {
    return this.#restLength === 0 ? '{}' : this.#area.utf8(this.#area.rest, this.#restLength)
  }
}
