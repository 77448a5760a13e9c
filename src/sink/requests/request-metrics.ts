import type { Labels, MetricFamily, NumberFamily } from '../../../lib/prometheus/mod.ts'
import type { SafeBatch } from '../batch.ts'
import { Finder } from './finder.ts'
import { ABSENT_ID, LabelValues, OTHER_ID } from './label-values.ts'
import { prometheusFamily, QUANTITIES, type Quantity, type RequestHistograms, type Side, SIDES } from './request-histograms.ts'
import {
  type LabelPlace, prometheusName, REQUEST_LABEL_NAMES, REQUEST_LABELS, type RequestLabel, type Section, SECTIONS,
} from './request-labels.ts'
import { type Measure, ValueHistogram } from './value-histogram.ts'

export interface RequestMetricsOptions {
  readonly labels: readonly RequestLabel[]
  /** Upper bounds of the buckets in seconds, rising. */
  readonly buckets: readonly number[]
  /** Whether sizes of bodies are counted, too. */
  readonly sizes: boolean
  /** Sets of labels that are told apart. */
  readonly series_max: number
}

/** Values that each label tells apart. */
export const LABEL_VALUES_MAX = 100

const [LF, QUOTE, DOT, ZERO, NINE, BACKSLASH] = [0x0a, 0x22, 0x2e, 0x30, 0x39, 0x5c]
const EXCHANGE = Buffer.from('{"kind":"exchange"')
const BODY_SIZE = '"body":{"size":'
const OPEN = Buffer.from('"name":"open"')
/** `{"kind":"exchange","time":"` */
const TIME_AT = 27
const TRACE_ID_BYTES = 32
const TRACE_ID = /^[0-9a-f]{32}$/

/** Histograms of one set of labels; of a quantity that is not counted there is none. */
type Series = Readonly<Record<Quantity, ValueHistogram | undefined>>

/** Powers of four from 256 bytes to a gigabyte. */
const SIZE_BOUNDS = Float64Array.from({ length: 12 }, (_, index) => 4 ** (index + 4))

/** A label, and what finds its values. */
class Label {
  readonly name: RequestLabel
  readonly section: Section
  readonly values = new LabelValues(LABEL_VALUES_MAX)
  readonly #within: number
  readonly #finder: Finder | undefined
  readonly #isNumber: boolean

  constructor(name: RequestLabel) {
    const { section, needle, within, isNumber }: LabelPlace = REQUEST_LABELS[name]
    this.name = name
    this.section = section
    this.#within = within ?? Infinity
    this.#finder = needle === '' ? undefined : new Finder(needle)
    this.#isNumber = isNumber === true
  }

  reset(): void {
    this.#finder?.reset()
  }

  /** Id of its value. @param from where its section begins; -1 = it is not there. @param end of the line */
  id(bytes: Buffer, from: number, end: number): number {
    const at = from === -1 || this.#finder === undefined ? from : this.#finder.find(bytes, from, end)
    if (at === -1 || at - from > this.#within) return ABSENT_ID
    return this.values.id(bytes, at, this.#isNumber ? endOfDigits(bytes, at) : endOfText(bytes, at))
  }
}

/**
 * Durations of requests as histograms, from the lines that every output gets: no object and no string is made for a record, but where a
 * bucket's exemplar is due.
 *
 * Each exchange counts once: for the client's side where only that end's process is on this machine, else for the server's.
 * Bounds: values of a label, sets of labels; what is beyond them counts as `other`, and is counted.
 */
export class RequestMetrics {
  readonly #labels: readonly Label[]
  readonly #measures: Readonly<Record<Quantity, Measure | undefined>>
  readonly #seriesMax: number
  /** The key of the set of labels for what finds no room. */
  readonly #otherKey: number
  readonly #series = { server: new Map<number, Series>(), client: new Map<number, Series>() }
  readonly #duration = new Finder('"duration":')
  readonly #event = new Finder('"event":{')
  readonly #client = new Finder('"client":{"address":"')
  readonly #server = new Finder(SECTIONS.server)
  readonly #process = new Finder('"process":{')
  readonly #network = new Finder('"network":{')
  readonly #url = new Finder(SECTIONS.url)
  readonly #http = new Finder(SECTIONS.http)
  readonly #trace = new Finder('"trace":{"id":"')
  readonly #notSampled = new Finder('"sampled":false')
  readonly #response = new Finder('"response":{')
  readonly #requestBody = new Finder(BODY_SIZE)
  readonly #responseBody = new Finder(BODY_SIZE)
  readonly #finders = [
    this.#duration, this.#event, this.#client, this.#server, this.#process, this.#network, this.#url, this.#http, this.#trace, this.#notSampled,
    this.#response, this.#requestBody, this.#responseBody,
  ]
  /** Of the line at hand; -1 = it is not there. */
  readonly #sections: Record<Section, number> = { server: -1, url: -1, http: -1 }
  #folded = 0
  #open = 0
  #noHttp = 0
  #noDuration = 0

  constructor({ labels, buckets, sizes, series_max }: RequestMetricsOptions) {
    this.#labels = REQUEST_LABEL_NAMES.filter(name => labels.includes(name)).map(name => new Label(name))
    this.#otherKey = this.#labels.reduce((all, { values }) => all * values.idsMax + OTHER_ID, 0)
    const size = sizes ? { parts: 1, octaveMin: -1, bounds: SIZE_BOUNDS } : undefined
    this.#measures = {
      'request.duration': { parts: 1e9, octaveMin: -20, bounds: Float64Array.from(buckets) }, 'request.body.size': size, 'response.body.size': size,
    }
    this.#seriesMax = series_max
  }

  /** Counts the exchanges of a batch. Nothing of the batch is kept. */
  observe({ bytes, count, kinds }: SafeBatch): void {
    if (kinds[0] === 0) return
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    for (const finder of this.#finders) finder.reset()
    for (const label of this.#labels) label.reset()
    const areAll = kinds[0] === count
    for (let start = 0; start < view.length;) {
      const end = view.indexOf(LF, start)
      if (areAll || beginsWith(view, start, EXCHANGE)) this.#exchange(view, start, end)
      start = end + 1
    }
  }

  /** Everything that was counted, for a scraper. */
  families(): MetricFamily[] {
    return [...this.histograms().map(prometheusFamily), ...this.ownFamilies()]
  }

  /** The histograms; from then on exemplars are replaced. */
  histograms(): RequestHistograms[] {
    return QUANTITIES.flatMap(quantity => this.#measures[quantity] === undefined ? [] : SIDES.map(side => this.#read(quantity, side)))
  }

  /** What of the requests is in no histogram, or not under its own labels. */
  ownFamilies(): NumberFamily[] {
    const others = this.#labels.map(({ name, values }) => ({ labels: [['label', prometheusName(name)]] as Labels, value: values.others }))
    const leftOut = Object.entries({ open: this.#open, no_http: this.#noHttp, no_duration: this.#noDuration })
    return [
      {
        name: 'lintel_request_metrics_other_total', type: 'counter',
        help: 'Requests whose label says other, because it has too many values, or because there are too many sets of labels (all).',
        samples: [...others, { labels: [['label', 'all']], value: this.#folded }],
      },
      {
        name: 'lintel_request_metrics_left_out_total', type: 'counter',
        help: 'Exchanges that are in no histogram: not over yet, no HTTP, or without a duration.',
        samples: leftOut.map(([reason, value]) => ({ labels: [['reason', reason]] as Labels, value })),
      },
      {
        name: 'lintel_request_metrics_series', type: 'gauge', help: 'Sets of labels that are told apart.',
        samples: SIDES.map(side => ({ labels: [['side', side]] as Labels, value: this.#series[side].size })),
      },
    ]
  }

  /** Each search begins where the one before ended: in all the line is searched through once, as far as it is needed. */
  #exchange(bytes: Buffer, start: number, end: number): void {
    const eventAt = this.#event.find(bytes, start, end)
    if (eventAt !== -1 && beginsWith(bytes, eventAt, OPEN)) {
      this.#open++ // told again when it is over
      return
    }
    const sections = this.#sections
    const clientAt = this.#client.find(bytes, Math.max(start, eventAt), end)
    sections.server = this.#server.find(bytes, Math.max(start, clientAt), end)
    const networkAt = this.#network.find(bytes, Math.max(start, sections.server), end)
    sections.url = this.#url.find(bytes, Math.max(start, networkAt), end)
    sections.http = this.#http.find(bytes, Math.max(start, networkAt, sections.url), end)
    if (sections.http === -1) {
      this.#noHttp++
      return
    }
    const durationAt = this.#duration.find(bytes, start, sections.http)
    const nanoseconds = durationAt === -1 ? -1 : nanosecondsAt(bytes, durationAt)
    if (nanoseconds < 0) {
      this.#noDuration++
      return
    }
    const series = this.#seriesOf(this.#side(bytes, clientAt, networkAt), this.#key(bytes, end))
    this.#observe(series['request.duration'], nanoseconds, 1e9, bytes, start, end)
    if (series['request.body.size'] !== undefined) this.#sizes(series, bytes, start, end)
  }

  /** A size that the record does not tell is not counted. */
  #sizes(series: Series, bytes: Buffer, start: number, end: number): void {
    const { http } = this.#sections
    const responseAt = this.#response.find(bytes, http, end)
    const requestBody = this.#requestBody.find(bytes, http, responseAt === -1 ? end : responseAt)
    const responseBody = responseAt === -1 ? -1 : this.#responseBody.find(bytes, responseAt, end)
    if (requestBody !== -1) this.#observe(series['request.body.size'], numberAt(bytes, requestBody), 1, bytes, start, end)
    if (responseBody !== -1) this.#observe(series['response.body.size'], numberAt(bytes, responseBody), 1, bytes, start, end)
  }

  #observe(histogram: ValueHistogram | undefined, amount: number, parts: number, bytes: Buffer, start: number, end: number): void {
    if (histogram === undefined) return
    const bucket = histogram.observe(amount)
    if (histogram.wantsExemplar(bucket)) this.#addExemplar(histogram, bucket, amount / parts, bytes, start, end)
  }

  /** The client's only where its process is known and the server's is not. */
  #side(bytes: Buffer, clientAt: number, networkAt: number): Side {
    const serverAt = this.#sections.server
    if (clientAt === -1 || serverAt === -1 || this.#process.find(bytes, clientAt, serverAt) === -1) return 'server'
    return this.#process.find(bytes, serverAt, networkAt === -1 ? this.#sections.http : networkAt) === -1 ? 'client' : 'server'
  }

  /** The ids of all labels in one number: below 2^53 with seven labels. */
  #key(bytes: Buffer, end: number): number {
    let key = 0
    for (const label of this.#labels) key = key * label.values.idsMax + label.id(bytes, this.#sections[label.section], end)
    return key
  }

  #seriesOf(side: Side, key: number): Series {
    const series = this.#series[side]
    const found = series.get(key)
    if (found !== undefined) return found
    // The last two are for what finds no room.
    if (this.#series.server.size + this.#series.client.size < this.#seriesMax - 2) return this.#added(side, key)
    this.#folded++
    return series.get(this.#otherKey) ?? this.#added(side, this.#otherKey)
  }

  #added(side: Side, key: number): Series {
    const made = QUANTITIES.map(quantity => {
      const measure = this.#measures[quantity]
      return [quantity, measure === undefined ? undefined : new ValueHistogram(measure)] as const
    })
    const series = Object.fromEntries(made) as Series
    this.#series[side].set(key, series)
    return series
  }

  #addExemplar(histogram: ValueHistogram, bucket: number, value: number, bytes: Buffer, start: number, end: number): void {
    const traceAt = this.#trace.find(bytes, start, end)
    // One that was not sampled leads nowhere.
    if (traceAt === -1 || this.#notSampled.find(bytes, traceAt, end) !== -1) return
    const id = bytes.toString('latin1', traceAt, traceAt + TRACE_ID_BYTES)
    const timeMs = Date.parse(bytes.toString('latin1', start + TIME_AT, start + TIME_AT + 23) + 'Z')
    if (!TRACE_ID.test(id) || Number.isNaN(timeMs)) return
    histogram.setExemplar(bucket, { labels: [['trace_id', id]], value, timeMs })
  }

  #read(quantity: Quantity, side: Side): RequestHistograms {
    let overflow: Labels | undefined
    const histograms = [...this.#series[side]].flatMap(([key, series]) => {
      const labels = this.#labelsOf(key)
      if (key === this.#otherKey && this.#labels.length > 0) overflow = labels
      const histogram = series[quantity]?.read(labels)
      return histogram === undefined || histogram.count === 0 ? [] : [histogram]
    })
    return { side, quantity, histograms, overflow }
  }

  #labelsOf(key: number): Labels {
    const labels: (readonly [string, string])[] = []
    let left = key
    for (const { name, values } of this.#labels.toReversed()) {
      labels.push([name, values.text(left % values.idsMax)])
      left = Math.floor(left / values.idsMax)
    }
    return labels.filter(([, text]) => text !== '').toReversed()
  }
}

function beginsWith(bytes: Buffer, at: number, what: Buffer): boolean {
  for (let index = 0; index < what.length; index++) if (bytes[at + index] !== what[index]) return false
  return true
}

function endOfText(bytes: Buffer, start: number): number {
  let at = start
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return at
}

function endOfDigits(bytes: Buffer, start: number): number {
  let at = start
  while ((bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at++
  return at
}

function numberAt(bytes: Buffer, start: number): number {
  let value = 0
  const end = endOfDigits(bytes, start)
  for (let at = start; at < end; at++) value = value * 10 + (bytes[at] as number) - ZERO
  return value
}

/** Decimal seconds, as records have them, in nanoseconds; -1 where no number stands. */
function nanosecondsAt(bytes: Buffer, start: number): number {
  const dot = endOfDigits(bytes, start)
  if (dot === start) return -1
  let value = numberAt(bytes, start) * 1e9
  if (bytes[dot] !== DOT) return value
  let unit = 1e8
  const end = endOfDigits(bytes, dot + 1)
  for (let at = dot + 1; at < end; at++, unit /= 10) value += ((bytes[at] as number) - ZERO) * unit
  return value
}
