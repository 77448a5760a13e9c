/** Room before the first packet, 13 days: packets are not always in order, and time_ns has no sign. */
const LEAD_NANOSECONDS = 2 ** 50
/** time_ns is read as a signed number in places. */
const TIME_MAX = 2 ** 63 - 1024
const WORD = 4294967296
/** What lies further from the base cannot be told exactly. */
const EXACT_SECONDS = (2 ** 53 - LEAD_NANOSECONDS) / 1e9

/**
 * Turns a packet's time since the epoch into time_ns since a base near it: up to 91 days after the first
 * packet it stays under 2^53, so that it fits a double exactly.
 *
 * Packets without a time (0: simple packet blocks, some tools) are no base for those that have one: they are where the first of
 * these is.
 */
export class TimeBase {
  low = 0
  high = 0
  /** The newest time so far that could be told, 0 before the first packet. */
  newest = 0
  #known = false
  /** No packet so far had a time. */
  #isTimeless = true
  #seconds = 0
  #nanoseconds = 0

  /** Epoch nanoseconds at time_ns = 0; 0 before the first packet. */
  get epochNanoseconds(): bigint {
    if (!this.#known) return 0n
    return BigInt(this.#seconds) * 1_000_000_000n + BigInt(this.#nanoseconds) - BigInt(LEAD_NANOSECONDS)
  }

  /**
   * Sets `low` and `high`. The first call sets the base; where it brought no time, the first that does, if it is far away.
   *
   * @returns false when the time is more than 13 days before the first packet's (then it is set to 0) or 292
   * years
   *   after it (then it is set to the most there is)
   */
  set(seconds: number, nanoseconds: number): boolean {
    const isTimeless = seconds === 0 && nanoseconds === 0
    if (!this.#known || (this.#isTimeless && !isTimeless && seconds > EXACT_SECONDS)) {
      this.#known = true
      this.#seconds = seconds
      this.#nanoseconds = nanoseconds
    }
    if (!isTimeless) this.#isTimeless = false
    const time = (seconds - this.#seconds) * 1e9 + (nanoseconds - this.#nanoseconds) + LEAD_NANOSECONDS
    const bounded = Math.min(Math.max(time, 0), TIME_MAX)
    this.high = Math.floor(bounded / WORD)
    this.low = bounded - this.high * WORD
    if (bounded !== time) return false
    if (time > this.newest) this.newest = time
    return true
  }
}
