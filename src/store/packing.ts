import { linkSync, mkdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { LogLevel } from '../sink/mod.ts'
import { OddLinesError } from '../../lib/parquet/mod.ts'
import { ASIDE, listStore, mendJournal, spillFolder, withoutReaders, type JournalFile, type PackerOptions,
  type SegmentFile } from '../sink/store/mod.ts'
import { type Column, journalSelect } from './columns.ts'
import { openEngine } from './engine.ts'
import { FileRoom } from './file-room.ts'
import { headerColumnsOf, JSON_HEADERS, madeHeadersSql, segmentsSelect } from './header-columns.ts'
import { writeRollup } from './rollup/rollup-file.ts'
import { joinSegments } from './joined-segment.ts'
import { JournalSegments } from './journal-segment.ts'
import { damageOf, type Made, type Numbers, obviousDamage, writeSegment } from './segment.ts'

/** Two journals at a time, each by an engine of one thread: one engine with two threads reads a journal no faster than one. */
const LANES = 2
const ENGINE = { threads: 1, memoryMiB: 512 } as const
/** Journals that wait become one segment together, which need not be merged then: a merge costs as much as making the segment did. */
const TOGETHER_BYTES_MAX = 512 * 1024 * 1024
/** So many at most: what crashed often leaves many that are almost empty. */
const TOGETHER_MAX = 1024
/** Segments smaller than one of these are merged with their neighbours, once there are so many: each byte is written a few times at most. */
const TIERS = [1024 * 1024, 8 * 1024 * 1024, 64 * 1024 * 1024] as const
const MERGE_COUNT = 8
const MERGED_BYTES_MAX = 256 * 1024 * 1024
/** A merged segment holds at most this part of the time that is kept, so that what is too old goes little by little. */
const SPAN_PART = 10

export interface PackerHooks {
  packed(number: number): void
  log(level: LogLevel, message: string): void
}

/**
 * Keeps a store in order: journals into segments, small segments into larger ones, what is too old or too much away. Only one
 * at a time works on a folder, while the store's lock is held.
 *
 * It may be killed anywhere: a file gets its name when it is whole, and what it was made of is removed after that, by the next
 * one if need be.
 */
export class Packing {
  readonly #options: PackerOptions
  readonly #columns: readonly Column[]
  readonly #hooks: PackerHooks
  readonly #journals: JournalSegments
  readonly #room = new FileRoom()
  readonly #engines: (DuckDBConnection | undefined)[] = []
  #looked = false
  /** Segments of which no roll-up could be made: questions read them instead. */
  readonly #without = new Set<string>()

  constructor(options: PackerOptions, columns: readonly Column[], hooks: PackerHooks) {
    this.#options = options
    this.#columns = columns
    this.#hooks = hooks
    this.#journals = new JournalSegments(columns)
  }

  /** One round over the journals with a number smaller than `before`. @throws {Error} when it could not be done; what is stored stays */
  async round(before: number): Promise<void> {
    if (!this.#looked) this.#look()
    this.#removeCovered()
    try {
      await this.#packAll(listStore(this.#options.folder).journals.filter(({ number }) => number < before))
      while (await this.#merge());
      await this.#rollUpRest()
    } finally {
      this.#expire()
    }
  }

  /** What an earlier run left half made goes; what is no segment is set aside. */
  #look(): void {
    this.#looked = true
    for (let lane = 0; lane < LANES; lane++) rmSync(spillFolder(this.#options.folder, lane), { recursive: true, force: true })
    const { unfinished, segments, rollups } = listStore(this.#options.folder)
    for (const path of unfinished) rmSync(path, { force: true })
    // It is made anew: it holds nothing that is not in its segment.
    for (const rollup of rollups.values()) if (damageOf(rollup) !== undefined) rmSync(rollup.path, { force: true })
    for (const { path } of segments) {
      const damage = obviousDamage(path)
      if (damage !== undefined) this.#setAside(path, damage)
    }
  }

  /** @throws {Error} the first that was met; the other lane has ended then, too */
  async #packAll(journals: readonly JournalFile[]): Promise<void> {
    const sized = journals.map(journal => ({ ...journal, ...sizeAndTime(journal.path) }))
    const left = [...neighbours(sized, Math.min(TOGETHER_MAX, Math.ceil(journals.length / LANES)), TOGETHER_BYTES_MAX)]
    const lane = async (engine: number): Promise<void> => {
      for (let run = left.shift(); run !== undefined; run = left.shift()) await this.#packRun(run, engine)
    }
    const ends = await Promise.allSettled(Array.from({ length: Math.min(LANES, left.length) }, (_, index) => lane(index)))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  async #packRun(run: readonly JournalFile[], engine: number): Promise<void> {
    const mended = run.map(journal => ({ journal, records: this.#mend(journal) }))
    // By themselves they need less room on a disk that is almost full, and less memory.
    if (mended.length > 1 && await this.#packTogether(mended, engine).catch(() => false)) return
    for (const { journal, records } of mended) await this.#pack(journal, records, engine)
  }

  /** @returns records in it */
  #mend({ path }: JournalFile): number {
    const check = mendJournal(path, () => { this.#keepCopy(path) }, file => this.#room.read(file))
    if (check.damagedBytes > 0) {
      this.#hooks.log('error', `"${path}" is damaged: ${check.damagedBytes} bytes of it are not as they were written; the file is ` +
        `kept in "${ASIDE}", its other ${check.records} records are taken in`)
    }
    return check.records
  }

  /** @returns false when not every record could be read: nothing was made, and each is to be packed by itself */
  async #packTogether(run: readonly MendedJournal[], engine: number): Promise<boolean> {
    const [first, last] = [(run[0] as MendedJournal).journal.number, (run.at(-1) as MendedJournal).journal.number]
    const records = run.reduce((sum, each) => sum + each.records, 0)
    const made = await this.#writeJournals(run.map(({ journal }) => journal.path), { first, last }, engine, records, records)
    if (made === undefined) return false
    await this.#rollUp(made.segment, [], engine)
    this.#removeCovered()
    for (const { journal } of run) this.#hooks.packed(journal.number)
    return true
  }

  async #pack(journal: JournalFile, records: number, engine: number): Promise<void> {
    let isCovered = false
    if (records > 0) {
      const made = await this.#writeJournals([journal.path], { first: journal.number, last: journal.number }, engine, records)
      const rows = made?.rows ?? 0
      isCovered = made !== undefined
      if (made !== undefined) await this.#rollUp(made.segment, [], engine)
      if (rows !== records) {
        this.#keepCopy(journal.path)
        this.#hooks.log('error', `${records - rows} of ${records} records of "${journal.path}" could not be read; ` +
          `the file is kept in "${ASIDE}"`)
      }
    }
    if (!isCovered) rmSync(journal.path)
    else this.#removeCovered()
    this.#hooks.packed(journal.number)
  }

  /** @returns false when there is nothing to merge */
  async #merge(): Promise<boolean> {
    const { segments, journals } = listStore(this.#options.folder)
    const run = mergeable(segments.map(segment => ({ segment, ...sizeAndTime(segment.path) })), this.#options.keepMs / SPAN_PART)
    if (run === undefined) return false
    const damaged = run.map(({ segment }) => ({ path: segment.path, damage: damageOf(segment) })).filter(({ damage }) => damage !== undefined)
    for (const { path, damage } of damaged) this.#setAside(path, damage as string)
    if (damaged.length > 0) return true
    const [first, last] = [(run[0] as Sized).segment.first, (run.at(-1) as Sized).segment.last]
    // A segment stands for every journal between its numbers; one that is not packed must not be taken for done.
    if (journals.some(({ number }) => first < number && number < last)) return false
    const merged = run.map(({ segment }) => segment)
    const made = joinSegments(this.#options.folder, merged, { first, last }) ?? await this.#write(segmentsSelect(merged), { first, last })
    if (made === undefined) return false
    const parts = this.#wholeRollups(merged)
    await this.#rollUp(made.segment, parts)
    const newest = new Date(Math.max(...run.map(({ storedMs }) => storedMs)))
    utimesSync(made.segment.path, newest, newest)
    this.#removeCovered()
    return true
  }

  /** @param wanted so many rows, or no segment */
  async #writeJournals(paths: readonly string[], numbers: Numbers, lane: number, records: number, wanted?: number): Promise<Made | undefined> {
    try {
      return this.#journals.write(this.#options.folder, paths, numbers, records)
    } catch (error) {
      if (!(error instanceof OddLinesError)) throw error
      this.#hooks.log('info', `"${paths[0]}" is read in the slower way: ${error.message}`)
    }
    return await this.#write(journalSelect(paths, this.#columns, madeHeadersSql(headerColumnsOf(this.#columns), JSON_HEADERS)), numbers, lane, wanted)
  }

  async #write(select: string, numbers: Numbers, lane = 0, rows?: number): Promise<Made | undefined> {
    return await writeSegment(await this.#engine(lane), this.#options.folder, select, numbers, rows)
  }

  /** The roll-ups of these segments; none where one is missing or is not as it was written. */
  #wholeRollups(segments: readonly SegmentFile[]): readonly string[] {
    const { rollups } = listStore(this.#options.folder)
    const found = segments.map(({ path }) => rollups.get(path))
    return found.every(rollup => rollup !== undefined && damageOf(rollup) === undefined) ? found.map(rollup => rollup?.path as string) : []
  }

  /** A segment without one, of an earlier version or because the last attempt failed, is as good as any, but questions read all of it. */
  async #rollUp(segment: SegmentFile, parts: readonly string[] = [], lane = 0): Promise<void> {
    try {
      await writeRollup(await this.#engine(lane), this.#options.folder, segment, parts)
    } catch (error) {
      this.#without.add(segment.path)
      const [why] = (error as Error).message.split('\n')
      this.#hooks.log('warn', `Cannot make the roll-up of "${segment.path}": ${why}; the page reads the records instead`)
    }
  }

  /** Segments that have none, and those whose roll-up is damaged. */
  async #rollUpRest(): Promise<void> {
    const { segments, rollups } = listStore(this.#options.folder)
    for (const segment of segments) {
      if (!rollups.has(segment.path) && !this.#without.has(segment.path)) await this.#rollUp(segment)
    }
  }

  async #engine(lane: number): Promise<DuckDBConnection> {
    return this.#engines[lane] ??= await openEngine({ ...ENGINE, spillTo: spillFolder(this.#options.folder, lane) })
  }

  /** What stands in a segment. Who reads it now is waited for: a later round removes it then. */
  #removeCovered(): void {
    const { folder } = this.#options
    withoutReaders(folder, () => { for (const path of listStore(folder).covered) rmSync(path, { force: true }) })
  }

  #expire(): void {
    withoutReaders(this.#options.folder, () => { this.#removeExpired() })
  }

  #removeExpired(): void {
    const { folder, keepMs, keepBytes } = this.#options
    const { segments: listed, rollups } = listStore(folder)
    const segments = listed.map(segment => {
      const { size, storedMs } = sizeAndTime(segment.path)
      const rollup = rollups.get(segment.path)
      return { segment, size: size + (rollup === undefined ? 0 : statSync(rollup.path).size), storedMs }
    })
    let bytes = segments.reduce((sum, { size }) => sum + size, 0)
    segments.forEach(({ segment, size, storedMs }, index) => {
      const isNewest = index === segments.length - 1
      if (Date.now() - storedMs <= keepMs && (bytes <= keepBytes || isNewest)) return
      rmSync(segment.path)
      rmSync(rollups.get(segment.path)?.path ?? segment.path, { force: true })
      bytes -= size
    })
  }

  #setAside(path: string, why: string): void {
    const folder = join(this.#options.folder, ASIDE)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    renameSync(path, join(folder, basename(path)))
    this.#hooks.log('error', `"${path}" cannot be read: ${why}; it is set aside in "${folder}", the rest goes on`)
  }

  /** A second name for a file that is about to go. */
  #keepCopy(path: string): void {
    const folder = join(this.#options.folder, ASIDE)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    try {
      linkSync(path, join(folder, `${Date.now()}-${basename(path)}`))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

interface MendedJournal {
  readonly journal: JournalFile
  readonly records: number
}

export interface SizedJournal extends JournalFile {
  readonly size: number
}

/**
 * Runs with one number after the other: a segment stands for every journal between its first and its last.
 *
 * @param countMax journals of a run at most
 * @param bytesMax of a run at most, but for one that is larger by itself
 */
export function neighbours(journals: readonly SizedJournal[], countMax: number, bytesMax: number): readonly SizedJournal[][] {
  const runs: SizedJournal[][] = []
  let bytes = 0
  for (const journal of journals) {
    const run = runs.at(-1)
    bytes += journal.size
    if (run === undefined || run.length >= countMax || bytes > bytesMax || run.at(-1)?.number !== journal.number - 1) {
      runs.push([journal])
      bytes = journal.size
    } else {
      run.push(journal)
    }
  }
  return runs
}

export interface Sized {
  readonly segment: SegmentFile
  readonly size: number
  /** Milliseconds since the epoch: when its newest record was stored. */
  readonly storedMs: number
}

function sizeAndTime(path: string): { size: number, storedMs: number } {
  const { size, mtimeMs } = statSync(path)
  return { size, storedMs: mtimeMs }
}

/** The first neighbours that are worth merging: so many of one size class, stored within `spanMs`. */
export function mergeable(segments: readonly Sized[], spanMs: number): readonly Sized[] | undefined {
  for (const tier of TIERS) {
    let run: Sized[] = []
    for (const entry of segments) {
      const bytes = run.reduce((sum, { size }) => sum + size, entry.size)
      const fits = bytes <= MERGED_BYTES_MAX && entry.storedMs - (run[0]?.storedMs ?? entry.storedMs) <= spanMs
      run = entry.size >= tier ? [] : fits ? [...run, entry] : [entry]
      if (run.length === MERGE_COUNT) return run
    }
  }
  return undefined
}
