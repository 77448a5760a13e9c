/** The two clocks a WallClock compares. */
export interface Clocks {
  /** CLOCK_MONOTONIC in nanoseconds. */
  monotonic(): bigint
  /** The wall clock in whole milliseconds. */
  wallMilliseconds(): number
}

const SYSTEM: Clocks = { monotonic: () => process.hrtime.bigint(), wallMilliseconds: () => Date.now() }
const MILLISECOND = 1_000_000n
/** Looks at most, until the millisecond ends. */
const LOOKS_MAX = 1_000_000

/**
 * Wall-clock time at the zero of the kernel's monotonic clock, to about a microsecond, though JavaScript shows the wall
 * clock in milliseconds only: each look bounds the difference to a window of a millisecond, windows of many looks
 * overlap in little, and one look at a change of the millisecond gives it at once. A window that does not overlap means
 * that the wall clock was set or slewed: then all begins anew.
 */
export class WallClock {
  readonly #clocks: Clocks
  #least = 0n
  #most = -1n

  constructor(clocks: Clocks = SYSTEM) {
    this.#clocks = clocks
  }

  /** Epoch nanoseconds at monotonic time 0. Takes up to a millisecond at the first call and after a jump. */
  epochNanoseconds(): bigint {
    this.#look()
    if (this.#least > this.#most) this.#findEdge()
    return (this.#least + this.#most) / 2n
  }

  /** Narrows the window by one look; empties it when the clocks contradict what was known. */
  #look(): void {
    const before = this.#clocks.monotonic()
    const wall = BigInt(this.#clocks.wallMilliseconds()) * MILLISECOND
    const after = this.#clocks.monotonic()
    const least = wall - after
    const most = wall + MILLISECOND - before
    if (least > this.#least) this.#least = least
    if (most < this.#most) this.#most = most
  }

  #findEdge(): void {
    this.#least = -(1n << 80n)
    this.#most = 1n << 80n
    const first = this.#clocks.wallMilliseconds()
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      this.#look()
      if (this.#clocks.wallMilliseconds() !== first) break
    }
    this.#look()
    // The clock was set in the midst of it: a window of one look is sure.
    if (this.#least <= this.#most) return
    this.#least = -(1n << 80n)
    this.#most = 1n << 80n
    this.#look()
  }
}
