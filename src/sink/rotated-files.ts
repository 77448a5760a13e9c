import { constants, createReadStream, createWriteStream, linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs'
import { lstat, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { constants as zlib, createZstdCompress } from 'node:zlib'
import type { LogLevel } from './sink.ts'

export interface RotatedFilesOptions {
  /** Path of the file that is written now. */
  readonly path: string
  readonly mode: number
  readonly compress: boolean
  /** Rotated files kept at most. */
  readonly keepFiles: number
  /** Bytes of all rotated files at most. */
  readonly keepBytes: number
  readonly log: (level: LogLevel, message: string) => void
  /** Processors of the host that had nothing to do since the last call: while there is none, compression waits. */
  readonly idleCpus: () => number
}

const COMPRESSED = '.zst'
const UNFINISHED = '.zst.part'
const READ_BYTES = 1 << 20
const ATTEMPTS_MAX = 1000
/** Compression begins when this much of a processor was idle for QUIET_MS: a gateway at its limit leaves a third of one on two, in pieces. */
const IDLE_TO_BEGIN = 0.9
const QUIET_MS = 500
/** Where all processors are always busy it goes on after this long: files are compressed late there, but they are. */
const PATIENCE_MS = 30_000
/** Once it runs it takes one itself; it makes room when not even this much is left. */
const IDLE_TO_GO_ON = 0.4
/** How often the processors are looked at while a file is compressed. */
const LOOK_MS = 100

/** A file is begun anew later: others have to be removed first. */
class PutOff extends Error {}

/**
 * What happens to files after rotation: named by the time of rotation, compressed one at a time in the background once the
 * load leaves room for it, the oldest removed when there are too many. `requests.ndjson` becomes `requests-20261122T143512123Z.ndjson.zst`, so that
 * names in alphabetical order are in order of time.
 *
 * The folder itself is the list of what is left to do: a run that was killed is finished by the next.
 */
export class RotatedFiles {
  readonly #options: RotatedFilesOptions
  readonly #folder: string
  readonly #pattern: RegExp
  readonly #stem: string
  readonly #extension: string
  #running: Promise<void> = Promise.resolve()
  #again = false
  #busy = false
  #abort = new AbortController()
  /** For a processor, since the last file was compressed. */
  #waitedMs = 0

  constructor(options: RotatedFilesOptions) {
    this.#options = options
    this.#folder = dirname(options.path)
    this.#extension = extname(options.path)
    this.#stem = basename(options.path, this.#extension)
    this.#pattern = new RegExp(`^${RegExp.escape(this.#stem)}-\\d{8}T\\d{9}Z${RegExp.escape(this.#extension)}(\\.zst)?$`)
  }

  /**
   * Gives the current file its rotated name. Never over another file: link() refuses where rename() would replace.
   *
   * @returns the new path
   * @throws {Error} with `code` of the system call
   */
  moveAside(now: Date): string {
    for (let attempt = 0; ; attempt++) {
      const path = this.#rotatedPath(new Date(now.getTime() + attempt))
      if (exists(path + COMPRESSED)) continue
      try {
        linkSync(this.#options.path, path)
        unlinkSync(this.#options.path)
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code
        if (code === 'EEXIST' && attempt < ATTEMPTS_MAX) continue
        // File systems without hard links say EPERM (link(2)).
        if (code !== 'EPERM' || exists(path)) throw error
        renameSync(this.#options.path, path)
      }
      return path
    }
  }

  /** Compresses and removes in the background; a second call while it runs makes it look once more. Never rejects. */
  tidy(): Promise<void> {
    this.#again = true
    if (this.#busy) return this.#running
    this.#busy = true
    this.#running = this.#work()
    return this.#running
  }

  /** Stops the work at hand; what is unfinished is removed now and begun anew by the next run. */
  async close(): Promise<void> {
    this.#abort.abort()
    this.#again = false
    await this.#running
  }

  async #work(): Promise<void> {
    try {
      while (this.#again && !this.#abort.signal.aborted) {
        this.#again = false
        if (this.#options.compress) await this.#compressAll()
        await this.#removeOldest()
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#options.log('warn', this.#told(error))
    } finally {
      this.#busy = false
    }
  }

  #told(error: unknown): string {
    return `Cannot tidy rotated files in "${this.#folder}": ${(error as Error).message}; they stay as they are and are ` +
      'tried again at the next rotation'
  }

  #rotatedPath(time: Date): string {
    return join(this.#folder, `${this.#stem}-${time.toISOString().replaceAll(/[-:.]/g, '')}${this.#extension}`)
  }

  /** Names of rotated files, oldest first. */
  async #names(): Promise<string[]> {
    return (await readdir(this.#folder)).filter(name => this.#pattern.test(name)).sort()
  }

  async #compressAll(): Promise<void> {
    for (const name of await this.#names()) {
      if (this.#abort.signal.aborted) return
      if (name.endsWith(COMPRESSED)) continue
      if (!await this.#untilQuiet()) return
      await this.#compress(join(this.#folder, name))
    }
  }

  /**
   * Waits for a moment with a processor to spare, for one file PATIENCE_MS at most in all.
   *
   * @returns false when the work is to stop, or there is something to remove first
   */
  async #untilQuiet(): Promise<boolean> {
    this.#options.idleCpus()
    while (this.#waitedMs < PATIENCE_MS) {
      await delay(QUIET_MS, undefined, { signal: this.#abort.signal, ref: false })
      if (this.#options.idleCpus() >= IDLE_TO_BEGIN) return true
      this.#waitedMs += QUIET_MS
      if (this.#again) return false
    }
    return true
  }

  /** Passes a file on for as long as a processor is left over: a load that comes back finds it free. */
  async * #whileQuiet(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let since = performance.now()
    for await (const chunk of chunks) {
      yield chunk
      if (performance.now() - since < LOOK_MS) continue
      if (this.#options.idleCpus() < IDLE_TO_GO_ON && !await this.#untilQuiet()) throw new PutOff()
      since = performance.now()
    }
  }

  /** To a new name first: a file that ends in .zst is always whole. */
  async #compress(path: string): Promise<void> {
    const part = path + UNFINISHED
    await rm(part, { force: true })
    const level = { params: { [zlib.ZSTD_c_compressionLevel]: 1, [zlib.ZSTD_c_checksumFlag]: 1 } }
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
    try {
      await pipeline(
        createReadStream(path, { highWaterMark: READ_BYTES, flags: constants.O_RDONLY | constants.O_NOFOLLOW } as never),
        (chunks: AsyncIterable<Buffer>) => this.#whileQuiet(chunks), createZstdCompress(level),
        createWriteStream(part, { flags: flags as never, mode: this.#options.mode, flush: true }),
        { signal: this.#abort.signal })
      this.#waitedMs = 0
      await rename(part, path + COMPRESSED)
      await syncFolder(this.#folder)
      await rm(path)
    } catch (error) {
      await rm(part, { force: true })
      if (!(error instanceof PutOff)) throw error
    }
  }

  async #removeOldest(): Promise<void> {
    let bytes = 0
    let files = 0
    for (const name of (await this.#names()).reverse()) {
      const path = join(this.#folder, name)
      const stat = await lstat(path)
      if (!stat.isFile()) continue
      files++
      bytes += stat.size
      if (files <= this.#options.keepFiles && (bytes <= this.#options.keepBytes || files === 1)) continue
      await rm(path)
      this.#options.log('info', `removed "${path}" (${stat.size} bytes): more than is to be kept`)
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
