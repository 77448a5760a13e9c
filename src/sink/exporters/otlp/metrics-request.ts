import type { Exemplar, Histogram, Labels, NumberFamily } from '../../../../lib/prometheus/mod.ts'
import { ProtoWriter } from '../../../../lib/protobuf/mod.ts'
import { instrumentOf, type RequestHistograms, type RequestMetrics } from '../../requests/mod.ts'
import type { Push } from '../push-queue.ts'
import { MetricsBefore } from './metrics-before.ts'

export const TEMPORALITIES = ['cumulative', 'delta'] as const
export type Temporality = (typeof TEMPORALITIES)[number]
export const HISTOGRAM_FORMS = ['explicit', 'exponential'] as const
export type HistogramForm = (typeof HISTOGRAM_FORMS)[number]

export interface MetricsRequestOptions {
  readonly resource: Readonly<Record<string, string>>
  readonly temporality: Temporality
  readonly histograms: HistogramForm
  /** When counting began, in milliseconds since the epoch. */
  readonly startMs: number
}

/** What servers take in one request by default is 4 MiB, of gRPC. */
const REQUEST_BYTES_MAX = 1024 * 1024
const SCOPE = 'lintel'
/** AggregationTemporality. */
const TEMPORALITY = { delta: 1, cumulative: 2 } as const
/** Labels whose values are numbers. */
const INTEGERS = new Set<string>(['server.port', 'http.response.status_code'])
const OVERFLOW: Labels = [['otel.metric.overflow', 'true']]

/** Field numbers of HistogramDataPoint and ExponentialHistogramDataPoint, where they differ. */
const POINT = { explicit: { metric: 9, attributes: 9, exemplars: 8 }, exponential: { metric: 10, attributes: 1, exemplars: 11 } } as const

/**
 * Makes ExportMetricsServiceRequests (opentelemetry-proto 1.10) of the metrics of requests: histograms, and counters of what is in none.
 * With delta temporality each has what came since the one before.
 */
export class MetricsRequestMaker {
  readonly #options: MetricsRequestOptions
  readonly #before: MetricsBefore
  readonly #resource: Buffer
  /** Exemplars that were sent: each is sent once. */
  readonly #told = new WeakSet<Exemplar>()
  #startMs: number

  constructor(options: MetricsRequestOptions) {
    this.#options = options
    this.#startMs = options.startMs
    this.#before = new MetricsBefore()
    const writer = new ProtoWriter()
    for (const [key, value] of Object.entries(options.resource)) writeAttribute(writer, 1, key, value)
    this.#resource = Buffer.from(writer.bytes)
  }

  /** @param timeMs later than at any call before, and than `startMs` */
  make(metrics: RequestMetrics, timeMs: number): Push[] {
    const isDelta = this.#options.temporality === 'delta'
    const times = { start: nanoseconds(this.#startMs), now: nanoseconds(timeMs) }
    const parts = new Parts(this.#resource)
    for (const all of metrics.histograms()) this.#addHistograms(isDelta ? this.#before.sinceThen(all) : all, times, parts)
    for (const family of metrics.ownFamilies()) addNumbers(isDelta ? this.#before.numbersSinceThen(family) : family, this.#options, times, parts)
    if (isDelta) this.#startMs = timeMs
    return parts.pushes()
  }

  #addHistograms(all: RequestHistograms, times: Times, parts: Parts): void {
    const { histograms: form, temporality } = this.#options
    const metric = new MetricPart(instrumentOf(all), POINT[form].metric, TEMPORALITY[temporality])
    for (const histogram of all.histograms) {
      const isOverflow = histogram.labels === all.overflow
      const labels = isOverflow ? OVERFLOW : [...histogram.labels, ...errorType(all.side, histogram.labels)]
      parts.add(metric, point => { this.#writePoint(point, histogram, labels, times) })
    }
  }

  #writePoint(point: ProtoWriter, histogram: Histogram, labels: Labels, { start, now }: Times): void {
    const form = this.#options.histograms
    const { count, sum } = histogram
    if (form === 'exponential') writeAttributes(point, POINT.exponential.attributes, labels)
    point.fixed64(2, start)
    point.fixed64(3, now)
    point.fixed64(4, BigInt(count))
    point.double(5, sum)
    if (form === 'explicit') {
      writeExplicit(point, histogram)
      this.#writeExemplars(point, histogram)
      writeAttributes(point, POINT.explicit.attributes, labels)
    } else {
      writeExponential(point, histogram)
      this.#writeExemplars(point, histogram)
      point.double(14, histogram.native.zeroThreshold)
    }
  }

  #writeExemplars(point: ProtoWriter, { buckets }: Histogram): void {
    for (const { exemplar } of buckets) {
      if (exemplar === undefined || this.#told.has(exemplar)) continue
      this.#told.add(exemplar)
      const [[, traceId]] = exemplar.labels as [readonly [string, string]]
      point.message(POINT[this.#options.histograms].exemplars, writer => {
        writer.fixed64(2, nanoseconds(exemplar.timeMs))
        writer.double(3, exemplar.value)
        writer.raw(5, Buffer.from(traceId, 'hex'))
      })
    }
  }
}

interface Times {
  readonly start: bigint
  readonly now: bigint
}

/** Counts of each bucket, and the bounds between them. */
function writeExplicit(point: ProtoWriter, { buckets }: Histogram): void {
  point.packedFixed64(6, buckets.map(({ cumulative }, index) => cumulative - (buckets[index - 1]?.cumulative ?? 0)))
  point.packedDoubles(7, buckets.slice(0, -1).map(({ upper }) => upper))
}

/** OTLP's bucket i is above base^i, Prometheus's not above it: its index is one less. */
function writeExponential(point: ProtoWriter, { native }: Histogram): void {
  const counts = Array.from(native.counts)
  const first = counts.findIndex(count => count > 0)
  point.sint(6, native.schema)
  point.fixed64(7, BigInt(native.zeroCount))
  if (first === -1) return
  point.message(8, positive => {
    positive.sint(1, native.offset + first - 1)
    positive.packedUints(2, counts.slice(first, counts.findLastIndex(count => count > 0) + 1))
  })
}

function addNumbers({ name, type, help, samples }: NumberFamily, { temporality }: MetricsRequestOptions, { start, now }: Times, parts: Parts): void {
  const isSum = type === 'counter'
  const instrument = { name: name.replace(/_total$/, ''), unit: '1', help }
  const metric = isSum ? new MetricPart(instrument, 7, TEMPORALITY[temporality]) : new MetricPart(instrument, 5, undefined)
  for (const { labels, value } of samples) {
    parts.add(metric, point => {
      if (isSum) point.fixed64(2, start)
      point.fixed64(3, now)
      point.fixed64(6, BigInt(value)) // as_int
      writeAttributes(point, 7, labels)
    })
  }
}

/** https://opentelemetry.io/docs/specs/semconv/http/http-metrics: the status, where it is an error's: 5xx, for a client 4xx too. */
function errorType(side: RequestHistograms['side'], labels: Labels): Labels {
  const status = labels.find(([name]) => name === 'http.response.status_code')?.[1]
  return status !== undefined && Number(status) >= (side === 'client' ? 400 : 500) ? [['error.type', status]] : []
}

function writeAttributes(writer: ProtoWriter, field: number, labels: Labels): void {
  for (const [name, value] of labels) writeAttribute(writer, field, name, value)
}

/** KeyValue: key = 1, value = 2; of the value string = 1, bool = 2, int = 3. */
function writeAttribute(writer: ProtoWriter, field: number, name: string, value: string): void {
  writer.message(field, attribute => {
    attribute.text(1, name)
    attribute.message(2, any => {
      if (name === OVERFLOW[0]?.[0]) any.uint(2, 1)
      else if (INTEGERS.has(name) && /^\d{1,15}$/.test(value)) any.int(3, Number(value))
      else any.text(1, value)
    })
  })
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms)) * 1_000_000n
}

/** One metric, and its points so far in the request at hand. */
class MetricPart {
  readonly #head = new ProtoWriter()
  readonly #field: number
  readonly #temporality: number | undefined
  #points = new ProtoWriter()
  count = 0

  /** @param field of Metric that the points are in; temporality: none = a gauge */
  constructor({ name, unit, help }: ReturnType<typeof instrumentOf>, field: number, temporality: number | undefined) {
    this.#field = field
    this.#temporality = temporality
    this.#head.text(1, name)
    this.#head.text(2, help)
    this.#head.text(3, unit)
  }

  add(point: Buffer): void {
    this.#points.raw(1, point)
    this.count++
  }

  /** The metric with its points, which are then forgotten. */
  take(into: ProtoWriter): void {
    if (this.count === 0) return
    const points = this.#points
    if (this.#temporality !== undefined) points.uint(2, this.#temporality)
    if (this.#field === 7) points.uint(3, 1) // is_monotonic
    into.message(2, metric => {
      metric.put(this.#head.bytes)
      metric.raw(this.#field, points.bytes)
    })
    this.#points = new ProtoWriter()
    this.count = 0
  }
}

/** Points, in requests of bounded size. */
class Parts {
  readonly #resource: Buffer
  readonly #pushes: Push[] = []
  #metrics = new Set<MetricPart>()
  #bytes = 0

  constructor(resource: Buffer) {
    this.#resource = resource
  }

  add(metric: MetricPart, write: (point: ProtoWriter) => void): void {
    const writer = new ProtoWriter()
    write(writer)
    const { bytes } = writer
    if (this.#bytes > 0 && this.#bytes + bytes.length > REQUEST_BYTES_MAX) this.#end()
    this.#metrics.add(metric)
    metric.add(bytes)
    this.#bytes += bytes.length
  }

  pushes(): Push[] {
    this.#end()
    return this.#pushes
  }

  /** resource_metrics = 1: resource = 1, scope_metrics = 2: scope = 1, metrics = 2. */
  #end(): void {
    const samples = [...this.#metrics].reduce((sum, { count }) => sum + count, 0)
    if (samples === 0) return
    const request = new ProtoWriter()
    request.message(1, all => {
      all.raw(1, this.#resource)
      all.message(2, scoped => {
        scoped.message(1, scope => { scope.text(1, SCOPE) })
        for (const metric of this.#metrics) metric.take(scoped)
      })
    })
    this.#pushes.push({ body: Buffer.from(request.bytes), samples })
    this.#metrics = new Set()
    this.#bytes = 0
  }
}
