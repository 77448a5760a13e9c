/**
 * filter-sql: a CEL expression, as `--filter` takes it → an SQL condition over the store's columns, with the same answers.
 *
 * In    text of an expression, the columns.
 * Out   SQL that is true or false, never missing. Where SQL cannot say the same: a `FilterError` that marks the place.
 *
 * @module
 */
export { FilterError } from '../../sink/filter/mod.ts'
export { filterSql } from './translate.ts'
