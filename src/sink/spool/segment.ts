import { constants, readFileSync } from 'node:fs'
import { countLines } from '../batch.ts'
import { type Journal, pieceAt } from '../journal.ts'
import type { SegmentFile } from './spool-folder.ts'

/** So many ends of pieces are kept of a segment; the others are searched for. */
const ENDS_MAX = 4096

/** A segment as the spool keeps account of it. */
export class Segment {
  readonly path: string
  readonly number: number
  readonly token: string
  /** Bytes that are written. */
  size: number
  /** Bytes that are through, up to an end of line. */
  through = 0
  /** Records that are not through; undefined as long as nobody counted those of a run before. */
  left: number | undefined
  /** Set while it is written. */
  journal: Journal | undefined
  /** Where pieces that this run has written end, in order and from the first on: reading them needs no search. Bounded. */
  readonly ends: number[] = []
  /** Its file is removed. */
  isGone = false

  constructor({ path, number, token, size }: SegmentFile, left: number | undefined) {
    this.path = path
    this.number = number
    this.token = token
    this.size = size
    this.left = left
  }

  /** One more piece stands in it. */
  wrote(size: number, records: number): void {
    this.size = size
    this.left = (this.left ?? 0) + records
    if (this.ends.length < ENDS_MAX) this.ends.push(size)
  }

  /** Counts what a run before has left. A file that cannot be read counts as empty: nothing can be said of it. */
  count(): number {
    this.left ??= countRecords(this.path, this.through)
    return this.left
  }
}

/** Records behind `offset`, those in damaged pieces too. */
function countRecords(path: string, offset: number): number {
  const bytes = readWhole(path)
  let records = 0
  for (let at = 0, piece = pieceAt(bytes, at); piece !== undefined; at = piece.next, piece = pieceAt(bytes, at)) {
    if (piece.start - piece.damagedBytes >= offset) records += piece.damagedRecords
    if (piece.start >= offset) records += piece.records
    else if (piece.end > offset) records += countLines(bytes, offset, piece.end)
  }
  return records
}

function readWhole(path: string): Buffer {
  try {
    return readFileSync(path, { flag: (constants.O_RDONLY | constants.O_NOFOLLOW) as never })
  } catch {
    return Buffer.alloc(0)
  }
}
