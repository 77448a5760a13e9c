/**
 * store: what the outputs of type "store" wrote → Parquet segments, and answers.
 *
 * In    a folder of journals and segments (src/sink/store), the fields that exist.
 * Out   segments, merged and expired (`Packing`); rows of a query over all of it (`StoreReader`).
 *       Roll-ups beside the segments (rollup/): counts by minute and by quarter of an hour, which views of the page are answered from.
 * Limits memory, threads, rows and time of a query; a query's SQL reads the store and nothing else.
 *
 * @module
 */
export { MemoryError, QueryError } from './answer.ts'
export type { Answer, Reader } from './answer.ts'
export { columnsOf } from './columns.ts'
export type { Column, StoreField } from './columns.ts'
export { csvQuoted } from './csv-quoted.ts'
export { CLICKHOUSE, DUCKDB, FilterError, filterSql } from './filter-sql/mod.ts'
export type { Dialect } from './filter-sql/mod.ts'
export { CALLER_HEADERS, HEADER_COLUMNS } from './header-columns.ts'
export { Packing } from './packing.ts'
export { jsonText } from './plain-value.ts'
export type { PlainValue } from './plain-value.ts'
export { StoreReader, storeSource } from './reader.ts'
export type { ReaderOptions } from './reader.ts'
export { recordLine } from './record-line.ts'
export type { RecordSource } from './record-source.ts'
export { CLIENT, CLIENTS_COUNTED, COUNTED, CUBES, MINUTE_MS, OTHER, ROWS_MAX } from './rollup/cubes.ts'
export type { Cube } from './rollup/cubes.ts'
export { rolledSql } from './rollup/rolled.ts'
export type { Span } from './rollup/rolled.ts'
export { distinctSql, mergedSeenSql, QUANTILE_ERROR, quantilesSql } from './rollup/sketch.ts'
export { CLICK_WORDS, DUCKDB_WORDS } from './view-sql/mod.ts'
export type { RolledGroups, Words } from './view-sql/mod.ts'
