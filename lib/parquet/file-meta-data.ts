import { compact, type Fields, i32, i64, struct, structs, text, type Thrift } from './compact-writer.ts'

/** Parquet files begin and end with it. */
export const MAGIC = Buffer.from('PAR1')
/** Who made a file, as it says itself. */
export const WRITER = 'lintel'

/** What stands behind the row groups of a file, in pieces. */
export function fileMetaData(schema: readonly Thrift[], rows: number, groups: readonly Fields[]): readonly Uint8Array[] {
  const footer = compact([
    [1, i32(1)], [2, structs(schema)], [3, i64(rows)], [4, structs(groups.map(fields => struct(...fields)))], [6, text(WRITER)],
  ])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(footer.length)
  return [footer, length, MAGIC]
}
