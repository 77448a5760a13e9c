import type { Histogram, Labels, NumberFamily } from '../../../../lib/prometheus/mod.ts'
import type { RequestHistograms } from '../../requests/mod.ts'

/** What was told before, to tell what has come since. As many entries as there are series. */
export class MetricsBefore {
  readonly #histograms = new Map<string, Histogram>()
  readonly #numbers = new Map<string, number>()

  /** The histograms less what they were the last time; those that have not changed are left out. */
  sinceThen(all: RequestHistograms): RequestHistograms {
    const histograms = all.histograms.flatMap(histogram => {
      const key = keyOf(`${all.side} ${all.quantity}`, histogram.labels)
      const before = this.#histograms.get(key)
      this.#histograms.set(key, histogram)
      if (before === undefined) return [histogram]
      return before.count === histogram.count ? [] : [less(histogram, before)]
    })
    return { ...all, histograms }
  }

  /** The same of counters. A gauge is what it is. */
  numbersSinceThen(family: NumberFamily): NumberFamily {
    if (family.type === 'gauge') return family
    const samples = family.samples.map(({ labels, value }) => {
      const key = keyOf(family.name, labels)
      const before = this.#numbers.get(key) ?? 0
      this.#numbers.set(key, value)
      return { labels, value: value - before }
    })
    return { ...family, samples }
  }
}

function keyOf(name: string, labels: Labels): string {
  return `${name} ${JSON.stringify(labels)}`
}

/** Of the same series: buckets are the same. */
function less(now: Histogram, before: Histogram): Histogram {
  const { native } = now
  return {
    ...now,
    count: now.count - before.count,
    sum: now.sum - before.sum,
    buckets: now.buckets.map((bucket, index) => ({ ...bucket, cumulative: bucket.cumulative - (before.buckets[index]?.cumulative ?? 0) })),
    native: {
      ...native, zeroCount: native.zeroCount - before.native.zeroCount,
      counts: Array.from(native.counts, (count, index) => count - (before.native.counts[index] ?? 0)),
    },
  }
}
