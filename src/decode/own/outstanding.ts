/** Requests of one connection that may wait for a response at a time. */
const OUTSTANDING_MAX = 1000

/** Correlations of the requests of one side that have no response yet, oldest first. Bound: 1,000; one more costs the oldest. */
export class Outstanding {
  readonly #exchanges = new Map<string, number>()

  /** @returns what had to give way: the request of the same correlation, or the oldest; undefined = nothing */
  add(correlation: string, exchange: number): { readonly exchange: number, readonly isRepeated: boolean } | undefined {
    const before = this.#exchanges.get(correlation)
    if (before !== undefined) {
      this.#exchanges.delete(correlation)
      this.#exchanges.set(correlation, exchange)
      return { exchange: before, isRepeated: true }
    }
    this.#exchanges.set(correlation, exchange)
    if (this.#exchanges.size <= OUTSTANDING_MAX) return undefined
    const [oldest, number] = this.#exchanges.entries().next().value!
    this.#exchanges.delete(oldest)
    return { exchange: number, isRepeated: false }
  }

  /** The exchange that the response belongs to; it waits no longer. */
  take(correlation: string): number | undefined {
    const exchange = this.#exchanges.get(correlation)
    this.#exchanges.delete(correlation)
    return exchange
  }

  /** All that wait, which wait no longer. */
  takeAll(): number[] {
    const all = [...this.#exchanges.values()]
    this.#exchanges.clear()
    return all
  }
}
