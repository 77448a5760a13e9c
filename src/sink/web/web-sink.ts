import type { Writable } from 'node:stream'
import type { SafeBatch } from '../batch.ts'
import type { Sink, SinkHealth, SinkHost } from '../sink.ts'
import { StdoutSink } from '../stdout.ts'

/** Why a page lacks records, without any fault: it shows the newest, and cannot show all of a busy gateway's. */
export const PAGE_SLOW = 'page too slow'

/** Little: what waits here is old when it is shown. */
const QUEUE_BYTES_MAX = 1024 * 1024
const TELL_MS = 500
const CLOSE_MS = 300

/** What a page's sink needs of `PageHandle`. */
export interface LivePage {
  readonly records: Writable
  missed(count: number): void
}

/**
 * Records to the page's process, as far as it takes them; those it does not are counted and told to it. A page keeps
 * nothing, so it vouches for nothing: to the ledger no record is logged by it, and none is lost.
 */
export class WebSink implements Sink {
  readonly name = 'page'
  readonly #page: LivePage
  /** Kept: of a page that is gone there is none any more. */
  readonly #records: Writable
  readonly #pipe: StdoutSink
  #missed = 0
  #closing = false
  #timer: NodeJS.Timeout | undefined

  constructor(host: SinkHost, page: LivePage) {
    this.#page = page
    this.#records = page.records
    this.#pipe = new StdoutSink({
      settled: (batch, written, reason) => {
        if (reason !== undefined) this.#miss(batch.count - written)
        host.settled(batch, 0)
      },
      ended: () => { if (!this.#closing) host.ended(this.name) },
      log: (level, message) => { host.log(level, message) },
    }, page.records, QUEUE_BYTES_MAX)
  }

  write(batch: SafeBatch): void {
    this.#pipe.write(batch)
  }

  flush(): Promise<void> {
    return this.#pipe.flush()
  }

  async close(): Promise<void> {
    this.#closing = true
    const closed = this.#pipe.close()
    // A page takes its time; an agent that ends does not wait for it.
    const hurry = setTimeout(() => { this.#records.destroy() }, CLOSE_MS)
    await closed
    clearTimeout(hurry)
    clearTimeout(this.#timer)
  }

  health(): SinkHealth {
    const { name: _, droppedRecords, ...health } = this.#pipe.health()
    return { ...health, name: this.name, droppedRecords: new Map([...droppedRecords].map(([reason, count]) =>
      [reason === 'reader too slow' ? PAGE_SLOW : reason, count])) }
  }

  #miss(count: number): void {
    this.#missed += count
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#page.missed(this.#missed)
      this.#missed = 0
    }, TELL_MS).unref()
  }
}
