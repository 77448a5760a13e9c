import { close, constants, ftruncateSync, openSync, readFileSync, renameSync, truncateSync, writeFileSync, writev } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { countLines } from './batch.ts'
import { behind } from './line-file.ts'

const writevAsync = promisify(writev)

/** A letter of a seal that most lines do not have at its place. */
const [LETTER_AT, LETTER] = [2, 0x6a]
const LF = 10
/** A line that no record is: a record's line has no raw LF in it. */
const SEAL = /^\{"journal":\{"crc32":"([0-9a-f]{8})","bytes":(\d+),"records":(\d+)\}\}\n$/
/** A seal is no longer than this. */
export const SEAL_BYTES_MAX = 200
/** Files that are made begin with this until they are whole. */
export const UNFINISHED = 'unfinished-'

/**
 * A file of batches: the lines as they came, and behind each write a seal, `{"journal":{"crc32":...,"bytes":...,"records":...}}`,
 * over what was written since the seal before. What is sealed has reached the kernel: it survives the end of this process,
 * however it comes. A file never grows again once its process is gone. A store makes it into a segment, a spool sends it on; then
 * it is removed.
 */
export class Journal {
  readonly number: number
  readonly bornMs = Date.now()
  readonly #fd: number
  #size = 0

  /** Makes the file (0600). @throws {Error} with `code` of the system call */
  constructor(path: string, number: number) {
    this.number = number
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
    this.#fd = openSync(path, flags, 0o600)
  }

  get size(): number {
    return this.#size
  }

  /**
   * Writes the parts and their seal: all of it, or nothing.
   *
   * @returns bytes written
   * @throws {Error} with `code` of the system call; the file is as it was
   */
  async append(parts: readonly Uint8Array[], records: number): Promise<number> {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0)
    const sum = parts.reduce((value, part) => crc32(part, value), 0)
    const whole = [...parts, sealLine(sum, bytes, records)]
    const total = bytes + (whole.at(-1) as Uint8Array).length
    try {
      for (let done = 0; done < total;) {
        const { bytesWritten } = await writevAsync(this.#fd, behind(whole, done))
        if (bytesWritten === 0) throw Object.assign(new Error('Cannot write: the system took no byte'), { code: 'EIO' })
        done += bytesWritten
      }
    } catch (error) {
      ftruncateSync(this.#fd, this.#size)
      throw error
    }
    this.#size += total
    return bytes
  }

  close(): void {
    close(this.#fd, () => {})
  }
}

function sealLine(sum: number, bytes: number, records: number): Uint8Array {
  return Buffer.from(`{"journal":{"crc32":"${sum.toString(16).padStart(8, '0')}","bytes":${bytes},"records":${records}}}\n`)
}

export interface JournalCheck {
  /** Records in sealed pieces that are as they were written. */
  readonly records: number
  /** Bytes up to the last seal. */
  readonly sealedBytes: number
  /** Bytes behind it: a write that a kill cut short, never acknowledged. */
  readonly tornBytes: number
  /** Bytes of sealed pieces that are not as they were written. */
  readonly damagedBytes: number
}

/**
 * Reads a journal that nobody writes to, and mends it: what is torn is cut off; with a damaged piece the file is written anew
 * without it.
 *
 * @param setAside is called before a damaged file is replaced; it gives the file one more name, or moves it
 * @param read     gives all bytes of a file
 * @throws {Error} with `code` of the system call; the file is as it was
 */
export function mendJournal(path: string, setAside: () => void, read: (path: string) => Buffer = readFileSync): JournalCheck {
  const { check, good } = checkJournal(read(path))
  if (check.damagedBytes > 0) {
    const fresh = join(dirname(path), `${UNFINISHED}${basename(path)}`)
    writeFileSync(fresh, Buffer.concat(good), { mode: 0o600 })
    setAside()
    renameSync(fresh, path)
  } else if (check.tornBytes > 0) {
    truncateSync(path, check.sealedBytes)
  }
  return check
}

/** What of a journal's bytes is sound. */
export function checkJournal(bytes: Buffer): { check: JournalCheck, good: readonly Buffer[] } {
  const good: Buffer[] = []
  let [records, sealed, damaged] = [0, 0, 0]
  for (let piece = pieceAt(bytes, 0); piece !== undefined; piece = pieceAt(bytes, piece.next)) {
    damaged += piece.damagedBytes
    sealed = piece.next
    if (piece.start === piece.next) continue
    good.push(bytes.subarray(piece.start, piece.next))
    records += piece.records
  }
  return { check: { records, sealedBytes: sealed, tornBytes: bytes.length - sealed, damagedBytes: damaged }, good }
}

/** What one seal stands for: offsets into the bytes that were searched. */
export interface SealedPiece {
  /** The lines stand in `[start, end)`; both are `next` when they are not as they were written. */
  readonly start: number
  readonly end: number
  /** Behind the seal. */
  readonly next: number
  readonly records: number
  /** What stands before the lines and is not as it was written. */
  readonly damagedBytes: number
  /** Records in it: those that its seal tells, or, where the seal is gone as well, its lines. */
  readonly damagedRecords: number
}

/**
 * What the first seal from `at` on stands for. A seal says how long its own lines are: they are found also where the seal before them
 * is gone, whose lines nobody can vouch for any more.
 *
 * @returns undefined when there is no further seal
 */
export function pieceAt(bytes: Buffer, at: number): SealedPiece | undefined {
  const seal = sealAfter(bytes, at)
  if (seal === undefined) return undefined
  const start = seal.start - seal.length
  if (start >= at && crc32(bytes.subarray(start, seal.start)) === seal.sum) {
    return {
      start, end: seal.start, next: seal.end, records: seal.count, damagedBytes: start - at,
      damagedRecords: start === at ? 0 : Math.max(0, countLines(bytes, at, start) - 1), // one line of it is the seal that is gone
    }
  }
  return {
    start: seal.end, end: seal.end, next: seal.end, records: 0, damagedBytes: seal.end - at,
    damagedRecords: start === at ? seal.count : countLines(bytes, at, seal.start),
  }
}

/**
 * The same, without a search, where the first seal is thought to end at `end`, which stands in `bytes`.
 *
 * @returns what `pieceAt` says, where there is no seal there, or the lines before it are not as they were written
 */
export function pieceUpTo(bytes: Buffer, at: number, end: number): SealedPiece | undefined {
  const seal = sealAt(bytes, bytes.lastIndexOf(LF, end - 2) + 1, end)
  const isSound = seal !== undefined && seal.start - seal.length === at && crc32(bytes.subarray(at, seal.start)) === seal.sum
  return isSound ? { start: at, end: seal.start, next: end, records: seal.count, damagedBytes: 0, damagedRecords: 0 } : pieceAt(bytes, at)
}

interface Seal {
  readonly start: number
  readonly end: number
  readonly sum: number
  readonly length: number
  readonly count: number
}

/** Goes from line to line, which is five times as fast as a search for the words that a seal begins with. */
function sealAfter(bytes: Buffer, from: number): Seal | undefined {
  for (let start = from, end = from; (end = bytes.indexOf(LF, start) + 1) !== 0; start = end) {
    const seal = sealAt(bytes, start, end)
    if (seal !== undefined) return seal
  }
  return undefined
}

/** The line in [start, end) as a seal. */
function sealAt(bytes: Buffer, start: number, end: number): Seal | undefined {
  if (bytes[start + LETTER_AT] !== LETTER || end - start > SEAL_BYTES_MAX) return undefined
  const found = SEAL.exec(bytes.toString('latin1', start, end))
  return found === null ? undefined
    : { start, end, sum: Number.parseInt(found[1] as string, 16), length: Number(found[2]), count: Number(found[3]) }
}
