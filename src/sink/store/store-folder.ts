/**
 * What the files of a store are named. The names are all the state there is: which journal a segment was made of, which
 * segments were merged into which, which time and which bytes a segment holds.
 */
import { closeSync, constants, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { lockFile } from '../../../lib/ebpf/file-lock.ts'
import { LOCK_LOOK_MS, LOCK_WAIT_MS } from '../folder-lock.ts'
import { UNFINISHED } from '../journal.ts'

/** A file of whole batches as they came; see ../journal.ts. */
export interface JournalFile {
  readonly path: string
  readonly number: number
}

/** A finished Parquet file. */
export interface SegmentFile {
  readonly path: string
  /** Numbers of the journals whose records it holds. */
  readonly first: number
  readonly last: number
  /** Milliseconds since the epoch: the earliest and the latest record. */
  readonly fromMs: number
  readonly toMs: number
  /** CRC-32 of the file, eight hexadecimal digits. */
  readonly crc32: string
  /** False of one that an earlier version wrote: its columns for headers are to be made of the headers. */
  readonly hasHeaderColumns: boolean
}

/** What a segment's records come to, counted beforehand: see src/store/rollup. */
export interface RollupFile {
  readonly path: string
  /** CRC-32 of the file, eight hexadecimal digits. */
  readonly crc32: string
}

export interface StoreFiles {
  /** Not yet in a segment, by number. */
  readonly journals: readonly JournalFile[]
  /** In order of their journals. */
  readonly segments: readonly SegmentFile[]
  /**
   * Journals that stand in a segment, and segments that stand in a larger one: left by a merge, or by one that was killed;
   * roll-ups of none of the segments.
   */
  readonly covered: readonly string[]
  /** By the path of the segment that each is of. */
  readonly rollups: ReadonlyMap<string, RollupFile>
  /** Half-made files. */
  readonly unfinished: readonly string[]
}

const JOURNAL = /^journal-(\d{8,15})\.ndjson$/
/** With a mark of those that have columns for headers (src/store/header-columns.ts): stores of before have others. */
const SEGMENT = /^records-(h-)?(\d{8,15})-(\d{8,15})-(\d{1,16})-(\d{1,16})-([0-9a-f]{8})\.parquet$/
const HEADERS_MARK = 'h-'
/** With the version of what stands in it: one of another version is made anew. */
const ROLLUP = /^rollup-(v\d+)-(\d{8,15})-(\d{8,15})-([0-9a-f]{8})-([0-9a-f]{8})\.parquet$/
const ROLLUP_VERSION = 'v3'
/** Readers share a lock on it while they have files in use; what is to be removed waits for them. */
const READERS = 'readers'
/** Folder of files that could not be read. */
export const ASIDE = 'set-aside'

/** Folder of what an engine that packs could not hold in its memory; where its packer is gone, it is nothing. */
export function spillFolder(folder: string, engine: number): string {
  return join(folder, `spilled-${engine}`)
}

export function journalName(number: number): string {
  return `journal-${String(number).padStart(8, '0')}.ndjson`
}

export function segmentName(segment: Omit<SegmentFile, 'path'>): string {
  const [first, last] = [segment.first, segment.last].map(number => String(number).padStart(8, '0'))
  return `records-${segment.hasHeaderColumns ? HEADERS_MARK : ''}${first}-${last}-${segment.fromMs}-${segment.toMs}-${segment.crc32}.parquet`
}

/** @param crc32 of the roll-up itself */
export function rollupName(segment: Omit<SegmentFile, 'path'>, crc32: string): string {
  return `rollup-${ROLLUP_VERSION}-${keyOf(segment)}-${crc32}.parquet`
}

/** What names a segment's bytes. */
function keyOf({ first, last, crc32 }: Omit<SegmentFile, 'path'>): string {
  return `${[first, last].map(number => String(number).padStart(8, '0')).join('-')}-${crc32}`
}

/** The files of a store. Of two segments with the same records the larger counts, of a journal and a segment the segment. @throws as readdir(2) */
export function listStore(folder: string): StoreFiles {
  const journals: JournalFile[] = []
  const segments: SegmentFile[] = []
  const unfinished: string[] = []
  const found: (RollupFile & { readonly key: string })[] = []
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    const journal = JOURNAL.exec(name)
    const segment = SEGMENT.exec(name)
    const rollup = ROLLUP.exec(name)
    if (journal !== null) journals.push({ path, number: Number(journal[1]) })
    else if (name.startsWith(UNFINISHED)) unfinished.push(path)
    else if (rollup !== null) found.push({ path, key: rollup[1] === ROLLUP_VERSION ? rollup.slice(2, 5).join('-') : '', crc32: rollup[5] as string })
    else if (segment !== null) {
      const [first, last, fromMs, toMs] = segment.slice(2, 6).map(Number) as [number, number, number, number]
      segments.push({ path, first, last, fromMs, toMs, crc32: segment[6] as string, hasHeaderColumns: segment[1] !== undefined })
    }
  }
  // The wider of those that begin together first; of equals (made twice around a kill) one.
  segments.sort((a, b) => a.first - b.first || b.last - a.last || a.path.localeCompare(b.path))
  const kept: SegmentFile[] = []
  const covered: string[] = []
  for (const segment of segments) {
    if ((kept.at(-1)?.last ?? -1) >= segment.last) covered.push(segment.path)
    else kept.push(segment)
  }
  const open = journals.filter(({ number, path }) => {
    const isIn = kept.some(({ first, last }) => first <= number && number <= last)
    if (isIn) covered.push(path)
    return !isIn
  })
  const byKey = new Map(kept.map(segment => [keyOf(segment), segment.path]))
  const rollups = new Map<string, RollupFile>()
  for (const { path, key, crc32 } of found) {
    const of = byKey.get(key)
    if (of === undefined || rollups.has(of)) covered.push(path)
    else rollups.set(of, { path, crc32 })
  }
  return { journals: open.sort((a, b) => a.number - b.number), segments: kept, covered, rollups, unfinished }
}

/**
 * Says that the files of a store are being read: until the descriptor is closed, or this process ends, none is removed.
 *
 * @returns undefined where that cannot be said (a read-only file system, or files are being removed for longer than a moment)
 */
export function lockReaders(folder: string, waitMs = LOCK_WAIT_MS): number | undefined {
  const sleep = new Int32Array(new SharedArrayBuffer(4))
  const fd = openReaders(folder)
  if (fd === undefined) return undefined
  for (let waited = 0; !lockFile(fd, true); waited += LOCK_LOOK_MS) {
    if (waited < waitMs) Atomics.wait(sleep, 0, 0, LOCK_LOOK_MS)
    else {
      closeSync(fd)
      return undefined
    }
  }
  return fd
}

/** Runs `remove` unless somebody reads; who begins to meanwhile waits. @returns false when somebody reads: nothing was done */
export function withoutReaders(folder: string, remove: () => void): boolean {
  const fd = openReaders(folder)
  if (fd === undefined) return false
  try {
    if (!lockFile(fd)) return false
    remove()
    return true
  } finally {
    closeSync(fd)
  }
}

function openReaders(folder: string): number | undefined {
  try {
    return openSync(join(folder, READERS), constants.O_RDONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM' || code === 'ENOSPC') return undefined
    throw error
  }
}
