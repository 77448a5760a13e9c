/** What can give its parts back while nothing is pending on it. */
export interface Sleeper {
  /** It stands in the queue. */
  isListed: boolean
  /** Gives back what it can. @returns false when it is not at rest */
  sleep(): boolean
}

/**
 * Connections that came to rest, the oldest first: there are parts for so many, and when one more comes the oldest one sleeps, so that
 * a connection which is open for hours costs a row. One that is not at rest when its turn comes is listed anew the next time it is.
 *
 * Bound: `awakeMax`.
 */
export class RestQueue {
  readonly #ring: (Sleeper | undefined)[]
  #first = 0
  #count = 0
  /** How often one has gone to sleep. */
  slept = 0

  constructor(awakeMax: number) {
    this.#ring = new Array<Sleeper | undefined>(awakeMax).fill(undefined)
  }

  /** One that is not listed, and on which nothing is pending: its own calls may still be under way. */
  add(sleeper: Sleeper): void {
    if (this.#count === this.#ring.length) this.#sleepOldest()
    this.#ring[(this.#first + this.#count++) % this.#ring.length] = sleeper
    sleeper.isListed = true
  }

  /** All sleep that are at rest. */
  sleepAll(): void {
    while (this.#count > 0) this.#sleepOldest()
  }

  #sleepOldest(): void {
    const sleeper = this.#ring[this.#first]!
    this.#ring[this.#first] = undefined
    this.#first = (this.#first + 1) % this.#ring.length
    this.#count--
    sleeper.isListed = false
    if (sleeper.sleep()) this.slept++
  }
}
