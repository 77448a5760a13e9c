/** Pairs of a name and a value, each name once. */
export type Labels = readonly (readonly [name: string, value: string])[]

/** Metrics of one name. Counters end in `_total`. */
export type MetricFamily = NumberFamily | HistogramFamily

export interface NumberFamily {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly samples: { readonly labels: Labels, readonly value: number }[]
}

export interface HistogramFamily {
  readonly name: string
  readonly type: 'histogram'
  readonly help: string
  readonly histograms: readonly Histogram[]
}

/** One histogram, twice: by few fixed bounds, and by exponential buckets ("native"). */
export interface Histogram {
  readonly labels: Labels
  readonly count: number
  readonly sum: number
  /** In rising order, the last is infinite. */
  readonly buckets: readonly Bucket[]
  readonly native: NativeBuckets
}

export interface Bucket {
  readonly upper: number
  /** Of all observations up to `upper`. */
  readonly cumulative: number
  readonly exemplar?: Exemplar | undefined
}

/** One observation, and where to read more of it. */
export interface Exemplar {
  readonly labels: Labels
  readonly value: number
  /** Milliseconds since the epoch. */
  readonly timeMs: number
}

/** Bucket i counts what is above 2^((i-1)/2^schema) and not above 2^(i/2^schema). */
export interface NativeBuckets {
  readonly schema: number
  readonly zeroThreshold: number
  readonly zeroCount: number
  /** Index of the first of `counts`. */
  readonly offset: number
  readonly counts: ArrayLike<number>
}
