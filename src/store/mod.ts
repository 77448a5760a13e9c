/**
 * store: what the outputs of type "store" wrote → Parquet segments, and answers.
 *
 * In    a folder of journals and segments (src/sink/store), the fields that exist.
 * Out   segments, merged and expired (`Packing`); rows of a query over all of it (`StoreReader`).
 * Limits memory, threads, rows and time of a query; a query's SQL reads the store and nothing else.
 *
 * @module
 */
export { columnsOf } from './columns.ts'
export type { Column, StoreField } from './columns.ts'
export { csvQuoted } from './csv-quoted.ts'
export { FilterError, filterSql } from './filter-sql/mod.ts'
export { Packing } from './packing.ts'
export { jsonText } from './plain-value.ts'
export type { PlainValue } from './plain-value.ts'
export { QueryError, StoreReader } from './reader.ts'
export type { Answer, ReaderOptions } from './reader.ts'
export { recordLine } from './record-line.ts'
