import { closeSync, fstatSync, openSync, statSync } from 'node:fs'
import { ASIDE, listStore, lockReaders, type RollupFile, type SegmentFile, type StoreFiles } from '../sink/store/mod.ts'
import { damageOf, obviousDamage } from './segment.ts'

/** How often a listing is taken anew because files came and went meanwhile. */
const TRIES = 50

export interface OpenFile {
  readonly fd: number
  readonly path: string
}

export interface OpenSegment extends OpenFile {
  readonly fromMs: number
  readonly toMs: number
  readonly rollup: OpenFile | undefined
  readonly hasHeaderColumns: boolean
}

/** Roll-ups that were compared with their checksum, which stands in their name: they are read for each snapshot otherwise. */
const WHOLE = new Set<string>()
const WHOLE_MAX = 10_000

/**
 * The files of a store at one moment, held open. The agent packs and merges on meanwhile, and removes none of them.
 */
export class Snapshot {
  readonly journals: readonly OpenFile[]
  readonly segments: readonly OpenSegment[]
  /** What was left out, and why. */
  readonly notes: readonly string[]

  readonly #files: string
  /** Journals without a record: they are not open. */
  readonly #empty: readonly string[]
  #lock: number | undefined

  private constructor(files: StoreFiles, journals: readonly OpenFile[], segments: readonly OpenSegment[], notes: readonly string[]) {
    this.#files = namesOf(files)
    this.journals = journals
    this.segments = segments
    this.notes = notes
    this.#empty = files.journals.map(({ path }) => path).filter(path => !journals.some(journal => journal.path === path))
  }

  /**
   * @param sinceMs  segments whose records are all older are left out; milliseconds since the epoch
   * @param thorough every segment is read and compared with its checksum
   * @throws {Error} when there is no store
   */
  static take(folder: string, sinceMs: number, thorough: boolean): Snapshot {
    list(folder)
    const lock = lockReaders(folder)
    for (let left = TRIES; ; left--) {
      const files = list(folder)
      const snapshot = Snapshot.#open(files, sinceMs, thorough)
      // A folder is not listed in one moment: a journal that was packed meanwhile could be missing in both shapes.
      if (snapshot !== undefined && namesOf(files) === namesOf(list(folder))) {
        snapshot.#lock = lock
        return snapshot
      }
      snapshot?.close()
      if (left > 0) continue
      if (lock !== undefined) closeSync(lock)
      throw new Error(`Cannot read the store "${folder}": its files change too fast; try again`)
    }
  }

  static #open(files: StoreFiles, sinceMs: number, thorough: boolean): Snapshot | undefined {
    const opened: OpenFile[] = []
    const notes: string[] = []
    const open = (path: string): OpenFile => {
      const file = { path, fd: openSync(path, 'r') }
      opened.push(file)
      return file
    }
    const openRollup = (segment: string): OpenFile | undefined => {
      const rollup = files.rollups.get(segment)
      if (rollup === undefined) return undefined
      const damage = damageInRollup(rollup)
      if (damage === undefined) return open(rollup.path)
      notes.push(`"${rollup.path}" is not used: ${damage}; the records are read instead, and the agent makes it anew when it starts`)
      return undefined
    }
    try {
      const segments = files.segments.filter(segment => segment.toMs >= sinceMs).flatMap(segment => {
        const damage = damageIn(segment, thorough)
        const { path, fromMs, toMs, hasHeaderColumns } = segment
        if (damage === undefined) return [{ ...open(path), fromMs, toMs, hasHeaderColumns, rollup: openRollup(path) }]
        notes.push(`"${segment.path}" is left out: ${damage}; the agent sets such files aside in "${ASIDE}" when it starts`)
        return []
      })
      const { filled = [], empty = [] } = Object.groupBy(files.journals.map(({ path }) => open(path)),
        ({ fd }) => fstatSync(fd).size > 0 ? 'filled' : 'empty')
      for (const { fd } of empty) closeSync(fd)
      return new Snapshot(files, filled, segments, notes)
    } catch (error) {
      for (const { fd } of opened) closeSync(fd)
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return undefined
      if (code !== 'EMFILE') throw error
      const count = files.journals.length + files.segments.length
      throw new Error(`Cannot read the store: ${message}; it has ${count} files, more than a process may open here: ` +
        'raise the limit (ulimit -n), or wait until the agent has packed them', { cause: error })
    }
  }

  /** Whether these are still all files with records; those that are being written may have grown. */
  isCurrent(folder: string): boolean {
    return namesOf(list(folder)) === this.#files && this.#empty.every(path => statSync(path, { throwIfNoEntry: false })?.size === 0)
  }

  close(): void {
    for (const { fd } of [...this.journals, ...this.segments]) closeSync(fd)
    for (const { rollup } of this.segments) if (rollup !== undefined) closeSync(rollup.fd)
    if (this.#lock !== undefined) closeSync(this.#lock)
  }
}

/** A path that leads to the open file. */
export function readPath({ fd }: { readonly fd: number }): string {
  return `/proc/self/fd/${fd}`
}

function damageIn(segment: SegmentFile, thorough: boolean): string | undefined {
  return thorough ? damageOf(segment) : obviousDamage(segment.path)
}

function damageInRollup(rollup: RollupFile): string | undefined {
  if (WHOLE.has(rollup.path)) return obviousDamage(rollup.path)
  const damage = damageOf(rollup)
  if (WHOLE.size >= WHOLE_MAX) WHOLE.clear()
  if (damage === undefined) WHOLE.add(rollup.path)
  return damage
}

function list(folder: string): StoreFiles {
  try {
    return listStore(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' || code === 'ENOTDIR' ? 'there is no such folder; name it with --store DIR' : (error as Error).message
    throw new Error(`Cannot read the store "${folder}": ${why}`, { cause: error })
  }
}

function namesOf({ segments, journals, rollups }: StoreFiles): string {
  return [...segments, ...journals, ...rollups.values()].map(({ path }) => path).join('\n')
}
