/**
 * parquet: lines of JSON as rows of a Parquet file (https://parquet.apache.org/docs/file-format/).
 *
 * In     columns (a path of keys and a type each), lines as Lintel's encoder writes them.
 * Out    a file of row groups: dictionaries where values repeat, zstd, least and greatest values of flat columns.
 *       Files of one kind joined into one, their row groups as they are.
 * Limits memory of the byte module (256 MiB of address space); what it cannot read is refused whole: `write` tells.
 *
 * @module
 */
export { joinParquet } from './join-files.ts'
export type { JoinedFile } from './join-files.ts'
export { GROUP_ROWS, LineTable, OddLinesError } from './line-table.ts'
export type { ParquetColumn, ParquetType } from './schema.ts'
export { writeParquet } from './parquet-file.ts'
export type { ParquetFile } from './parquet-file.ts'
