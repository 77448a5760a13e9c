import { GAP } from '../stream.ts'
import type { End, Gap, Side } from '../stream.ts'

/** What a side does with what it finds. */
export interface SideOutput {
  data(side: Side, pointer: number, length: number, time: number): void
  gap(side: Side, length: number, cause: Gap, time: number): void
  skipped(side: Side, time: number): void
  end(side: Side, cause: End, time: number): void
}

/**
 * One direction of a TLS session. The kernel counts every byte before it asks for space, so the position of what comes says
 * how many bytes did not.
 */
export class PlaintextSide {
  readonly side: Side
  hasEnded = false
  /** The last position that the source was told to skip to. */
  #directed = 0
  #next = -1
  #skipUntil = 0
  #isSkipping = false

  constructor(side: Side) {
    this.side = side
  }

  /** After the last byte that was given, is missing or was skipped. */
  get position(): number {
    return Math.max(0, this.#next) | 0
  }

  /** Everything was given, and more may come. */
  get isInStep(): boolean {
    return this.#next >= 0 && !this.#isSkipping && !this.hasEnded
  }

  /** Where the next byte stands in the stream; set when bytes went another way. */
  get next(): number {
    return this.#next
  }

  set next(position: number) {
    this.#next = position
  }

  /** Position up to which a skip reaches that is worth telling the source, and was not told yet; 0 = none. */
  takeDirective(worthBytes: number): number {
    if (!this.#isSkipping || this.#skipUntil - this.#next < worthBytes || this.#directed === this.#skipUntil) return 0
    return this.#directed = this.#skipUntil
  }

  /** The first byte that may be there stands at `position`. */
  begin(position: number): void {
    if (this.#next < 0) this.#next = position
  }

  skip(length: number): void {
    if (this.hasEnded || this.#isSkipping || !(length >= 0)) return
    this.#isSkipping = true
    this.#skipUntil = this.#next + length
  }

  /** Bytes from `position` on, at `pointer`. @returns false when they contradict what was there before */
  take(position: number, pointer: number, length: number, time: number, output: SideOutput): boolean {
    if (position < this.#next) return false
    if (position > this.#next) this.absent(position - this.#next, GAP.lost, time, output)
    const passed = this.#pass(length, time, output)
    if (passed < length && !this.hasEnded) {
      this.#next += length - passed
      output.data(this.side, pointer + passed, length - passed, time)
      // A skip of nothing is over as soon as it is asked for.
      this.#pass(0, time, output)
    }
    return true
  }

  /** The next `length` bytes are missing, unless they are not wanted. */
  absent(length: number, cause: Gap, time: number, output: SideOutput): void {
    const missing = length - this.#pass(length, time, output)
    if (missing <= 0) return
    this.#next += missing
    if (!this.hasEnded) output.gap(this.side, missing, cause, time)
  }

  end(cause: End, time: number, output: SideOutput): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.#isSkipping = false
    output.end(this.side, cause, time)
  }

  /** Lets unwanted bytes go by, `length` at most. @returns how many did */
  #pass(length: number, time: number, output: SideOutput): number {
    if (!this.#isSkipping) return 0
    const passed = Math.min(length, Math.max(0, this.#skipUntil - this.#next))
    this.#next += passed
    if (this.#next >= this.#skipUntil) {
      this.#isSkipping = false
      if (!this.hasEnded) output.skipped(this.side, time)
    }
    return passed
  }
}
