import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { CheckedFile } from './checked-file.ts'
import { CompactError, readCompact } from './compact-reader.ts'
import { compact, type Fields, i64, struct, structs, type Thrift } from './compact-writer.ts'
import { fileMetaData, MAGIC, WRITER } from './file-meta-data.ts'

const TAIL_BYTES = 8
const PIECE_BYTES = 4 * 1024 * 1024
/** Row groups that are smaller on average are worth making anew: each costs a reader a look, and packs worse. */
const GROUP_ROWS_MIN = 8192
const GROUP_BYTES_MIN = 1024 * 1024
/** Ids of parquet.thrift: of a file, a row group, a column chunk, and its metadata. */
const [SCHEMA, ROWS, GROUPS, CREATED_BY] = [2, 3, 4, 6]
const [COLUMNS, GROUP_OFFSET] = [1, 5]
const [CHUNK_OFFSET, META_DATA] = [2, 3]
const [DATA_PAGE_OFFSET, DICTIONARY_PAGE_OFFSET] = [9, 11]

export interface JoinedFile {
  readonly rows: number
  /** CRC-32 of its bytes. */
  readonly crc32: number
}

/**
 * Writes the row groups of files that `writeParquet` made one behind the other into one file, as they are, which is on the disk
 * afterwards: a hundredth of what it costs to make them anew.
 *
 * @returns undefined when one is of another writer or has other columns, or their row groups are small: nothing is then to be used
 * @throws {Error} with `code` of the system call; the file is then to be removed
 */
export function joinParquet(path: string, sources: readonly string[]): JoinedFile | undefined {
  const files: OpenSource[] = []
  try {
    for (const source of sources) {
      const file = openFile(source)
      if (file === undefined) return undefined
      files.push(file)
    }
    return areAlike(files) ? write(path, files) : undefined
  } finally {
    for (const { fd } of files) closeSync(fd)
  }
}

interface OpenSource {
  readonly fd: number
  /** Where its footer begins. */
  readonly end: number
  readonly schema: readonly Thrift[]
  readonly groups: readonly Fields[]
  readonly rows: number
}

/** @returns undefined where it is not as this writer writes */
function openFile(path: string): OpenSource | undefined {
  const fd = openSync(path, 'r')
  const footer = footerOf(fd)
  if (footer === undefined) closeSync(fd)
  return footer && { fd, ...footer }
}

function footerOf(fd: number): Omit<OpenSource, 'fd'> | undefined {
  const { size } = fstatSync(fd)
  const tail = read(fd, size - TAIL_BYTES, TAIL_BYTES)
  if (size < MAGIC.length + TAIL_BYTES || !tail.subarray(4).equals(MAGIC)) return undefined
  const end = size - TAIL_BYTES - tail.readUInt32LE()
  if (end < MAGIC.length) return undefined
  try {
    const footer = readCompact(read(fd, end, size - TAIL_BYTES - end))
    const writer = field(footer, CREATED_BY)
    if (writer?.type !== 'binary' || !Buffer.from(writer.value).equals(Buffer.from(WRITER))) return undefined
    // Moved by nothing, so that what cannot be moved shows before anything is written.
    const groups = list(footer, GROUPS).map(group => movedGroup(fieldsOf(group), 0))
    return { end, schema: list(footer, SCHEMA), groups, rows: number(footer, ROWS) }
  } catch (error) {
    if (error instanceof CompactError) return undefined
    throw error
  }
}

function areAlike(files: readonly OpenSource[]): boolean {
  const [first, ...others] = files.map(({ schema }) => compact([[1, structs(schema)]]))
  const groups = files.reduce((sum, file) => sum + file.groups.length, 0)
  const [rows, bytes] = [files.reduce((sum, file) => sum + file.rows, 0), files.reduce((sum, file) => sum + file.end, 0)]
  const areLarge = rows >= groups * GROUP_ROWS_MIN || bytes >= groups * GROUP_BYTES_MIN
  return first !== undefined && groups > 0 && areLarge && others.every(other => other.equals(first))
}

function write(path: string, files: readonly OpenSource[]): JoinedFile {
  const out = new CheckedFile(path)
  try {
    out.write(MAGIC)
    const groups = files.flatMap(file => {
      const moved = out.at - MAGIC.length
      copy(file.fd, MAGIC.length, file.end, out)
      return file.groups.map(group => movedGroup(group, moved))
    })
    const rows = files.reduce((sum, file) => sum + file.rows, 0)
    out.write(...fileMetaData((files[0] as OpenSource).schema, rows, groups))
    out.sync()
    return { rows, crc32: out.crc32 }
  } finally {
    out.close()
  }
}

function movedGroup(group: Fields, by: number): Fields {
  return changed(group, {
    [GROUP_OFFSET]: offset => i64(numberOf(offset) + by),
    [COLUMNS]: columns => structs(listOf(columns).map(column => struct(...changed(fieldsOf(column), {
      [CHUNK_OFFSET]: offset => i64(numberOf(offset) + by),
      [META_DATA]: data => struct(...changed(fieldsOf(data), {
        [DATA_PAGE_OFFSET]: offset => i64(numberOf(offset) + by),
        [DICTIONARY_PAGE_OFFSET]: offset => i64(numberOf(offset) + by),
      })),
    })))),
  })
}

function changed(fields: Fields, changes: Readonly<Record<number, (value: Thrift) => Thrift>>): Fields {
  return fields.map(([id, value]) => [id, value === undefined ? value : changes[id]?.(value) ?? value])
}

function copy(fd: number, from: number, to: number, out: CheckedFile): void {
  const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, to - from))
  for (let at = from; at < to;) {
    const length = readSync(fd, piece, 0, Math.min(piece.length, to - at), at)
    if (length === 0) throw new Error('Cannot read what was there before: the file became shorter')
    out.write(piece.subarray(0, length))
    at += length
  }
}

function read(fd: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, length))
  const got = at < 0 ? 0 : readSync(fd, bytes, 0, bytes.length, at)
  return bytes.subarray(0, got)
}

function field(fields: Fields, id: number): Thrift | undefined {
  return fields.find(([each]) => each === id)?.[1]
}

function list(fields: Fields, id: number): readonly Thrift[] {
  const value = field(fields, id)
  if (value === undefined) throw new CompactError(`field ${id} is missing`)
  return listOf(value)
}

function number(fields: Fields, id: number): number {
  const value = field(fields, id)
  if (value === undefined) throw new CompactError(`field ${id} is missing`)
  return numberOf(value)
}

function listOf(value: Thrift): readonly Thrift[] {
  if (value.type !== 'list') throw new CompactError('it is no list')
  return value.value
}

function numberOf(value: Thrift): number {
  if (value.type !== 'i32' && value.type !== 'i64') throw new CompactError('it is no number')
  return value.value
}

function fieldsOf(value: Thrift): Fields {
  if (value.type !== 'struct') throw new CompactError('it is no struct')
  return value.value
}
