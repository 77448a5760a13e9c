import { closeSync, rmSync } from 'node:fs'
import { explain } from '../disk-trouble.ts'
import { lockFolder } from '../folder-lock.ts'
import { Journal, SEAL_BYTES_MAX } from '../journal.ts'
import { makeFolder } from '../line-file.ts'
import type { LogLevel } from '../sink.ts'
import { TroubleTeller } from '../trouble.ts'
import { PositionFile } from './position-file.ts'
import { Segment } from './segment.ts'
import { type Lines, SegmentReader } from './segment-reader.ts'
import { listSegments, newSegment } from './spool-folder.ts'

export interface SpoolOptions {
  readonly folder: string
  /** All segments together; the oldest go to make room. */
  readonly bytesMax: number
  /** A segment is finished before it grows over this. */
  readonly segmentBytes: number
}

/** One record on its way. */
export interface SpooledRecord {
  /** The same each time that the record is sent, and of no other record. */
  readonly id: string
  /** Its JSON without the LF. */
  readonly line: Buffer
}

/** Records of one segment, in order; one batch at a time is under way. */
export interface SpoolBatch {
  readonly records: readonly SpooledRecord[]
  readonly segment: Segment
  /** Where the last line ends in its segment. */
  readonly end: number
}

export interface SpoolFigures {
  /** Records of this run, and those that were found at its start (as far as they are counted). */
  readonly spooled: number
  readonly found: number
  /** Records that are through. */
  readonly through: number
  /** Records that were lost here, by reason. */
  readonly dropped: ReadonlyMap<string, number>
  /** Not through yet. `spooled` + `found` = `through` + all of `dropped` + `waitingRecords`. */
  readonly waitingRecords: number
  readonly waitingBytes: number
}

/** Reasons that records are lost for in a spool. */
export const SPOOL_FULL = 'spool full'
export const SPOOL_DAMAGED = 'spool damaged'

const LF = 10

/**
 * A queue on disk with one writer and one reader, both here: what `append` has taken survives the end of this process, however it
 * comes, and is given again by `next` until `acknowledge` has said that it is through.
 *
 * Files: journals (`../journal.ts`) as segments, `position`, `lock`; 0600 in a folder that is made 0700. Nothing is synced: what was
 * written in the last seconds before a loss of power (not of the process) may be gone.
 *
 * Bounds: bytes of all segments. To make room the oldest segment goes, its records counted as `spool full`; those of the batch under
 * way can still come through.
 */
export class Spool {
  readonly #options: SpoolOptions
  readonly #log: (level: LogLevel, message: string) => void
  readonly #lockFd: number
  readonly #position: PositionFile
  /** In order; the last may be open. */
  readonly #segments: Segment[] = []
  #next: number
  #reader: SegmentReader | undefined
  /** The lines at hand, and how far they are given out. */
  #lines: Lines | undefined
  #at = 0
  #underWay: SpoolBatch | undefined
  #spooled = 0
  #found = 0
  #through = 0
  readonly #dropped = new Map<string, number>()
  readonly #full: TroubleTeller
  #wake: (() => void) | undefined

  /** Takes the folder for this process. @throws {Error} that says what to mend, when it cannot be used */
  constructor(options: SpoolOptions, log: (level: LogLevel, message: string) => void) {
    this.#options = options
    this.#log = log
    this.#full = new TroubleTeller(log)
    let lockFd: number | undefined
    try {
      makeFolder(options.folder)
      this.#lockFd = lockFd = lockFolder(options.folder)
      this.#position = new PositionFile(options.folder)
      const { found, isDamaged } = this.#position
      if (isDamaged) {
        log('error', `what was delivered of the spool "${options.folder}" is not known: its position file is damaged; all it holds is sent again`)
      }
      const files = listSegments(options.folder)
      this.#next = 1 + Math.max(files.at(-1)?.number ?? 0, found?.segment ?? 0)
      for (const file of files) {
        const segment = new Segment(file, undefined)
        if (segment.number === found?.segment) segment.through = found.offset
        if (segment.number >= (found?.segment ?? 0)) this.#segments.push(segment)
        else rmSync(file.path, { force: true }) // through as a whole: a kill came before this
      }
      this.#position.write({ segment: found?.segment ?? 0, offset: found?.offset ?? 0 }) // takes its room now, not when the disk is full
    } catch (error) {
      if (lockFd !== undefined) closeSync(lockFd)
      throw new Error(`Cannot open the spool "${options.folder}": ${explain(error)}`, { cause: error })
    }
  }

  /**
   * Writes whole lines. To be called once at a time.
   *
   * @returns bytes of them
   * @throws {Error} with `code` of the system call: nothing of it was taken
   */
  async append(parts: readonly Uint8Array[], records: number): Promise<number> {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0)
    this.#makeRoom(bytes + SEAL_BYTES_MAX)
    let open = this.#segments.at(-1)
    if (open?.journal !== undefined && open.size > 0 && open.size + bytes > this.#options.segmentBytes) this.#finish(open)
    if (open?.journal === undefined) open = this.#begin()
    const journal = open.journal as Journal
    try {
      await journal.append(parts, records)
    } catch (error) {
      if (open.size > 0) this.#finish(open) // a disk that is full has room again once this one is through and gone
      throw error
    }
    open.wrote(journal.size, records)
    this.#spooled += records
    this.wake()
    return bytes
  }

  /** Bytes that the open segment takes before the next one begins. */
  get room(): number {
    const open = this.#segments.at(-1)
    return open?.journal === undefined ? this.#options.segmentBytes : this.#options.segmentBytes - open.size
  }

  /**
   * The next records; the batch before must be acknowledged or released.
   *
   * @returns undefined when nothing waits
   * @throws {Error} with `code` of the system call
   */
  async next(recordsMax: number, bytesMax: number): Promise<SpoolBatch | undefined> {
    const records: SpooledRecord[] = []
    let [bytes, end] = [0, 0]
    await this.#count()
    for (let segment = this.#segments[0]; segment !== undefined; segment = this.#segments[0]) {
      let lines: Lines | undefined
      try {
        lines = this.#lines ??= await this.#read(segment)
      } catch (error) {
        if (records.length === 0 || segment.isGone) throw error
        break // what stands before it is given first; the next call meets it again
      }
      if (segment.isGone) { // while it was read: its records are counted
        records.length = 0
        bytes = 0
        continue
      }
      if (lines === undefined) {
        if (records.length > 0 || segment.journal !== undefined) break
        this.#leave(segment)
        continue
      }
      const taken = this.#take(lines, segment, records, recordsMax, bytesMax - bytes)
      bytes += taken
      end = lines.offset + this.#at
      if (this.#at < lines.bytes.length) break
      this.#lines = undefined
      if (records.length >= recordsMax || bytes >= bytesMax) break
    }
    const segment = this.#segments[0]
    if (records.length === 0 || segment === undefined) return undefined
    return this.#underWay = { records, segment, end }
  }

  /** The batch is through. It is known after a kill as well, unless this throws. @throws {Error} with `code` of the system call */
  acknowledge(batch: SpoolBatch): void {
    this.#underWay = undefined
    const { segment, end, records } = batch
    this.#through += records.length
    segment.left = (segment.left ?? 0) - records.length
    segment.through = end
    if (segment.isGone) return
    this.#position.write({ segment: segment.number, offset: end })
    this.#leaveIfThrough(segment)
  }

  /** The batch is not through, and is not given again in this run. */
  release(batch: SpoolBatch): void {
    this.#underWay = undefined
    if (batch.segment.isGone) this.#drop(SPOOL_FULL, batch.records.length)
  }

  /** Waits for something new, `ms` at most, or for `wake`. */
  grown(ms: number): Promise<void> {
    return new Promise<void>(resolve => {
      const timer = setTimeout(() => this.#wake?.(), ms)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
    })
  }

  wake(): void {
    this.#wake?.()
  }

  figures(): SpoolFigures {
    const dropped = new Map(this.#dropped)
    const inHand = this.#underWay?.segment.isGone === true ? this.#underWay.records.length : 0
    return {
      spooled: this.#spooled, found: this.#found, through: this.#through, dropped,
      waitingRecords: this.#segments.reduce((sum, segment) => sum + (segment.left ?? 0), 0) + inHand,
      waitingBytes: this.#segments.reduce((sum, segment) => sum + (segment.left === 0 ? 0 : segment.size - segment.through), 0),
    }
  }

  /** What is not through stays for the next start. */
  close(): void {
    this.#reader?.close()
    for (const segment of this.#segments) segment.journal?.close()
    // With what is through as a whole, so that a folder of which all is through is empty.
    for (const segment of this.#segments) if (segment.left === 0) rmSync(segment.path, { force: true })
    this.#position.close()
    closeSync(this.#lockFd)
  }

  /** Counts what runs before have left. */
  async #count(): Promise<void> {
    for (const segment of [...this.#segments]) {
      if (segment.left !== undefined) continue
      await new Promise<void>(resolve => setImmediate(resolve)) // some 10 ms each: others come between
      if (!segment.isGone) this.#found += segment.count()
    }
  }

  async #read(segment: Segment): Promise<Lines | undefined> {
    try {
      const reader = this.#reader ??= new SegmentReader(segment.path, segment.ends)
      for (;;) {
        const lines = await reader.next(segment.size)
        if (segment.isGone || lines === undefined) return undefined
        const isNews = lines.offset - lines.damagedBytes >= segment.through
        if (lines.damagedBytes > 0 && isNews) this.#damage(segment, lines.damagedBytes, lines.damagedRecords)
        this.#at = Math.max(0, segment.through - lines.offset)
        if (this.#at < lines.bytes.length) return lines
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return undefined // somebody removed the file
    }
  }

  /** Records from the lines at hand. @returns bytes of them */
  #take({ bytes, offset }: Lines, segment: Segment, into: SpooledRecord[], recordsMax: number, bytesMax: number): number {
    const from = this.#at
    while (this.#at < bytes.length && into.length < recordsMax) {
      const end = bytes.indexOf(LF, this.#at)
      if (into.length > 0 && end + 1 - from > bytesMax) break
      into.push({ id: `${segment.token}-${offset + this.#at}`, line: bytes.subarray(this.#at, end) })
      this.#at = end + 1
    }
    return this.#at - from
  }

  /** All of the segment that can be read is through. */
  #leave(segment: Segment): void {
    const torn = this.#reader === undefined ? 0 : segment.size - this.#reader.offset
    if ((segment.left ?? 0) > 0) this.#damage(segment, torn, segment.left as number)
    else if (torn > 0) this.#log('warn', `left out ${torn} bytes at the end of "${segment.path}": an earlier run was killed while it wrote`)
    this.#remove(segment)
  }

  #damage(segment: Segment, bytes: number, records: number): void {
    const lost = Math.min(records, segment.left ?? 0)
    segment.left = (segment.left ?? 0) - lost
    this.#drop(SPOOL_DAMAGED, lost)
    this.#log('error', `"${segment.path}" is damaged: ${bytes} bytes of it, ${lost} records, are not as they were written; the rest goes on`)
  }

  #makeRoom(bytes: number): void {
    const { bytesMax, folder } = this.#options
    let dropped = 0
    for (let all = this.#bytes(); all > 0 && all + bytes > bytesMax; all = this.#bytes()) {
      const oldest = this.#segments[0] as Segment
      if (oldest.left === undefined) this.#found += oldest.count()
      const underWay = this.#underWay?.segment === oldest ? this.#underWay.records.length : 0
      const lost = (oldest.left as number) - underWay
      dropped += lost
      this.#drop(SPOOL_FULL, lost)
      this.#remove(oldest)
    }
    if (dropped === 0) return
    const message = `the spool "${folder}" is full: the oldest ${dropped} records were dropped to make room`
    this.#full.tell({ reason: SPOOL_FULL, message }, 'more are counted as they go')
  }

  #bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.size, 0)
  }

  #drop(reason: string, records: number): void {
    if (records > 0) this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + records)
  }

  #begin(): Segment {
    const file = newSegment(this.#options.folder, this.#next)
    const segment = new Segment(file, 0)
    segment.journal = new Journal(file.path, file.number)
    this.#next++
    this.#segments.push(segment)
    return segment
  }

  #finish(segment: Segment): void {
    segment.journal?.close()
    segment.journal = undefined
    this.#leaveIfThrough(segment)
  }

  /** Gives its room back. */
  #leaveIfThrough(segment: Segment): void {
    if (segment.left === 0 && segment.journal === undefined && !segment.isGone) this.#leave(segment)
  }

  #remove(segment: Segment): void {
    segment.isGone = true
    if (this.#segments[0] === segment) {
      this.#reader?.close()
      this.#reader = undefined
      this.#lines = undefined
    }
    segment.journal?.close()
    segment.journal = undefined
    this.#segments.splice(this.#segments.indexOf(segment), 1)
    rmSync(segment.path, { force: true })
  }
}
