import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { crc32 } from 'node:zlib'
import { segmentName, type SegmentFile, UNFINISHED } from '../sink/store/mod.ts'
import { quote } from './columns.ts'

/** Rows of a row group: what a reader skips by minimum and maximum, and what is held in memory when one is written. */
const ROWS = 65_536
const ROW_BYTES = 16
const PIECE_BYTES = 1024 * 1024
const MAGIC = 'PAR1'

/** Of the journals whose records a segment holds. */
export type Numbers = Pick<SegmentFile, 'first' | 'last'>

export interface Made {
  readonly segment: SegmentFile
  readonly rows: number
}

export function unfinishedSegment(folder: string, { first }: Numbers): string {
  return join(folder, `${UNFINISHED}${first}.parquet`)
}

/**
 * Writes what `select` gives as a segment: whole and on the disk before it gets its name, so that it is there as a whole or
 * not at all.
 *
 * @param select with columns for headers
 * @param wanted so many rows, or no segment
 * @returns undefined when there is no row, or not as many as are wanted
 * @throws {Error} of DuckDB or the file system; no segment was made
 */
export async function writeSegment(engine: DuckDBConnection, folder: string, select: string, numbers: Numbers,
  wanted?: number): Promise<Made | undefined> {
  const path = unfinishedSegment(folder, numbers)
  try {
    return await write(engine, folder, path, select, numbers, wanted)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  }
}

async function write(engine: DuckDBConnection, folder: string, path: string, select: string, numbers: Numbers,
  wanted: number | undefined): Promise<Made | undefined> {
  await engine.run(`COPY (${select}) TO ${quote(path)} ` +
    `(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROWS}, ROW_GROUP_SIZE_BYTES '${ROW_BYTES}MiB')`)
  const ends = ['min', 'max'].map(end => `coalesce(epoch_ms(${end}("time")), 0)::DOUBLE`).join(', ')
  const found = await engine.runAndReadAll(`SELECT count(*)::DOUBLE, ${ends} FROM read_parquet(${quote(path)})`)
  const [rows, fromMs, toMs] = found.getRows()[0] as [number, number, number]
  if (rows === 0 || rows !== (wanted ?? rows)) {
    rmSync(path)
    return undefined
  }
  const times = { fromMs: Math.max(0, fromMs), toMs: Math.max(0, toMs) }
  return { segment: nameSegment(folder, path, { ...numbers, ...times, crc32: checksum(path, true) }), rows }
}

/** Gives a file that is whole and on the disk its name. */
export function nameSegment(folder: string, path: string, made: Omit<SegmentFile, 'path' | 'hasHeaderColumns'>): SegmentFile {
  const segment = { ...made, hasHeaderColumns: true }
  const named = join(folder, segmentName(segment))
  renameSync(path, named)
  syncFolder(folder)
  return { path: named, ...segment }
}

/** A CRC-32 as names have it: eight hexadecimal digits. */
export function checksumText(crc32: number): string {
  return crc32.toString(16).padStart(8, '0')
}

/** CRC-32 of a file, eight hexadecimal digits; with `sync` the file is on the disk afterwards. */
export function checksum(path: string, sync = false): string {
  const fd = openSync(path, sync ? 'r+' : 'r')
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES)
    let sum = 0
    for (let at = 0, length = 0; (length = readSync(fd, piece, 0, PIECE_BYTES, at)) > 0; at += length) sum = crc32(piece.subarray(0, length), sum)
    if (sync) fsyncSync(fd)
    return checksumText(sum)
  } finally {
    closeSync(fd)
  }
}

/** Why a file cannot be a segment, by its ends alone; undefined = it may be one. */
export function obviousDamage(path: string): string | undefined {
  const fd = openSync(path, 'r')
  try {
    const { size } = fstatSync(fd)
    if (size < 12) return `it has ${size} bytes`
    const ends = Buffer.alloc(12)
    readSync(fd, ends, 0, 4, 0)
    readSync(fd, ends, 4, 8, size - 8)
    if (ends.toString('latin1', 0, 4) !== MAGIC || ends.toString('latin1', 8) !== MAGIC) return 'it does not begin and end as Parquet does'
    return ends.readUInt32LE(4) > size - 12 ? 'its footer is not whole' : undefined
  } finally {
    closeSync(fd)
  }
}

/** The same, byte by byte. */
export function damageOf(segment: { readonly path: string, readonly crc32: string }): string | undefined {
  return obviousDamage(segment.path) ?? (checksum(segment.path) === segment.crc32 ? undefined : 'its bytes are not as they were written')
}

export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

