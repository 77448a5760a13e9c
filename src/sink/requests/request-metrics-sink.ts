import type { SafeBatch } from '../batch.ts'
import type { Sink, SinkHealth, SinkHost } from '../sink.ts'
import type { RequestMetrics } from './request-metrics.ts'

const NONE: ReadonlyMap<string, number> = new Map()

/** Counts requests as their records go by. It keeps no record, so it vouches for none: to the ledger none is logged by it, and none is lost. */
export class RequestMetricsSink implements Sink {
  readonly name = 'request metrics'
  readonly #metrics: RequestMetrics
  readonly #host: SinkHost

  constructor(metrics: RequestMetrics, host: SinkHost) {
    this.#metrics = metrics
    this.#host = host
  }

  write(batch: SafeBatch): void {
    this.#metrics.observe(batch)
    this.#host.settled(batch, 0)
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {}

  health(): SinkHealth {
    return { name: this.name, queuedBytes: 0, queuedRecords: 0, writtenRecords: 0, writtenBytes: 0, droppedRecords: NONE }
  }
}
