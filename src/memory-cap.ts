/** Of the cap: from here on the tables take nothing more, and below here they may grow again. */
const FULL_SHARE = 0.95
const ROOM_SHARE = 0.85
const CONNECTIONS_MIN = 64

/**
 * Holds the agent's resident memory under `limits.memory`. Nearly all of it that grows is what is kept of connections: close to the
 * cap their table takes no more than it has, so that each new connection takes the place of the one that was quiet longest.
 */
export class MemoryCap {
  readonly #capBytes: number
  readonly #most: number
  #bound: number

  /** @param most what the table may hold without a cap */
  constructor(capBytes: number, most: number) {
    this.#capBytes = capBytes
    this.#most = most
    this.#bound = most
  }

  /**
   * One look. `connections` = how many there are.
   *
   * @returns how many there may be from now on; undefined when that stays as it is
   */
  look(residentBytes: number, connections: number): number | undefined {
    const before = this.#bound
    if (residentBytes >= this.#capBytes * FULL_SHARE) {
      this.#bound = Math.max(CONNECTIONS_MIN, Math.min(before, connections) - Math.ceil(connections / 64))
    } else if (residentBytes < this.#capBytes * ROOM_SHARE) {
      this.#bound = Math.min(this.#most, before * 2)
    }
    return this.#bound === before ? undefined : this.#bound
  }
}
