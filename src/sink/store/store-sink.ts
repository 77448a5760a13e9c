import { closeSync } from 'node:fs'
import { BatchQueue } from '../batch-queue.ts'
import type { SafeBatch } from '../batch.ts'
import { explain, reasonOf } from '../disk-trouble.ts'
import { makeFolder } from '../line-file.ts'
import { CLOSE_MS_MAX, type Sink, type SinkHealth, type SinkHost } from '../sink.ts'
import { Tally } from '../tally.ts'
import { Journal } from './journal.ts'
import { PackerHandle } from './packer-handle.ts'
import { listStore, lockStore } from './store-folder.ts'

export interface StoreSinkOptions {
  readonly folder: string
  /** A journal is finished, and packed, before it grows over this. */
  readonly journalBytes: number
  /** A journal is finished, and packed, when it is older. */
  readonly journalMs: number
  /** Journals that may wait for the packer; beyond this what comes waits in the queue. */
  readonly backlogBytes: number
  readonly keepMs: number
  readonly keepBytes: number
  readonly queueBytesMax: number
}

const PARTS_MAX = 256
const WRITE_BYTES_MAX = 8 * 1024 * 1024
const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 5000
const TELL_MS = 60_000
const BEHIND = { reason: 'store behind', message: 'the packer does not keep up; what comes waits' } as const

/**
 * Records into a store: each batch is written to a journal and settled once the kernel has it, so that it survives the end of
 * this process; a process of its own makes Parquet segments of finished journals.
 *
 * The batches are those of every output, whole NDJSON lines, and go to the journal as they are: nothing is parsed here.
 *
 * Bounds: bytes queued, bytes of journals that wait for the packer. A store that falls behind lets its queue fill, then drops
 * whole batches, counted.
 */
export class StoreSink implements Sink {
  readonly name: string
  readonly #options: StoreSinkOptions
  readonly #host: SinkHost
  readonly #tally: Tally
  readonly #queue: BatchQueue
  readonly #lockFd: number
  readonly #packer: PackerHandle
  /** Bytes of finished journals that are not packed yet, by number. */
  readonly #backlog = new Map<number, number>()
  #backlogBytes = 0
  #journal: Journal | undefined
  #next: number
  #pump: Promise<void> | undefined
  #wake: (() => void) | undefined
  #trouble: { readonly reason: string, readonly message: string } | undefined
  #packTrouble: { readonly reason: string, readonly message: string } | undefined
  #toldAtMs = -Infinity
  #deadlineMs = Infinity
  #closed = false
  readonly #ageTimer: NodeJS.Timeout

  /** Takes the store at once. @throws {Error} that says what to mend, when it cannot be used */
  constructor(options: StoreSinkOptions, host: SinkHost) {
    this.name = `store:${options.folder}`
    this.#options = options
    this.#host = host
    this.#tally = new Tally(host)
    this.#queue = new BatchQueue(options.queueBytesMax)
    try {
      makeFolder(options.folder)
      this.#lockFd = lockStore(options.folder)
      const { journals, segments, covered, unfinished } = listStore(options.folder)
      this.#next = 1 + Math.max(journals.at(-1)?.number ?? 0, segments.reduce((most, { last }) => Math.max(most, last), 0))
      this.#packer = new PackerHandle(options, this.#lockFd, {
        packed: number => { this.#packed(number) },
        done: trouble => { this.#packTold(trouble) },
        log: (level, message) => { host.log(level, message) },
      })
      if (journals.length + covered.length + unfinished.length > 0) this.#packer.pack(this.#next)
    } catch (error) {
      throw new Error(`Cannot open the store "${options.folder}": ${explain(error)}`, { cause: error })
    }
    this.#ageTimer = setInterval(() => { this.#finishByAge() }, Math.min(options.journalMs, 1000))
    this.#ageTimer.unref()
  }

  write(batch: SafeBatch): void {
    if (this.#closed) this.#tally.refuse(batch, 'output closed')
    else if (!this.#queue.push(batch)) this.#tally.refuse(batch, this.#hindrance()?.reason ?? 'queue full')
    else {
      this.#tally.take()
      this.#start()
    }
  }

  flush(): Promise<void> {
    return this.#tally.flushed()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#ageTimer)
    this.#deadlineMs = Date.now() + CLOSE_MS_MAX
    this.#wake?.()
    await this.#pump
    while (!this.#queue.empty && Date.now() < this.#deadlineMs) {
      this.#start()
      await this.#pump
    }
    this.#queue.clear((batch, written) => this.#tally.settle(batch, written, this.#hindrance()?.reason ?? 'output closed'))
    this.#finish()
    // What is not packed by then stays in its journals, and is packed at the next start.
    await this.#packer.close(Math.max(0, this.#deadlineMs - Date.now()))
    closeSync(this.#lockFd)
  }

  health(): SinkHealth {
    return this.#tally.health(this.name, this.#queue.bytes, this.#queue.records, this.#hindrance()?.message)
  }

  #hindrance(): { readonly reason: string, readonly message: string } | undefined {
    return this.#trouble ?? this.#packTrouble ?? (this.#isBehind() ? BEHIND : undefined)
  }

  #isBehind(): boolean {
    return this.#backlogBytes > this.#options.backlogBytes
  }

  #start(): void {
    this.#pump ??= this.#run().finally(() => {
      this.#pump = undefined
      if (!this.#queue.empty && !this.#closed) this.#start()
    })
  }

  /** Writes until the queue is empty. One at a time; never rejects. */
  async #run(): Promise<void> {
    let retryMs = RETRY_MS_MIN
    do {
      if (this.#isBehind() && Date.now() < this.#deadlineMs) {
        await this.#pause(RETRY_MS_MAX) // woken when a journal is packed
        continue
      }
      const error = await this.#step(retryMs === RETRY_MS_MIN ? WRITE_BYTES_MAX : 0)
      if (error === undefined) {
        retryMs = RETRY_MS_MIN
        continue
      }
      this.#tell(error)
      if (Date.now() >= this.#deadlineMs) return
      await this.#pause(Math.min(retryMs, Math.max(1, this.#deadlineMs - Date.now())))
      retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)
    } while (!this.#queue.empty)
  }

  async #step(bytesMax: number): Promise<unknown> {
    try {
      const [first] = this.#queue.front(1, 0)
      if (first === undefined) return undefined
      const open = this.#journal
      if (open !== undefined && open.size > 0 && open.size + first.length > this.#options.journalBytes) this.#finish()
      const journal = this.#journal ??= new Journal(this.#options.folder, this.#next++)
      const parts = this.#queue.front(PARTS_MAX, Math.min(bytesMax, this.#options.journalBytes - journal.size))
      const bytes = await journal.append(parts, this.#queue.recordsOf(parts.length))
      this.#tally.wrote(bytes)
      this.#queue.advance(bytes, batch => this.#tally.settle(batch, batch.count))
      this.#recovered()
      return undefined
    } catch (error) {
      return error
    }
  }

  /** The journal takes no more; it waits for the packer. */
  #finish(): void {
    const journal = this.#journal
    if (journal === undefined) return
    this.#journal = undefined
    journal.close()
    this.#backlog.set(journal.number, journal.size)
    this.#backlogBytes += journal.size
    this.#packer.pack(journal.number + 1)
  }

  #finishByAge(): void {
    const journal = this.#journal
    if (this.#pump !== undefined || journal === undefined || Date.now() - journal.bornMs < this.#options.journalMs) return
    this.#finish()
  }

  #packed(number: number): void {
    this.#backlogBytes -= this.#backlog.get(number) ?? 0
    this.#backlog.delete(number)
    this.#wake?.()
  }

  #packTold(trouble: { readonly reason: string, readonly message: string } | undefined): void {
    if (trouble === undefined && this.#packTrouble !== undefined) this.#host.log('info', `packing "${this.#options.folder}" works again`)
    if (trouble !== undefined && trouble.reason !== this.#packTrouble?.reason) {
      this.#host.log('error', `${trouble.message}; what is stored waits in its journals, trying again`)
    }
    this.#packTrouble = trouble
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

  #tell(error: unknown): void {
    const reason = reasonOf(error)
    const message = `Cannot write to the store "${this.#options.folder}": ${explain(error)}`
    const now = Date.now()
    if (this.#trouble?.reason !== reason || now - this.#toldAtMs >= TELL_MS) {
      this.#toldAtMs = now
      this.#host.log('error', `${message}; trying again, the capture goes on`)
    }
    this.#trouble = { reason, message }
  }

  #recovered(): void {
    if (this.#trouble === undefined) return
    this.#trouble = undefined
    this.#host.log('info', `writing to the store "${this.#options.folder}" works again`)
  }
}
