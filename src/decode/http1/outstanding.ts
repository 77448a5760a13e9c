/** A request that has no response yet. */
export interface Outstanding {
  exchange: number
  method: number
  /** Where its first byte stands in the client's stream. */
  position: number
  /** What the client had received when it sent it: there the response begins. */
  acknowledgement: number
  /** An interim response stands there. */
  isFollowed: boolean
  /** The client's first: nothing can be owed before. */
  isFirst: boolean
}

/** A request that nothing is known of yet. */
export function newOutstanding(): Outstanding {
  return { exchange: 0, method: 0, position: 0, acknowledgement: 0, isFollowed: false, isFirst: false }
}

/**
 * Requests that wait, in their order: a ring whose entries are used again, for usually one waits at a time and nothing shall be
 * made for each request. It grows to what ever waited at once; the bound is the caller's.
 */
export class OutstandingQueue {
  #ring: Outstanding[] = []
  #start = 0
  length = 0

  /** The oldest; undefined = none waits. */
  get first(): Outstanding | undefined {
    return this.length === 0 ? undefined : this.#ring[this.#start]
  }

  /** Makes room for one more behind the others. @returns the entry, to be filled */
  push(): Outstanding {
    if (this.length === this.#ring.length) this.#grow()
    return this.#ring[(this.#start + this.length++) & (this.#ring.length - 1)]!
  }

  /** Takes the oldest off; it stays as it is until the next `push`. */
  shift(): Outstanding {
    const first = this.#ring[this.#start]!
    this.#start = (this.#start + 1) & (this.#ring.length - 1)
    this.length--
    return first
  }

  clear(): void {
    this.length = 0
  }

  * [Symbol.iterator](): Generator<Outstanding> {
    for (let index = 0; index < this.length; index++) yield this.#ring[(this.#start + index) & (this.#ring.length - 1)]!
  }

  /** To the next power of two. */
  #grow(): void {
    const all = [...this]
    for (let left = Math.max(1, all.length); left > 0; left--) all.push(newOutstanding())
    this.#ring = all
    this.#start = 0
  }
}
