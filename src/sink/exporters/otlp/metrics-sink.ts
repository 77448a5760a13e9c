import type { SafeBatch } from '../../batch.ts'
import type { Sink, SinkHealth, SinkHost } from '../../sink.ts'
import { type MetricsPusher, pusherHealth } from '../metrics-pusher.ts'

/**
 * Metrics of the requests of the batches that go by, and with them the records, if these are sent too. Where they are not, no record is
 * logged by it to the ledger, and its figures are of samples.
 */
export class OtlpMetricsSink implements Sink {
  readonly name: string
  readonly #pusher: MetricsPusher
  readonly #records: Sink | undefined
  readonly #host: SinkHost

  constructor(name: string, pusher: MetricsPusher, records: Sink | undefined, host: SinkHost) {
    this.name = name
    this.#pusher = pusher
    this.#records = records
    this.#host = host
  }

  write(batch: SafeBatch): void {
    this.#pusher.observe(batch)
    if (this.#records === undefined) this.#host.settled(batch, 0)
    else this.#records.write(batch)
  }

  async flush(): Promise<void> {
    await this.#records?.flush()
  }

  async close(): Promise<void> {
    await Promise.all([this.#pusher.close(), this.#records?.close()])
  }

  health(): SinkHealth {
    const records = this.#records?.health()
    if (records === undefined) return pusherHealth(this.name, this.#pusher)
    const { sentSamples: sent, waitingSamples: waiting, dropped } = this.#pusher.figures()
    const lastError = records.lastError ?? this.#pusher.trouble
    return { ...records, samples: { sent, waiting, dropped }, ...(lastError === undefined ? {} : { lastError }) }
  }
}
