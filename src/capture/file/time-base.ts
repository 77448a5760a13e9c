/** Room before the first packet, 13 days: packets are not always in order, and time_ns has no sign. */
const LEAD_NANOSECONDS = 2 ** 50
/** time_ns is read as a signed number in places. */
const TIME_MAX = 2 ** 63 - 1024
const WORD = 4294967296

/**
 * Turns a packet's time since the epoch into time_ns since a base near it: up to 91 days after the first
 * packet it stays under 2^53, so that it fits a double exactly.
 */
export class TimeBase {
  low = 0
  high = 0
  /** The newest time so far that could be told, 0 before the first packet. */
  newest = 0
  #known = false
  #seconds = 0
  #nanoseconds = 0

  /** Epoch nanoseconds at time_ns = 0; 0 before the first packet. */
  get epochNanoseconds(): bigint {
    if (!this.#known) return 0n
    return BigInt(this.#seconds) * 1_000_000_000n + BigInt(this.#nanoseconds) - BigInt(LEAD_NANOSECONDS)
  }

  /**
   * Sets `low` and `high`. The first call sets the base.
   *
   * @returns false when the time is more than 13 days before the first packet's (then it is set to 0) or 292
   * years
   *   after it (then it is set to the most there is)
   */
  set(seconds: number, nanoseconds: number): boolean {
    if (!this.#known) {
      this.#known = true
      this.#seconds = seconds
      this.#nanoseconds = nanoseconds
    }
    const time = (seconds - this.#seconds) * 1e9 + (nanoseconds - this.#nanoseconds) + LEAD_NANOSECONDS
    const bounded = Math.min(Math.max(time, 0), TIME_MAX)
    this.high = Math.floor(bounded / WORD)
    this.low = bounded - this.high * WORD
    if (bounded !== time) return false
    if (time > this.newest) this.newest = time
    return true
  }
}
