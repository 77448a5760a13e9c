import { resolve } from 'node:path'
import type { SafeBatch } from '../batch.ts'
import { PARTS_MAX, QueueWriter } from '../queue-writer.ts'
import type { Sink, SinkHealth, SinkHost } from '../sink.ts'
import { Spool } from '../spool/mod.ts'
import { DeadLetters } from './dead-letters.ts'
import { Delivery } from './delivery.ts'
import type { DeliveryConfig } from './delivery-options.ts'
import type { Exporter } from './exporter.ts'

/** A write is a piece of its own in the spool, and a piece is read at once. */
const WRITE_BYTES_MAX = 1024 * 1024
const SEGMENTS = 16
const SEGMENT_BYTES_MAX = 16 * 1024 * 1024
const RETRY_MS_MIN = 200

/**
 * Records into a spool, and from there by an exporter to a server. A batch is settled as written once it stands in the spool: it then
 * survives this process. What becomes of it behind the spool is told by `health().delivery`.
 *
 * Bounds: bytes queued before the spool, bytes in the spool, bytes of dead letters.
 */
export class NetworkSink implements Sink {
  readonly name: string
  readonly #drainMs: number
  readonly #writer: QueueWriter
  readonly #spool: Spool
  readonly #delivery: Delivery

  /** Takes the spool's folder at once. @throws {Error} that says what to mend, when it cannot be used */
  constructor(config: DeliveryConfig & { readonly type: string }, exporter: Exporter, host: SinkHost) {
    this.name = `${config.type}:${config.name ?? exporter.target}`
    this.#drainMs = config.drain
    const folder = resolve(config.spool.path)
    const log: SinkHost['log'] = (level, message) => { host.log(level, message) }
    this.#writer = new QueueWriter(host, {
      target: `the spool "${folder}"`, queueBytesMax: config.queue_bytes, step: isRetry => this.#step(isRetry),
    })
    const bytesMax = config.spool.max_bytes
    this.#spool = new Spool({ folder, bytesMax, segmentBytes: Math.min(SEGMENT_BYTES_MAX, Math.ceil(bytesMax / SEGMENTS)) }, log)
    const letters = new DeadLetters({
      path: resolve(config.dead_letters.path ?? `${folder}/dead-letters.ndjson`), bytesMax: config.dead_letters.max_bytes, output: this.name,
    })
    this.#delivery = new Delivery(this.#spool, exporter, letters, {
      batch: { records: config.batch.records, bytes: config.batch.bytes, ageMs: config.batch.age },
      retry: { minMs: Math.min(RETRY_MS_MIN, config.retry.max_wait), maxMs: config.retry.max_wait },
    }, log)
    this.#delivery.start()
  }

  write(batch: SafeBatch): void {
    this.#writer.write(batch)
  }

  /** Resolves when what was taken stands in the spool. */
  flush(): Promise<void> {
    return this.#writer.tally.flushed()
  }

  async close(): Promise<void> {
    if (this.#writer.isClosed) return
    await this.#writer.close()
    await this.#delivery.stop(this.#drainMs)
    this.#spool.close()
  }

  health(): SinkHealth {
    const health = this.#writer.health(this.name)
    const lastError = health.lastError ?? this.#delivery.trouble?.message
    return { ...health, delivery: this.#delivery.health(), ...(lastError === undefined ? {} : { lastError }) }
  }

  /** After trouble one batch at a time: a disk that is almost full takes what fits. */
  async #step(isRetry: boolean): Promise<void> {
    const { queue } = this.#writer
    const parts = queue.front(PARTS_MAX, isRetry ? 0 : Math.min(WRITE_BYTES_MAX, Math.max(0, this.#spool.room)))
    if (parts.length === 0) return
    this.#writer.wrote(await this.#spool.append(parts, queue.recordsOf(parts.length)))
    this.#writer.recovered()
  }
}
