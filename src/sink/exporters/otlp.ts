import { z } from 'zod'
import { type Answer, type DeliveryConfig, deliveryOptions, type Exporter, NetworkSink, type Refusal, type Unnamed } from '../delivery/mod.ts'
import { type HttpConfig, httpOptions, orNoAnswer } from '../http/mod.ts'
import { namedText, namedTexts } from '../named-texts.ts'
import type { Sink, SinkHost } from '../sink.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from '../sink-kind.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { type Channel, type Signal, SIGNALS } from './otlp/channel.ts'
import { type ExportRequest, RequestMaker } from './otlp/export-request.ts'
import { GrpcChannel } from './otlp/grpc-channel.ts'
import { HttpChannel } from './otlp/http-channel.ts'
import { type OtlpMetricsOptions, metricsPusher, metricsSchema } from './otlp/metrics-options.ts'
import { OtlpMetricsSink } from './otlp/metrics-sink.ts'
import { partialSuccess } from './otlp/partial-success.ts'

const RESOURCE_MAX = 32

/**
 * Records as OTLP logs, exchanges as spans (https://opentelemetry.io/docs/specs/otlp). A batch makes two requests, logs first; what the
 * server has of one of them is not sent again because of the other.
 *
 * A partial success says how many were rejected, not which, and must not be sent again: all that may be meant go to the dead letters.
 */
export class OtlpExporter implements Exporter {
  readonly target: string
  readonly #channel: Channel
  readonly #signals: readonly Signal[]
  readonly #maker: RequestMaker
  readonly #warn: (message: string) => void
  /** Ids of records of the batch under way that the server has as logs, and not yet as spans. */
  readonly #logged = new Set<string>()
  /** What a partial success has rejected, until it is told of: the batch may have to be sent again for its spans. */
  #rejected = 0
  #rejection = ''
  #lastWarning = ''

  /**
   * @param warn for a line to people
   * @throws {Error} with the mend, when a secret or certificate is not to be had
   */
  constructor(options: OtlpOptions, warn: (message: string) => void) {
    this.#channel = channelOf(options)
    this.target = this.#channel.target
    this.#signals = options.signals
    this.#maker = new RequestMaker({ service: options.service_name, resource: options.resource })
    this.#warn = warn
  }

  send(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    return orNoAnswer(async () => {
      const isWanted = (index: number): boolean => this.#signals.includes('logs') && !this.#logged.has((records[index] as SpooledRecord).id)
      const { logs, spans, unfit } = this.#maker.make(records, isWanted, this.#signals.includes('traces'))
      const answer = await this.#export('logs', logs, signal)
      if (answer === undefined) for (const { id } of records) this.#logged.add(id)
      const last = answer ?? await this.#export('traces', spans, signal)
      const isRefused = last?.outcome === 'apart' && records.length === 1
      if (last === undefined || isRefused) for (const { id } of records) this.#logged.delete(id)
      if (isRefused) this.#rejected = Math.max(0, this.#rejected - 1) // it counts once, and by this answer
      return last ?? { outcome: 'done', refused: unfit, ...this.#takeRejected(records.length, unfit) }
    })
  }

  close(): void {
    this.#channel.close()
  }

  /** @returns undefined when the server has it, or there is nothing to send */
  async #export(signal: Signal, { body, count }: ExportRequest, abort: AbortSignal): Promise<Exclude<Answer, { outcome: 'done' }> | undefined> {
    if (count === 0) return undefined
    const said = await this.#channel.export(signal, body, abort)
    if (!Buffer.isBuffer(said)) return said
    const { rejected: all, message } = partialSuccess(said, text => this.#channel.clean(text))
    const rejected = Math.min(all, count)
    if (rejected > 0) {
      this.#rejected = Math.max(this.#rejected, rejected)
      this.#rejection = `${rejected} of ${count} ${signal === 'logs' ? 'log records' : 'spans'} rejected` +
        `${rejected < count ? ', not said which' : ''}${message === '' ? '' : `: ${message}`}`
    } else if (message !== '' && message !== this.#lastWarning) {
      this.#lastWarning = message
      this.#warn(`${this.target} has taken ${signal}, and warns: ${message}`)
    }
    return undefined
  }

  #takeRejected(count: number, refused: readonly Refusal[]): { readonly unnamed?: Unnamed } {
    const taken = Math.min(this.#rejected, count - refused.length)
    this.#rejected -= taken
    return taken === 0 ? {} : { unnamed: { count: taken, reason: this.#rejection } }
  }
}

function channelOf(options: OtlpOptions): Channel {
  return options.protocol === 'grpc' ? new GrpcChannel(options) : new HttpChannel(options)
}

function openOtlp(options: OtlpOptions, host: SinkHost): Sink {
  const { spool } = options
  const records = spool === undefined || !sendsRecords(options) ? undefined
    : new NetworkSink({ ...options, spool }, new OtlpExporter(options, message => { host.log('warn', message) }), host)
  if (!options.signals.includes('metrics')) return records as Sink // the schema wants a spool then
  const channel = channelOf(options)
  return new OtlpMetricsSink(`${options.type}:${options.name ?? channel.target}`, metricsPusher(options, channel, host), records, host)
}

/** What is sent of the records themselves needs a spool. */
function sendsRecords({ signals }: OtlpOptions): boolean {
  return signals.some(signal => signal !== 'metrics')
}

const resourceSchema = namedTexts(RESOURCE_MAX, 'attributes', name => {
  if (name === 'service.name') return 'must be given as service_name'
  return name === '' ? 'must not be empty' : undefined
})

const signalsSchema = z.array(z.enum(SIGNALS)).min(1, 'must name one signal at least')
  .refine(signals => new Set(signals).size === signals.length, 'must not name a signal twice')

/** What gRPC cannot do here. */
function grpcTrouble({ protocol, url, proxy, compression }: OtlpOptions): readonly [key: string, message: string] | undefined {
  if (protocol !== 'grpc') return undefined
  if (proxy !== undefined) return ['proxy', 'must be left out with protocol: grpc; OTLP over HTTP goes through proxies']
  if (compression === 'zstd') return ['compression', 'must be none or gzip with protocol: grpc']
  if (!URL.canParse(url)) return undefined
  const { pathname, search } = new URL(url)
  return pathname === '/' && search === '' ? undefined : ['url', 'must have no path with protocol: grpc, e.g. http://collector:4317']
}

export const otlpKind = {
  type: 'otlp',
  schema: z.strictObject({
    type: z.literal('otlp'),
    ...sharedOptions,
    ...httpOptions,
    protocol: z.enum(['http', 'grpc']).default('http').describe('http = OTLP/HTTP, as protocol buffers; grpc = OTLP/gRPC (HTTP/2 without upgrade).'),
    signals: signalsSchema.default(['logs', 'traces'])
      .describe('logs = every record is a log record; traces = every exchange is a span; metrics = see metrics.'),
    metrics: metricsSchema,
    service_name: namedText.optional()
      .describe('service.name of all that is sent; none = lintel for logs and metrics, and for spans the container, unit or ' +
        'program whose they are, else lintel.'),
    resource: resourceSchema.default({}).describe('Further attributes of the resource, e.g. {deployment.environment.name: prod}.'),
    ...deliveryOptions,
    spool: deliveryOptions.spool.optional(),
  }).superRefine((options, context) => {
    const [key, message] = grpcTrouble(options) ?? []
    if (options.spool === undefined && sendsRecords(options)) {
      context.addIssue({ code: 'custom', path: ['spool'], message: 'must be given for logs and traces, e.g. {path: /var/lib/lintel/otlp}' })
    }
    if (key !== undefined && message !== undefined) context.addIssue({ code: 'custom', path: [key], message })
  }).describe('OpenTelemetry, by OTLP: a Collector, or what takes OTLP itself; url is the server\'s, e.g. http://collector:4318, ' +
    'and /v1/logs, /v1/traces and /v1/metrics are put behind it.'),
  short: () => undefined,
  open: openOtlp,
} satisfies SinkKind<OtlpOptions>

interface OtlpOptions extends SharedOptions, HttpConfig, Omit<DeliveryConfig, 'spool'> {
  readonly type: 'otlp'
  readonly protocol: 'http' | 'grpc'
  readonly signals: Signal[]
  readonly metrics: OtlpMetricsOptions
  readonly spool?: DeliveryConfig['spool'] | undefined
  readonly service_name?: string | undefined
  readonly resource: Readonly<Record<string, string>>
}
