import { resolve } from 'node:path'
import { z } from 'zod'
import { bytesSchema, durationSchema } from '../../lib/units/mod.ts'
import type { SafeBatch } from './batch.ts'
import { explain } from './disk-trouble.ts'
import { IdleCpus } from './idle-cpus.ts'
import { LineFile } from './line-file.ts'
import { PARTS_MAX, QueueWriter, WRITE_BYTES_MAX } from './queue-writer.ts'
import { RotatedFiles } from './rotated-files.ts'
import type { Sink, SinkHealth, SinkHost } from './sink.ts'
import { fieldsOption, sharedOptions, type SharedOptions, type SinkKind } from './sink-kind.ts'

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

const LOOK_MS = 1000

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
  readonly #writer: QueueWriter
  readonly #rotated: RotatedFiles
  #file: LineFile | undefined
  #lookedAtMs = -Infinity
  #reopen = false
  readonly #ageTimer: NodeJS.Timeout

  /** Opens the file at once. @throws {Error} that says what to mend, when it cannot be opened for writing */
  constructor(options: FileSinkOptions, host: SinkHost) {
    this.name = `file:${options.path}`
    this.#options = options
    this.#host = host
    this.#writer = new QueueWriter(host, {
      target: `"${options.path}"`, queueBytesMax: options.queueBytesMax, step: () => this.#step(),
      // A file on a disk that was remounted or replaced does not come back by itself.
      troubled: ({ reason }) => { if (reason !== 'disk full') this.#reopen = true },
    })
    const processors = new IdleCpus()
    this.#rotated = new RotatedFiles({
      ...options, log: (level, message) => host.log(level, message), idleCpus: () => processors.look(),
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
    this.#writer.write(batch)
  }

  flush(): Promise<void> {
    return this.#writer.tally.flushed()
  }

  async reload(): Promise<void> {
    this.#reopen = true
    this.#writer.wake()
    this.#writer.start()
  }

  async close(): Promise<void> {
    if (this.#writer.isClosed) return
    clearInterval(this.#ageTimer)
    await this.#writer.close()
    this.#file?.close()
    this.#file = undefined
    await this.#rotated.close()
  }

  health(): SinkHealth {
    return this.#writer.health(this.name)
  }

  /** Resolves when rotated files are compressed and the old ones removed. */
  tidied(): Promise<void> {
    return this.#rotated.tidy()
  }

  async #step(): Promise<void> {
    const file = this.#ready()
    const { queue } = this.#writer
    const room = file.regular ? this.#options.rotateBytes - file.size : WRITE_BYTES_MAX
    const parts = queue.front(PARTS_MAX, Math.min(WRITE_BYTES_MAX, room))
    if (parts.length === 0) return
    const { bytes, error } = await file.append(parts)
    this.#writer.wrote(bytes)
    if (error !== undefined) throw error
    this.#writer.recovered()
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
    const next = this.#writer.queue.front(1, 0)[0]?.length ?? 0
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
    if (this.#writer.isWriting || file === undefined || !file.regular || file.size === 0) return
    if (Date.now() - file.bornMs < this.#options.rotateMs) return
    try {
      if (file.replaced()) this.#reopen = true
      else this.#rotate()
    } catch (error) {
      this.#writer.tell(error)
    }
  }

  #release(): void {
    this.#file?.close()
    this.#file = undefined
  }
}

const PATH = z.string({ error: 'must be a path' }).min(1, 'must not be empty').refine(path => !path.includes('\0'), 'must not contain NUL')

export const fileKind = {
  type: 'file',
  schema: z.strictObject({
    type: z.literal('file'),
    ...sharedOptions,
    ...fieldsOption,
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
    compress: z.boolean().default(true)
      .describe('Compress rotated files with zstd, once a processor of the machine is idle, 30 s later at the most.'),
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
