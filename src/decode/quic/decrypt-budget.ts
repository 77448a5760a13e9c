/**
 * How many Initial packets are opened: each costs some ten microseconds of hashing, and anyone can send them.
 *
 * Bound: `perSecond` a second of the packets' own time, and as many at once.
 */
export class DecryptBudget {
  readonly #perSecond: number
  #left: number
  #time = 0

  constructor(perSecond: number) {
    this.#perSecond = perSecond
    this.#left = perSecond
  }

  /** @param time nanoseconds in the source's clock @returns false = over the budget */
  take(time: number): boolean {
    if (time > this.#time) {
      this.#left = Math.min(this.#perSecond, this.#left + ((time - this.#time) / 1e9) * this.#perSecond)
      this.#time = time
    }
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
