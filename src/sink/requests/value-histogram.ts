import { type Bucket, type Exemplar, type Histogram, type Labels, nativeIndex, SCHEMA } from '../../../lib/prometheus/mod.ts'

const PER_OCTAVE = 2 ** SCHEMA
const OCTAVES = 44

/** What is measured, and in which buckets. */
export interface Measure {
  /** Values are counted in whole parts of the unit, so that sums are exact: so many to one. */
  readonly parts: number
  /** Native buckets reach from 2^octaveMin to 2^(octaveMin + 44); what is not above the first bound counts as zero, what is more as the most. */
  readonly octaveMin: number
  /** Upper bounds of the others, in the unit, rising. */
  readonly bounds: Float64Array
}

/** Values of one set of labels. Bound: some 4 KB. */
export class ValueHistogram {
  readonly #measure: Measure
  readonly #zeroThreshold: number
  readonly #indexMin: number
  readonly #counts: Float64Array
  readonly #native = new Float64Array(OCTAVES * PER_OCTAVE)
  readonly #exemplars: (Exemplar | undefined)[]
  /** 1 = the exemplar is of the time since the last reading. */
  readonly #isFresh: Uint8Array
  #zeroCount = 0
  #count = 0
  #sum = 0

  constructor(measure: Measure) {
    this.#measure = measure
    this.#zeroThreshold = 2 ** measure.octaveMin
    this.#indexMin = measure.octaveMin * PER_OCTAVE + 1
    this.#counts = new Float64Array(measure.bounds.length + 1)
    this.#exemplars = Array.from(this.#counts, () => undefined)
    this.#isFresh = new Uint8Array(this.#counts.length)
  }

  /** @returns the bucket it fell into, for `wantsExemplar` */
  observe(parts: number): number {
    const { bounds, parts: one } = this.#measure
    const value = parts / one
    this.#count++
    this.#sum += parts
    if (value <= this.#zeroThreshold) this.#zeroCount++
    else this.#native[Math.min(nativeIndex(value) - this.#indexMin, this.#native.length - 1)]!++
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
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
    const { bounds, parts } = this.#measure
    this.#isFresh.fill(0)
    let cumulative = 0
    const buckets = Array.from(this.#counts, (count, index): Bucket => {
      cumulative += count
      return { upper: bounds[index] ?? Infinity, cumulative, exemplar: this.#exemplars[index] }
    })
    const native = {
      schema: SCHEMA, zeroThreshold: this.#zeroThreshold, zeroCount: this.#zeroCount, offset: this.#indexMin, counts: this.#native.slice(),
    }
    return { labels, count: this.#count, sum: this.#sum / parts, buckets, native }
  }
}
