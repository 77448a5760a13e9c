import type { Directives } from './directives.ts'
import type { RecordReader } from './record-reader.ts'
import { WallClock } from './wall-clock.ts'

/** One ring of the programs, and where its reader tells them what it wants. */
export interface OpenRing {
  readonly reader: RecordReader
  readonly directives: Directives
}

/**
 * What one worker reads of the kernel's programs, and asks of them about its connections; whoever loads them, and whatever else is
 * theirs, is the matter of who extends it. To be used in one thread; `wait` blocks it. `time_ns` is CLOCK_MONOTONIC.
 */
export abstract class RingSource {
  readonly name = 'kernel'
  readonly ended = false
  readonly #memory: Uint8Array
  readonly #clock = new WallClock()
  #ring: OpenRing | undefined

  /** @param memory where `fill` writes */
  constructor(memory: Uint8Array) {
    this.#memory = memory
  }

  /** From here on there may be something to read. To be called once. */
  protected openRing(ring: OpenRing): void {
    this.#ring = ring
  }

  fill(pointer: number, length: number): number {
    return this.#ring?.reader.read(this.#memory, pointer, length) ?? 0
  }

  /** Blocks until `fill` may have something; false after `timeoutMs` without. */
  wait(timeoutMs: number): boolean {
    return this.#ring?.reader.wait(timeoutMs) ?? false
  }

  /** Lets records gather for `ms`, or until the ring fills. */
  gather(ms: number): void {
    this.#ring?.reader.gather(ms)
  }

  epochNanoseconds(): bigint {
    return this.#clock.epochNanoseconds()
  }

  skip(connectionTag: number, side: 0 | 1, until: number): void {
    this.#ring?.directives.skip(connectionTag, side, until)
  }

  ignore(connectionTag: number): void {
    this.#ring?.directives.ignore(connectionTag)
  }

  leaveOut(connectionTag: number, isAllowed: boolean): void {
    this.#ring?.directives.leaveOut(connectionTag, isAllowed)
  }

  /** Nothing comes any more, and what is asked is asked of nobody. Idempotent. */
  protected closeRing(): void {
    this.#ring?.reader.close()
    this.#ring = undefined
  }
}
