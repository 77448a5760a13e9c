import { z } from 'zod'
import { type HistogramForm, type Labels, snappy, writeRequest } from '../../../lib/prometheus/mod.ts'
import { bytesSchema, durationSchema } from '../../../lib/units/mod.ts'
import type { SafeBatch } from '../batch.ts'
import { deliveryOptions } from '../delivery/mod.ts'
import { answerOf, type HttpConfig, httpOptions, orNoAnswer, Transport } from '../http/mod.ts'
import { labelTexts } from '../named-texts.ts'
import { type RequestMetrics, requestMetricsOptions, type RequestMetricsOptions } from '../requests/mod.ts'
import type { Sink, SinkHealth, SinkHost } from '../sink.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from '../sink-kind.ts'
import { MetricsPusher, pusherHealth } from './metrics-pusher.ts'
import type { Push, PushTarget } from './push-queue.ts'

const HEADERS = { 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' }

/**
 * Metrics of the requests that this output is given, pushed by Prometheus remote write 1.0. Records are counted as they go by and not
 * kept: to the ledger none is logged by it. Its figures (written, dropped) are of samples.
 */
export class RemoteWriteSink implements Sink {
  readonly name: string
  readonly #host: SinkHost
  readonly #pusher: MetricsPusher

  /** @throws {Error} with the mend, when a secret or certificate is not to be had */
  constructor(options: RemoteWriteOptions, host: SinkHost) {
    const transport = new Transport({ ...options, compression: 'none' })
    this.name = `${options.type}:${options.name ?? transport.target}`
    this.#host = host
    const labels: Labels = Object.entries({ job: 'lintel', ...options.labels })
    const { histograms } = options
    const make = (metrics: RequestMetrics, timeMs: number): Push[] => {
      const { bytes, samples } = writeRequest(metrics.families(), { timeMs, labels, histograms })
      return [{ body: snappy(bytes), samples }]
    }
    this.#pusher = new MetricsPusher(targetOf(transport), options, make, (level, message) => { host.log(level, message) })
  }

  write(batch: SafeBatch): void {
    this.#pusher.observe(batch)
    this.#host.settled(batch, 0)
  }

  async flush(): Promise<void> {}

  /** Pushes once more, and goes on sending for `drain`. */
  close(): Promise<void> {
    return this.#pusher.close()
  }

  health(): SinkHealth {
    return pusherHealth(this.name, this.#pusher)
  }
}

function targetOf(transport: Transport): PushTarget {
  return {
    target: transport.target,
    post: (body, signal) => orNoAnswer(async () => {
      return answerOf(await transport.post({ type: 'application/x-protobuf', headers: HEADERS, body }, signal), transport)
    }),
    close: () => { transport.close() },
  }
}

const labelsSchema = labelTexts(name => name.startsWith('__') || name === 'le' ? 'is Prometheus\'s own: choose another name' : undefined)

const { compression: _, ...plainHttpOptions } = httpOptions

export const remoteWriteKind = {
  type: 'prometheus_remote_write',
  schema: z.strictObject({
    type: z.literal('prometheus_remote_write'),
    ...sharedOptions,
    ...plainHttpOptions,
    name: deliveryOptions.name,
    labels: labelsSchema.default({})
      .describe('Labels of every series, beside job (lintel, unless it is set here), e.g. instance: gw-1; ten at most.'),
    interval: durationSchema({ min: '100ms', max: '1h' }).prefault('15s').describe('How often the metrics are pushed.'),
    histograms: z.enum(['classic', 'native', 'both']).default('classic').describe('By the fixed bounds, as native histograms, or both.'),
    requests: z.strictObject(requestMetricsOptions).prefault({}).describe('What is counted.'),
    retry: z.strictObject({
      max_wait: durationSchema({ min: '10ms', max: '1h' }).prefault('30s')
        .describe('Longest wait between two tries; waits double from 200ms and are random.'),
    }).prefault({}).describe('A push is tried again until the server takes it, or refuses it.'),
    drain: durationSchema({ min: '0ms', max: '1h' }).prefault('5s').describe('How long a stop goes on sending.'),
    queue_bytes: bytesSchema({ min: '64KiB', max: '1GiB' }).prefault('16MiB')
      .describe('Bytes of pushes that may wait in memory; beyond them the oldest go, counted.'),
  }).describe('Metrics of the requests by Prometheus remote write 1.0; url is that of the receiver, e.g. http://prometheus:9090/api/v1/write.'),
  short: () => undefined,
  open: (options, host) => new RemoteWriteSink(options, host),
} satisfies SinkKind<RemoteWriteOptions>

interface RemoteWriteOptions extends SharedOptions, Omit<HttpConfig, 'compression'> {
  readonly type: 'prometheus_remote_write'
  readonly name?: string | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly interval: number
  readonly histograms: HistogramForm
  readonly requests: RequestMetricsOptions
  readonly retry: { readonly max_wait: number }
  readonly drain: number
  readonly queue_bytes: number
}
