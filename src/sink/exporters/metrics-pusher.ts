import type { SafeBatch } from '../batch.ts'
import { RequestMetrics, type RequestMetricsOptions } from '../requests/mod.ts'
import type { SinkHealth, SinkHost } from '../sink.ts'
import { type Push, PushQueue, type PushTarget } from './push-queue.ts'

const RETRY_MS_MIN = 200

export interface MetricsPusherOptions {
  /** Milliseconds between pushes. */
  readonly interval: number
  readonly requests: RequestMetricsOptions
  readonly retry: { readonly max_wait: number }
  readonly queue_bytes: number
  /** How long a stop goes on sending, in milliseconds. */
  readonly drain: number
}

/** Makes what is sent of what was counted so far. @param timeMs of the figures: later than that of every push before */
export type PushMaker = (metrics: RequestMetrics, timeMs: number) => readonly Push[]

/** Counts the requests of the batches that go by, and pushes what was counted every `interval`. */
export class MetricsPusher {
  readonly #options: MetricsPusherOptions
  readonly #make: PushMaker
  readonly #metrics: RequestMetrics
  readonly #queue: PushQueue
  readonly #timer: NodeJS.Timeout
  #lastMs = Date.now()
  #isClosed = false

  constructor(target: PushTarget, options: MetricsPusherOptions, make: PushMaker, log: SinkHost['log']) {
    this.#options = options
    this.#make = make
    this.#metrics = new RequestMetrics(options.requests)
    const retry = { minMs: Math.min(RETRY_MS_MIN, options.retry.max_wait), maxMs: options.retry.max_wait }
    this.#queue = new PushQueue(target, { bytesMax: options.queue_bytes, retry }, log)
    this.#timer = setInterval(() => { this.#push() }, options.interval).unref()
  }

  /** What hinders it now. */
  get trouble(): string | undefined {
    return this.#queue.trouble?.message
  }

  figures(): ReturnType<PushQueue['figures']> {
    return this.#queue.figures()
  }

  /** Nothing of the batch is kept. */
  observe(batch: SafeBatch): void {
    if (!this.#isClosed) this.#metrics.observe(batch)
  }

  /** Pushes once more, and goes on sending for `drain`. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#push()
    await this.#queue.close(this.#options.drain)
  }

  #push(): void {
    // A sample of a series must be newer than the one before, also when the clock was set back.
    this.#lastMs = Math.max(Date.now(), this.#lastMs + 1)
    for (const push of this.#make(this.#metrics, this.#lastMs)) this.#queue.add(push)
  }
}

/** Of an output that has nothing but metrics: its figures are of samples. */
export function pusherHealth(name: string, pusher: MetricsPusher): SinkHealth {
  const { waitingBytes, waitingSamples, sentSamples, sentBytes, dropped } = pusher.figures()
  const lastError = pusher.trouble
  return {
    name, queuedBytes: waitingBytes, queuedRecords: waitingSamples, writtenRecords: sentSamples, writtenBytes: sentBytes,
    droppedRecords: dropped, ...(lastError === undefined ? {} : { lastError }),
  }
}
