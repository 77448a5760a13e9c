import { BatchQueue } from './batch-queue.ts'
import type { SafeBatch } from './batch.ts'
import { explain, reasonOf } from './disk-trouble.ts'
import { CLOSE_MS_MAX, type SinkHealth, type SinkHost } from './sink.ts'
import { Tally } from './tally.ts'
import { type Trouble, TroubleTeller } from './trouble.ts'

/** One write takes at most so many batches, and bytes. */
export const PARTS_MAX = 256
export const WRITE_BYTES_MAX = 8 * 1024 * 1024
const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 5000
export interface QueueWriterOptions {
  /** What is written to, in words: `"/var/log/requests.ndjson"`. */
  readonly target: string
  readonly queueBytesMax: number
  /** Writes of the front of the queue what it can; what it throws is trouble. `isRetry`: the last one was trouble. */
  readonly step: (isRetry: boolean) => Promise<void>
  /** What else hinders, for the counts; asked when there is no trouble of writing. */
  readonly hindrance?: () => Trouble | undefined
  /** Nothing is to be written now; `wake` says when it may be otherwise. */
  readonly isHeld?: () => boolean
  /** There is trouble: before the next try. */
  readonly troubled?: (trouble: Trouble) => void
}

/**
 * The queue of an output on a disk, and what works it off: one write at a time, tried again until it works, trouble told once
 * a minute and its end once. What no longer fits into the queue is dropped under the name of the trouble.
 */
export class QueueWriter {
  readonly queue: BatchQueue
  readonly tally: Tally
  readonly #options: QueueWriterOptions
  readonly #trouble: TroubleTeller
  #pump: Promise<void> | undefined
  #wake: (() => void) | undefined
  #deadlineMs = Infinity
  #closed = false

  constructor(host: SinkHost, options: QueueWriterOptions) {
    this.#trouble = new TroubleTeller((level, message) => { host.log(level, message) })
    this.#options = options
    this.tally = new Tally(host)
    this.queue = new BatchQueue(options.queueBytesMax)
  }

  get isClosed(): boolean {
    return this.#closed
  }

  get isWriting(): boolean {
    return this.#pump !== undefined
  }

  /** Milliseconds until `close` gives up; Infinity before it. */
  get msLeft(): number {
    return Math.max(0, this.#deadlineMs - Date.now())
  }

  write(batch: SafeBatch): void {
    if (this.#closed) this.tally.refuse(batch, 'output closed')
    else if (!this.queue.push(batch)) this.tally.refuse(batch, this.#hindrance()?.reason ?? 'queue full')
    else {
      this.tally.take()
      this.start()
    }
  }

  start(): void {
    this.#pump ??= this.#run().finally(() => {
      this.#pump = undefined
      if (!this.queue.empty && !this.#closed) this.start()
    })
  }

  /** Ends a pause. */
  wake(): void {
    this.#wake?.()
  }

  /** Writes what waits, for CLOSE_MS_MAX at most; the rest is dropped, named. To be called once. */
  async close(): Promise<void> {
    this.#closed = true
    this.#deadlineMs = Date.now() + CLOSE_MS_MAX
    this.wake()
    await this.#pump
    while (!this.queue.empty && Date.now() < this.#deadlineMs) {
      this.start()
      await this.#pump
    }
    this.queue.clear((batch, written) => this.tally.settle(batch, written, this.#hindrance()?.reason ?? 'output closed'))
  }

  /** Counts what a step has written: `bytes` of the front, up to an end of line. */
  wrote(bytes: number): void {
    this.tally.wrote(bytes)
    this.queue.advance(bytes, batch => this.tally.settle(batch, batch.count))
  }

  /** Writing works. */
  recovered(): void {
    this.#trouble.over(`writing to ${this.#options.target} works again`)
  }

  /** Tells what hinders writing, and counts it against what is dropped. */
  tell(error: unknown): void {
    const trouble = { reason: reasonOf(error), message: `Cannot write to ${this.#options.target}: ${explain(error)}` }
    this.#trouble.tell(trouble, 'trying again, the capture goes on')
    this.#options.troubled?.(trouble)
  }

  health(name: string): SinkHealth {
    return this.tally.health(name, this.queue.bytes, this.queue.records, this.#hindrance()?.message)
  }

  #hindrance(): Trouble | undefined {
    return this.#trouble.current ?? this.#options.hindrance?.()
  }

  /** Writes until the queue is empty. One at a time; never rejects. */
  async #run(): Promise<void> {
    let retryMs = RETRY_MS_MIN
    do {
      if (this.#options.isHeld?.() === true && Date.now() < this.#deadlineMs) {
        await this.#pause(RETRY_MS_MAX)
        continue
      }
      try {
        await this.#options.step(retryMs > RETRY_MS_MIN)
        retryMs = RETRY_MS_MIN
      } catch (error) {
        this.tell(error)
        if (Date.now() >= this.#deadlineMs) return
        await this.#pause(Math.min(retryMs, Math.max(1, this.#deadlineMs - Date.now())))
        retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)
      }
    } while (!this.queue.empty)
  }

  #pause(ms: number): Promise<void> {
    return new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    }).then(() => {
      this.#wake = undefined
    })
  }
}
