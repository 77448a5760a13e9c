/**
 * What the files of a spool are named. A segment's name holds a random token: with the offset of a line in its file it is the id of a
 * record, the same however often the record is sent, also after a crash, and of nobody else's.
 */
import { randomBytes } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A file of the spool: a journal (../journal.ts). */
export interface SegmentFile {
  readonly path: string
  /** In order of writing, from 1. */
  readonly number: number
  /** 16 hexadecimal digits. */
  readonly token: string
  readonly size: number
}

const SEGMENT = /^spool-(\d{8,15})-([0-9a-f]{16})\.ndjson$/

/** A name for a new segment. */
export function newSegment(folder: string, number: number): SegmentFile {
  const token = randomBytes(8).toString('hex')
  return { path: join(folder, `spool-${String(number).padStart(8, '0')}-${token}.ndjson`), number, token, size: 0 }
}

/** The segments of a folder, in order. @throws as readdir(2) */
export function listSegments(folder: string): readonly SegmentFile[] {
  return readdirSync(folder).flatMap(name => {
    const match = SEGMENT.exec(name)
    if (match === null) return []
    const path = join(folder, name)
    return [{ path, number: Number(match[1]), token: match[2] as string, size: statSync(path).size }]
  }).sort((a, b) => a.number - b.number)
}
