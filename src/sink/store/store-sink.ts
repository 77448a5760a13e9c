import { closeSync } from 'node:fs'
import { join } from 'node:path'
import type { SafeBatch } from '../batch.ts'
import { explain } from '../disk-trouble.ts'
import { lockFolder } from '../folder-lock.ts'
import { Journal } from '../journal.ts'
import { makeFolder } from '../line-file.ts'
import { PARTS_MAX, QueueWriter, WRITE_BYTES_MAX } from '../queue-writer.ts'
import type { Sink, SinkHealth, SinkHost } from '../sink.ts'
import type { Trouble } from '../trouble.ts'
import { PackerHandle } from './packer-handle.ts'
import { journalName, listStore } from './store-folder.ts'

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
  readonly #writer: QueueWriter
  readonly #lockFd: number
  readonly #packer: PackerHandle
  /** Bytes of finished journals that are not packed yet, by number. */
  readonly #backlog = new Map<number, number>()
  #backlogBytes = 0
  #journal: Journal | undefined
  #next: number
  #packTrouble: Trouble | undefined
  readonly #ageTimer: NodeJS.Timeout

  /** Takes the store at once. @throws {Error} that says what to mend, when it cannot be used */
  constructor(options: StoreSinkOptions, host: SinkHost) {
    this.name = `store:${options.folder}`
    this.#options = options
    this.#host = host
    this.#writer = new QueueWriter(host, {
      target: `the store "${options.folder}"`, queueBytesMax: options.queueBytesMax, step: isRetry => this.#step(isRetry),
      hindrance: () => this.#packTrouble ?? (this.#isBehind() ? BEHIND : undefined),
      isHeld: () => this.#isBehind(), // woken when a journal is packed
    })
    try {
      makeFolder(options.folder)
      this.#lockFd = lockFolder(options.folder)
      const { journals, segments, covered, unfinished, rollups } = listStore(options.folder)
      this.#next = 1 + Math.max(journals.at(-1)?.number ?? 0, segments.reduce((most, { last }) => Math.max(most, last), 0))
      this.#packer = new PackerHandle(options, this.#lockFd, {
        packed: number => { this.#packed(number) },
        done: trouble => { this.#packTold(trouble) },
        log: (level, message) => { host.log(level, message) },
      })
      const lack = segments.length - rollups.size
      if (journals.length + covered.length + unfinished.length + lack > 0) this.#packer.pack(this.#next)
    } catch (error) {
      throw new Error(`Cannot open the store "${options.folder}": ${explain(error)}`, { cause: error })
    }
    this.#ageTimer = setInterval(() => { this.#finishByAge() }, Math.min(options.journalMs, 1000))
    this.#ageTimer.unref()
  }

  write(batch: SafeBatch): void {
    this.#writer.write(batch)
  }

  flush(): Promise<void> {
    return this.#writer.tally.flushed()
  }

  async close(): Promise<void> {
    if (this.#writer.isClosed) return
    clearInterval(this.#ageTimer)
    await this.#writer.close()
    this.#finish()
    // What is not packed by then stays in its journals, and is packed at the next start.
    await this.#packer.close(this.#writer.msLeft)
    closeSync(this.#lockFd)
  }

  health(): SinkHealth {
    return this.#writer.health(this.name)
  }

  #isBehind(): boolean {
    return this.#backlogBytes > this.#options.backlogBytes
  }

  /** After trouble one batch at a time: a disk that is almost full takes what fits. */
  async #step(isRetry: boolean): Promise<void> {
    const { queue } = this.#writer
    const [first] = queue.front(1, 0)
    if (first === undefined) return
    const open = this.#journal
    if (open !== undefined && open.size > 0 && open.size + first.length > this.#options.journalBytes) this.#finish()
    const journal = this.#journal ??= this.#begin()
    const parts = queue.front(PARTS_MAX, Math.min(isRetry ? 0 : WRITE_BYTES_MAX, this.#options.journalBytes - journal.size))
    this.#writer.wrote(await journal.append(parts, queue.recordsOf(parts.length)))
    this.#writer.recovered()
  }

  #begin(): Journal {
    const number = this.#next++
    return new Journal(join(this.#options.folder, journalName(number)), number)
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
    if (this.#writer.isWriting || journal === undefined || Date.now() - journal.bornMs < this.#options.journalMs) return
    this.#finish()
  }

  #packed(number: number): void {
    this.#backlogBytes -= this.#backlog.get(number) ?? 0
    this.#backlog.delete(number)
    this.#writer.wake()
  }

  #packTold(trouble: Trouble | undefined): void {
    if (trouble === undefined && this.#packTrouble !== undefined) this.#host.log('info', `packing "${this.#options.folder}" works again`)
    if (trouble !== undefined && trouble.reason !== this.#packTrouble?.reason) {
      this.#host.log('error', `${trouble.message}; what is stored waits in its journals, trying again`)
    }
    this.#packTrouble = trouble
  }
}
