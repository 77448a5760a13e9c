import { type Bucket, type Exemplar, type Histogram, type Labels, nativeIndex, SCHEMA } from '../../../lib/prometheus/mod.ts'

const PER_OCTAVE = 2 ** SCHEMA
/** Native buckets reach from a microsecond to half a year; what is not above the first bound counts as zero, what is longer as the longest. */
const OCTAVE_MIN = -20
const OCTAVE_MAX = 24
const ZERO_THRESHOLD = 2 ** OCTAVE_MIN
const INDEX_MIN = OCTAVE_MIN * PER_OCTAVE + 1
const INDEX_MAX = OCTAVE_MAX * PER_OCTAVE

/** Durations of one set of labels. Bound: some 4 KB. */
export class DurationHistogram {
  /** In seconds, rising; shared by all. */
  readonly #bounds: Float64Array
  readonly #counts: Float64Array
  readonly #native = new Float64Array(INDEX_MAX - INDEX_MIN + 1)
  readonly #exemplars: (Exemplar | undefined)[]
  /** 1 = the exemplar is of the time since the last reading. */
  readonly #isFresh: Uint8Array
  #zeroCount = 0
  #count = 0
  #nanoseconds = 0

  constructor(bounds: Float64Array) {
    this.#bounds = bounds
    this.#counts = new Float64Array(bounds.length + 1)
    this.#exemplars = Array.from(this.#counts, () => undefined)
    this.#isFresh = new Uint8Array(this.#counts.length)
  }

  /** @returns the bucket it fell into, for `wantsExemplar` */
  observe(nanoseconds: number): number {
    const seconds = nanoseconds / 1e9
    this.#count++
    this.#nanoseconds += nanoseconds
    if (seconds <= ZERO_THRESHOLD) this.#zeroCount++
    else this.#native[Math.min(nativeIndex(seconds), INDEX_MAX) - INDEX_MIN]!++
    let bucket = 0
    while (bucket < this.#bounds.length && seconds > (this.#bounds[bucket] as number)) bucket++
    this.#counts[bucket]!++
    return bucket
  }

  /** One for each bucket and reading is enough. */
  wantsExemplar(bucket: number): boolean {
    return this.#isFresh[bucket] === 0
  }

  setExemplar(bucket: number, exemplar: Exemplar): void {
    this.#exemplars[bucket] = exemplar
    this.#isFresh[bucket] = 1
  }

  /** As it is now. From then on exemplars are replaced. */
  read(labels: Labels): Histogram {
    this.#isFresh.fill(0)
    let cumulative = 0
    const buckets = Array.from(this.#counts, (count, index): Bucket => {
      cumulative += count
      return { upper: this.#bounds[index] ?? Infinity, cumulative, exemplar: this.#exemplars[index] }
    })
    const native = { schema: SCHEMA, zeroThreshold: ZERO_THRESHOLD, zeroCount: this.#zeroCount, offset: INDEX_MIN, counts: this.#native.slice() }
    return { labels, count: this.#count, sum: this.#nanoseconds / 1e9, buckets, native }
  }
}
