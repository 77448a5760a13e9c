import { constants, fstatSync, ftruncateSync, openSync, readSync, closeSync, statSync, mkdirSync, writev, writevSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { endOfLastLine } from './batch.ts'
import { WrittenPages } from './written-pages.ts'

const writevAsync = promisify(writev)

export interface LineFileOptions {
  readonly path: string
  /** Permissions when the file is created. */
  readonly mode: number
}

export interface Appended {
  /** Bytes now in the file, up to an end of line. */
  readonly bytes: number
  /** Why it is not everything. */
  readonly error?: NodeJS.ErrnoException
}

/** How far back an unfinished line is looked for: more than the longest record. */
const TAIL_BYTES_MAX = 16 * 1024 * 1024
const LF = 10

/**
 * A file that holds whole lines only, whatever happens to the disk or to the process.
 *
 * Opened for appending and never through a symbolic link as last part of the path: a link planted in a shared folder
 * would let somebody choose which file root appends to.
 */
export class LineFile {
  readonly path: string
  readonly #fd: number
  readonly #device: number
  readonly #inode: number
  /** True for a plain file: it has a size, can be cut back, rotated, replaced. False for a device or a pipe. */
  readonly regular: boolean
  /** Milliseconds since the epoch; when this file began. */
  readonly bornMs: number
  #size: number
  /** Bytes of an unfinished line at the end that could not be cut off yet. */
  #tornBytes = 0
  readonly #pages: WrittenPages | undefined

  private constructor(path: string, fd: number) {
    const stat = fstatSync(fd)
    this.path = path
    this.#fd = fd
    this.#device = stat.dev
    this.#inode = stat.ino
    this.regular = stat.isFile()
    this.bornMs = stat.size > 0 && stat.birthtimeMs > 0 ? stat.birthtimeMs : Date.now()
    this.#size = this.regular ? stat.size : 0
    if (this.regular) this.#pages = new WrittenPages(fd, stat.size)
  }

  /**
   * Makes missing folders (0700) and the file. An unfinished line at its end, left by a killed process, is removed when
   * it is one of ours, and ended when it is not.
   *
   * @returns the file, and how many bytes of an unfinished line were removed
   * @throws {Error} with `code` of the system call
   */
  static open(options: LineFileOptions): { file: LineFile, removedBytes: number } {
    makeFolder(dirname(options.path))
    const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK
    const fd = openSync(options.path, flags, options.mode)
    try {
      const file = new LineFile(options.path, fd)
      return { file, removedBytes: file.#heal() }
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  /** Bytes in the file. */
  get size(): number {
    return this.#size
  }

  /**
   * Writes the parts one after the other with as few system calls as the system allows. When the disk says no in the
   * middle of a line, a plain file is cut back to the end of the line before. Never rejects.
   */
  async append(parts: readonly Uint8Array[]): Promise<Appended> {
    const total = parts.reduce((sum, part) => sum + part.length, 0)
    let done = 0
    let error = this.#cutBack()
    if (error !== undefined) return { bytes: 0, error }
    while (done < total) {
      try {
        const { bytesWritten } = await writevAsync(this.#fd, behind(parts, done))
        if (bytesWritten === 0) throw Object.assign(new Error('Cannot write: the system took no byte'), { code: 'EIO' })
        done += bytesWritten
      } catch (cause) {
        error = cause as NodeJS.ErrnoException
        break
      }
    }
    if (error === undefined) {
      this.#size += total
      this.#pages?.grownTo(this.#size)
      return { bytes: total }
    }
    const kept = this.regular ? lineEnd(parts, done) : done
    this.#tornBytes = done - kept
    this.#cutBack()
    this.#size += kept
    return { bytes: kept, error }
  }

  /** True when the path leads to another file now, or to none. */
  replaced(): boolean {
    if (!this.regular) return false
    const stat = statSync(this.path, { throwIfNoEntry: false })
    return stat === undefined || stat.ino !== this.#inode || stat.dev !== this.#device
  }

  close(): void {
    const close = (): void => { closeSync(this.#fd) }
    if (this.#pages === undefined || this.#pages.idle) close()
    else void this.#pages.settled().then(close)
  }

  /** A disk that refused a write may refuse this as well: then it is done before the next write, or by the next open. */
  #cutBack(): NodeJS.ErrnoException | undefined {
    if (this.#tornBytes === 0) return undefined
    try {
      ftruncateSync(this.#fd, fstatSync(this.#fd).size - this.#tornBytes)
      this.#tornBytes = 0
      return undefined
    } catch (error) {
      return error as NodeJS.ErrnoException
    }
  }

  #heal(): number {
    if (this.#size === 0) return 0
    const length = Math.min(this.#size, TAIL_BYTES_MAX)
    const last = Buffer.alloc(1)
    readSync(this.#fd, last, 0, 1, this.#size - 1)
    if (last[0] === LF) return 0
    const tail = Buffer.alloc(length)
    readSync(this.#fd, tail, 0, length, this.#size - length)
    const start = endOfLastLine(tail, length)
    if (start === 0 && length < this.#size) return 0
    if (!tail.subarray(start).toString('latin1').startsWith('{"kind":')) return this.#endLine()
    ftruncateSync(this.#fd, this.#size - (length - start))
    this.#size -= length - start
    return length - start
  }

  /** Somebody else's text without an end of line: ours begins on a new one. */
  #endLine(): number {
    writevSync(this.#fd, [Buffer.of(LF)])
    this.#size += 1
    return 0
  }
}

/**
 * Like `mkdir -p`, 0700. Not mkdirSync's own `recursive`: in a file system that takes no folders (/proc) that never ends.
 */
export function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return
  const parent = dirname(path)
  if (parent !== path) makeFolder(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Somebody else was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(path).isDirectory()) throw error
  }
}

/** The parts without their first `bytes` bytes. */
export function behind(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes
  const rest: Uint8Array[] = []
  for (const part of parts) {
    if (left >= part.length) left -= part.length
    else {
      rest.push(left === 0 ? part : part.subarray(left))
      left = 0
    }
  }
  return rest
}

/** Offset behind the last LF within the first `bytes` bytes of the parts taken together. */
function lineEnd(parts: readonly Uint8Array[], bytes: number): number {
  let start = 0
  let end = 0
  for (const part of parts) {
    const within = Math.min(part.length, bytes - start)
    if (within <= 0) break
    const local = endOfLastLine(part, within)
    if (local > 0) end = start + local
    start += part.length
  }
  return end
}
