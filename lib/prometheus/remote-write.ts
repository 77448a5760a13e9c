import { ProtoWriter } from '../protobuf/mod.ts'
import type { Bucket, Exemplar, Histogram, Labels, MetricFamily, NumberFamily } from './family.ts'
import { writeNative } from './native-fields.ts'

/** Which of a histogram's two forms are written. */
export type HistogramForm = 'classic' | 'native' | 'both'

export interface WriteOptions {
  readonly timeMs: number
  /** Of every series; one of the metric's own wins. */
  readonly labels: Labels
  readonly histograms: HistogramForm
}

/** https://github.com/prometheus/prometheus/blob/main/prompb/types.proto */
const TYPES = { counter: 1, gauge: 2, histogram: 3 } as const

/**
 * A WriteRequest of Prometheus remote write 1.0, before compression.
 *
 * @returns the message, and how many samples it has
 */
export function writeRequest(families: readonly MetricFamily[], options: WriteOptions): { readonly bytes: Buffer, readonly samples: number } {
  const request = new ProtoWriter()
  const series = new SeriesWriter(request, options)
  for (const family of families) {
    if (family.type === 'histogram') for (const histogram of family.histograms) series.histogram(family.name, histogram)
    else series.numbers(family)
  }
  for (const { name, type, help } of families) {
    request.message(3, metadata => {
      metadata.uint(1, TYPES[type])
      metadata.text(2, name)
      metadata.text(4, help)
    })
  }
  return { bytes: request.bytes, samples: series.samples }
}

class SeriesWriter {
  samples = 0
  readonly #request: ProtoWriter
  readonly #options: WriteOptions

  constructor(request: ProtoWriter, options: WriteOptions) {
    this.#request = request
    this.#options = options
  }

  numbers({ name, samples }: NumberFamily): void {
    for (const { labels, value } of samples) this.#number(name, labels, value)
  }

  histogram(name: string, histogram: Histogram): void {
    if (this.#options.histograms !== 'native') this.#classic(name, histogram)
    if (this.#options.histograms !== 'classic') this.#native(name, histogram)
  }

  #classic(name: string, { labels, buckets, sum, count }: Histogram): void {
    for (const { upper, cumulative, exemplar } of buckets) {
      this.#number(`${name}_bucket`, [...labels, ['le', upper === Infinity ? '+Inf' : String(upper)]], cumulative, exemplar)
    }
    this.#number(`${name}_sum`, labels, sum)
    this.#number(`${name}_count`, labels, count)
  }

  #native(name: string, { labels, count, sum, buckets, native }: Histogram): void {
    this.#series(name, labels, series => {
      for (const exemplar of inOrder(buckets)) writeExemplar(series, exemplar)
      series.message(4, histogram => {
        histogram.uint(1, count)
        histogram.double(3, sum)
        writeNative(histogram, native, 4, 11)
        histogram.int(15, this.#options.timeMs)
      })
    })
  }

  #number(name: string, labels: Labels, value: number, exemplar?: Exemplar): void {
    this.#series(name, labels, series => {
      series.message(2, sample => {
        sample.double(1, value)
        sample.int(2, this.#options.timeMs)
      })
      if (exemplar !== undefined) writeExemplar(series, exemplar)
    })
  }

  #series(name: string, labels: Labels, write: (series: ProtoWriter) => void): void {
    this.samples++
    const all = new Map([...this.#options.labels, ...labels, ['__name__', name] as const])
    this.#request.message(1, series => {
      writeLabels(series, [...all].sort(([a], [b]) => a < b ? -1 : 1))
      write(series)
    })
  }
}

/** Exemplars of one series must not go back in time. */
function inOrder(buckets: readonly Bucket[]): Exemplar[] {
  return buckets.flatMap(({ exemplar }) => exemplar === undefined ? [] : [exemplar]).sort((a, b) => a.timeMs - b.timeMs)
}

function writeExemplar(series: ProtoWriter, { labels, value, timeMs }: Exemplar): void {
  series.message(3, exemplar => {
    writeLabels(exemplar, labels)
    exemplar.double(2, value)
    exemplar.int(3, timeMs)
  })
}

function writeLabels(writer: ProtoWriter, labels: Labels): void {
  for (const [name, value] of labels) {
    writer.message(1, label => {
      label.text(1, name)
      label.text(2, value)
    })
  }
}
