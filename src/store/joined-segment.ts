import { rmSync } from 'node:fs'
import { joinParquet } from '../../lib/parquet/mod.ts'
import type { SegmentFile } from '../sink/store/mod.ts'
import { checksumText, type Made, nameSegment, type Numbers, unfinishedSegment } from './segment.ts'

/**
 * Makes one segment of several whose row groups are large enough, as they are: whole and on the disk before it gets its name.
 *
 * @returns undefined where DuckDB is to make it anew; no segment was made
 * @throws {Error} of the file system; no segment was made
 */
export function joinSegments(folder: string, segments: readonly SegmentFile[], numbers: Numbers): Made | undefined {
  if (!segments.every(({ hasHeaderColumns }) => hasHeaderColumns)) return undefined
  const path = unfinishedSegment(folder, numbers)
  try {
    const file = joinParquet(path, segments.map(segment => segment.path))
    if (file === undefined) return undefined
    const [fromMs, toMs] = [Math.min(...segments.map(segment => segment.fromMs)), Math.max(...segments.map(segment => segment.toMs))]
    return { segment: nameSegment(folder, path, { ...numbers, fromMs, toMs, crc32: checksumText(file.crc32) }), rows: file.rows }
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  }
}
