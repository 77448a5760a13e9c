import type { Labels } from '../lib/prometheus/mod.ts'
import type { TallyCounts, TallyReader, TallySource, TallyTotals } from './capture/mod.ts'
import type { TallyLabels } from './tally-labels.ts'

/** Counts of one set of labels. */
export interface TallySeries extends TallyCounts {
  readonly labels: Labels
}

/** What the kernel has counted, for whoever shows it; plain data. */
export interface TallyFigures {
  readonly series: readonly TallySeries[]
  readonly totals: TallyTotals
  /** Requests that are in no series: their key was evicted between two readings. */
  readonly evicted: number
  /** Requests whose labels say `other`, for want of room. */
  readonly others: number
  /** Keys that the kernel holds. */
  readonly keys: number
}

const OTHER = 'other'

/**
 * Adds up what the kernel counts by key into series by labels, which only grow. Keys are many more than labels: hosts with and without a
 * port, what the privacy rules make equal. Bound: `seriesMax`; what is beyond counts in one whose labels are all `other`.
 */
export class TallyTable {
  readonly #labels: TallyLabels
  readonly #seriesMax: number
  readonly #series = new Map<string, TallySeries>()
  readonly #reader: TallyReader<TallySeries>
  #requests = 0
  #evicted = 0
  #others = 0
  #other: TallySeries | undefined

  constructor(source: TallySource, labels: TallyLabels, seriesMax: number) {
    this.#labels = labels
    this.#seriesMax = seriesMax
    this.#reader = source.reader((key) => this.#seriesOf(key), (series, counts) => { this.#add(series, counts) })
  }

  /** The rules of the wall have changed: what is counted from now on has new labels; what was counted keeps its own. */
  relabel(): void {
    this.#reader.read()
    this.#reader.forgetPlaces()
  }

  read(): TallyFigures {
    const totals = this.#reader.read()
    // Never less than it was: what has been counted since the totals were read hides as much of it for a while.
    this.#evicted = Math.max(this.#evicted, totals.counts.requests - totals.noRoom - this.#requests)
    const series = [...this.#series.values()].map((each) => ({ ...each }))
    return { series, totals, evicted: this.#evicted, others: this.#others, keys: this.#reader.size }
  }

  #add(series: TallySeries, { requests, requestBytes, responseBytes }: TallyCounts): void {
    series.requests += requests
    series.requestBytes += requestBytes
    series.responseBytes += responseBytes
    this.#requests += requests
    if (series === this.#other) this.#others += requests
  }

  #seriesOf(key: Uint8Array): TallySeries {
    const labels = this.#labels.of(key)
    const found = this.#series.get(JSON.stringify(labels))
    if (found !== undefined) return found
    if (this.#series.size < this.#seriesMax - 1) return this.#newSeries(labels)
    // The last place is for what finds none.
    this.#other ??= this.#newSeries(this.#labels.names.map((name) => [name, OTHER]))
    return this.#other
  }

  #newSeries(labels: Labels): TallySeries {
    const series = { labels, requests: 0, requestBytes: 0, responseBytes: 0 }
    this.#series.set(JSON.stringify(labels), series)
    return series
  }
}
