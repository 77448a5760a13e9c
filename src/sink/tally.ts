import type { SafeBatch } from './batch.ts'
import type { SinkHealth, SinkHost } from './sink.ts'

/** What became of the batches of one sink: counts, and tells the host. */
export class Tally {
  readonly #host: SinkHost
  readonly #dropped = new Map<string, number>()
  #writtenRecords = 0
  #writtenBytes = 0
  #taken = 0
  #settled = 0
  #waiters: { readonly until: number, readonly resolve: () => void }[] = []

  constructor(host: SinkHost) {
    this.#host = host
  }

  /** A batch was taken in; it will be settled. */
  take(): void {
    this.#taken++
  }

  /** Resolves when as many batches are settled as were taken in until now: sinks settle in the order of taking. */
  flushed(): Promise<void> {
    const until = this.#taken
    if (this.#settled >= until) return Promise.resolve()
    return new Promise(resolve => this.#waiters.push({ until, resolve }))
  }

  /** The batch is through: `written` of its records reached the destination, the rest did not because of `reason`. */
  settle(batch: SafeBatch, written: number, reason?: string): void {
    this.#settled++
    this.#count(batch, written, reason)
    while ((this.#waiters[0]?.until ?? Infinity) <= this.#settled) this.#waiters.shift()?.resolve()
  }

  /** A batch that was not even taken in. */
  refuse(batch: SafeBatch, reason: string): void {
    this.#count(batch, 0, reason)
  }

  #count(batch: SafeBatch, written: number, reason: string | undefined): void {
    this.#writtenRecords += written
    const lost = batch.count - written
    if (lost === 0) {
      this.#host.settled(batch, written)
      return
    }
    const cause = reason ?? 'unknown'
    this.#dropped.set(cause, (this.#dropped.get(cause) ?? 0) + lost)
    this.#host.settled(batch, written, cause)
  }

  get writtenBytes(): number {
    return this.#writtenBytes
  }

  wrote(bytes: number): void {
    this.#writtenBytes += bytes
  }

  health(name: string, queuedBytes: number, queuedRecords: number, lastError: string | undefined): SinkHealth {
    const health = {
      name, queuedBytes, queuedRecords, writtenRecords: this.#writtenRecords, writtenBytes: this.#writtenBytes,
      droppedRecords: new Map(this.#dropped),
    }
    return lastError === undefined ? health : { ...health, lastError }
  }
}
