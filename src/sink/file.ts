import { resolve } from 'node:path'
import { z } from 'zod'
import { bytesSchema, durationSchema } from '../../lib/units/mod.ts'
import { BatchQueue } from './batch-queue.ts'
import type { SafeBatch } from './batch.ts'
import { explain, reasonOf } from './disk-trouble.ts'
import { LineFile } from './line-file.ts'
import { RotatedFiles } from './rotated-files.ts'
import { CLOSE_MS_MAX, type Sink, type SinkHealth, type SinkHost } from './sink.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from './sink-kind.ts'
import { Tally } from './tally.ts'

export interface FileSinkOptions {
  readonly path: string
  /** Permissions of the files that are created. */
  readonly mode: number
  /** A file is rotated before it grows over this. */
  readonly rotateBytes: number
  /** A file is rotated when it is older. */
  readonly rotateMs: number
  readonly keepFiles: number
  readonly keepBytes: number
  readonly compress: boolean
  readonly queueBytesMax: number
}

const PARTS_MAX = 256
const WRITE_BYTES_MAX = 8 * 1024 * 1024
const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 5000
const LOOK_MS = 1000
/** The same trouble is told again after this long. */
const TELL_MS = 60_000

/**
 * NDJSON to a file: one system call for all batches that wait, whole lines only, rotated by size and age.
 *
 * Trouble (disk full, I/O error, folder gone, read-only) never reaches the capture: what is queued is tried again until
 * it works; what no longer fits into the queue is dropped under the name of the trouble.
 */
export class FileSink implements Sink {
  readonly name: string
  readonly #options: FileSinkOptions
  readonly #host: SinkHost
  readonly #tally: Tally
  readonly #queue: BatchQueue
  readonly #rotated: RotatedFiles
  #file: LineFile | undefined
  #pump: Promise<void> | undefined
  #wake: (() => void) | undefined
  #trouble: { readonly reason: string, readonly message: string } | undefined
  #toldAtMs = -Infinity
  #lookedAtMs = -Infinity
  #reopen = false
  #deadlineMs = Infinity
  #closed = false
  readonly #ageTimer: NodeJS.Timeout

  /** Opens the file at once. @throws {Error} that says what to mend, when it cannot be opened for writing */
  constructor(options: FileSinkOptions, host: SinkHost) {
    this.name = `file:${options.path}`
    this.#options = options
    this.#host = host
    this.#tally = new Tally(host)
    this.#queue = new BatchQueue(options.queueBytesMax)
    this.#rotated = new RotatedFiles({
      ...options, log: (level, message) => host.log(level, message), writtenBytes: () => this.#tally.writtenBytes,
    })
    try {
      this.#open()
    } catch (error) {
      throw new Error(`Cannot open "${options.path}" for writing: ${explain(error)}`, { cause: error })
    }
    void this.#rotated.tidy()
    this.#ageTimer = setInterval(() => this.#rotateByAge(), Math.min(options.rotateMs, 60_000))
    this.#ageTimer.unref()
  }

  write(batch: SafeBatch): void {
    if (this.#closed) this.#tally.refuse(batch, 'output closed')
    else if (!this.#queue.push(batch)) this.#tally.refuse(batch, this.#trouble?.reason ?? 'queue full')
    else {
      this.#tally.take()
      this.#start()
    }
  }

  flush(): Promise<void> {
    return this.#tally.flushed()
  }

  async reload(): Promise<void> {
    this.#reopen = true
    this.#wake?.()
    this.#start()
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
    this.#queue.clear((batch, written) => this.#tally.settle(batch, written, this.#trouble?.reason ?? 'output closed'))
    this.#file?.close()
    this.#file = undefined
    await this.#rotated.close()
  }

  health(): SinkHealth {
    return this.#tally.health(this.name, this.#queue.bytes, this.#queue.records, this.#trouble?.message)
  }

  /** Resolves when rotated files are compressed and the old ones removed. */
  tidied(): Promise<void> {
    return this.#rotated.tidy()
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
      const error = await this.#step()
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

  async #step(): Promise<unknown> {
    try {
      const file = this.#ready()
      const room = file.regular ? this.#options.rotateBytes - file.size : WRITE_BYTES_MAX
      const parts = this.#queue.front(PARTS_MAX, Math.min(WRITE_BYTES_MAX, room))
      if (parts.length === 0) return undefined
      const { bytes, error } = await file.append(parts)
      this.#tally.wrote(bytes)
      this.#queue.advance(bytes, batch => this.#tally.settle(batch, batch.count))
      if (error === undefined) this.#recovered()
      return error
    } catch (error) {
      return error
    }
  }

  /** The file to write to: opened anew when asked, when gone, when it is time to rotate. */
  #ready(): LineFile {
    const now = Date.now()
    if (this.#file !== undefined && now - this.#lookedAtMs >= LOOK_MS) {
      this.#lookedAtMs = now
      if (this.#file.replaced()) {
        this.#host.log('warn', `"${this.#options.path}" was deleted or replaced by another program; writing to a new file. ` +
          'Lines of the last second may be in the old one')
        this.#reopen = true
      }
    }
    if (this.#reopen) {
      this.#release()
      this.#reopen = false
    }
    const file = this.#file ?? this.#open()
    const next = this.#queue.front(1, 0)[0]?.length ?? 0
    const full = file.size + next > this.#options.rotateBytes || now - file.bornMs >= this.#options.rotateMs
    return file.regular && file.size > 0 && full && next > 0 ? this.#rotate() : file
  }

  #open(): LineFile {
    const { file, removedBytes } = LineFile.open(this.#options)
    this.#file = file
    this.#lookedAtMs = Date.now()
    if (removedBytes > 0) {
      this.#host.log('warn', `removed ${removedBytes} bytes of an unfinished line at the end of "${this.#options.path}": ` +
        'an earlier run was killed while it wrote')
    }
    return file
  }

  #rotate(): LineFile {
    this.#rotated.moveAside(new Date())
    this.#release()
    const file = this.#open()
    void this.#rotated.tidy()
    return file
  }

  #rotateByAge(): void {
    const file = this.#file
    if (this.#pump !== undefined || file === undefined || !file.regular || file.size === 0) return
    if (Date.now() - file.bornMs < this.#options.rotateMs) return
    try {
      if (file.replaced()) this.#reopen = true
      else this.#rotate()
    } catch (error) {
      this.#tell(error)
    }
  }

  #release(): void {
    this.#file?.close()
    this.#file = undefined
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
    const message = `Cannot write to "${this.#options.path}": ${explain(error)}`
    const now = Date.now()
    if (this.#trouble?.reason !== reason || now - this.#toldAtMs >= TELL_MS) {
      this.#toldAtMs = now
      this.#host.log('error', `${message}; trying again, the capture goes on`)
    }
    this.#trouble = { reason, message }
    // A file on a disk that was remounted or replaced does not come back by itself.
    if (reason !== 'disk full') this.#reopen = true
  }

  #recovered(): void {
    if (this.#trouble === undefined) return
    this.#trouble = undefined
    this.#host.log('info', `writing to "${this.#options.path}" works again`)
  }
}

const PATH = z.string({ error: 'must be a path' }).min(1, 'must not be empty').refine(path => !path.includes('\0'), 'must not contain NUL')

export const fileKind = {
  type: 'file',
  schema: z.strictObject({
    type: z.literal('file'),
    ...sharedOptions,
    path: PATH.describe('File to append to; missing folders are made (0700).'),
    mode: z.string().regex(/^0?[0-7]{3}$/, 'must be three octal digits in quotes, e.g. "0640"').default('0600')
      .describe('Permissions of the files that are created.'),
    rotate: z.strictObject({
      bytes: bytesSchema({ min: '4KiB' }).prefault('256MiB')
        .describe('A file is rotated before it grows over this; lines that come at once (about 1 MiB at most) stay together.'),
      age: durationSchema({ min: '1s', max: '24d' }).prefault('24h').describe('A file is rotated when it is older.'),
    }).prefault({}).describe('When a new file is begun.'),
    keep: z.strictObject({
      files: z.int().min(0).max(100_000).default(64).describe('Rotated files kept at most.'),
      bytes: bytesSchema().prefault('16GiB').describe('Bytes of all rotated files at most; the newest always stays.'),
    }).prefault({}).describe('What is kept of rotated files; the oldest go first.'),
    compress: z.boolean().default(true).describe('Compress rotated files with zstd, once less than 32 MiB a second is written.'),
    queue_bytes: bytesSchema({ min: '1MiB', max: '4GiB' }).prefault('128MiB')
      .describe('Bytes that may wait for the disk; what comes then is dropped and counted.'),
  }).describe('NDJSON to a file, rotated, compressed, mode 0600.'),
  short: rest => rest === '' ? undefined : { type: 'file', path: rest },
  open: (options, host) => new FileSink({
    path: resolve(options.path), mode: Number.parseInt(options.mode, 8), rotateBytes: options.rotate.bytes,
    rotateMs: options.rotate.age, keepFiles: options.keep.files, keepBytes: options.keep.bytes,
    compress: options.compress, queueBytesMax: options.queue_bytes,
  }, host),
} satisfies SinkKind<FileOptions>

interface FileOptions extends SharedOptions {
  readonly type: 'file'
  readonly path: string
  readonly mode: string
  readonly rotate: { readonly bytes: number, readonly age: number }
  readonly keep: { readonly files: number, readonly bytes: number }
  readonly compress: boolean
  readonly queue_bytes: number
}
