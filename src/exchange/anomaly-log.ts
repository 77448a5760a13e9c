/** One anomaly name's account. */
interface Entry {
  total: number
  /** Not yet told in a record. */
  untold: number
  toldAt: number
}

export interface AnomalyReport {
  readonly name: string
  /** Since the last report of this name, at least 1. */
  readonly count: number
}

export interface AnomalyLogOptions {
  /** Nanoseconds between two reports of one name; the first is told at once. */
  readonly intervalNs?: number
}

const INTERVAL_NS = 10e9
const NAME_COUNT_MAX = 256

/**
 * Counts anomalies by name and says when one is due to be told: the first of a name at once, then at most one report an
 * interval with the number since. So an attacker's flood of oddities costs one record per name and interval.
 *
 * Bound: 256 names (they come from closed sets; a name over the bound is counted under `other`).
 */
export class AnomalyLog {
  readonly #entries = new Map<string, Entry>()
  readonly #intervalNs: number

  constructor(options: AnomalyLogOptions = {}) {
    this.#intervalNs = options.intervalNs ?? INTERVAL_NS
  }

  /**
   * Counts `count` more of `name`.
   *
   * @returns the number to report now; 0 = nothing is due
   */
  add(name: string, time: number, count = 1): number {
    let entry = this.#entries.get(name)
    if (entry === undefined) {
      if (this.#entries.size >= NAME_COUNT_MAX && name !== 'other') return this.add('other', time, count)
      entry = { total: 0, untold: 0, toldAt: -Infinity }
      this.#entries.set(name, entry)
    }
    entry.total += count
    entry.untold += count
    if (time - entry.toldAt < this.#intervalNs) return 0
    return tell(entry, time)
  }

  /** Every name with something untold: at the end (`time` = Infinity) or when its interval is over. */
  due(time: number): AnomalyReport[] {
    const reports: AnomalyReport[] = []
    for (const [name, entry] of this.#entries) {
      if (entry.untold === 0 || time - entry.toldAt < this.#intervalNs) continue
      reports.push({ name, count: tell(entry, time) })
    }
    return reports
  }

  /** By name, since the start. */
  totals(): Map<string, number> {
    return new Map([...this.#entries].map(([name, entry]) => [name, entry.total]))
  }
}

function tell(entry: Entry, time: number): number {
  const count = entry.untold
  entry.untold = 0
  entry.toldAt = time
  return count
}
