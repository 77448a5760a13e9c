/**
 * filter-sql: a CEL expression, as `--filter` takes it → an SQL condition over the columns of a store, or of ClickHouse's tables, with the
 * same answers.
 *
 * In    text of an expression, the columns, the engine's dialect.
 * Out   SQL for a WHERE: true where the filter passes, false or NULL elsewhere. Where SQL cannot say the same: a `FilterError` that marks the place.
 *
 * @module
 */
export { FilterError } from '../../sink/filter/mod.ts'
export { CLICKHOUSE } from './clickhouse-dialect.ts'
export type { Dialect } from './dialect.ts'
export { DUCKDB } from './duckdb-dialect.ts'
export { filterSql } from './translate.ts'
