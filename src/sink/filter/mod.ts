/**
 * filter: a CEL expression over the record → yes or no.
 *
 * In    text of an expression, the fields that exist, then one record after another.
 * Out   true for the records that are wanted.
 * Limits 4096 characters and 1000 nodes an expression; regular expressions run in linear time only.
 *
 * Differs from CEL (https://cel.dev) on purpose, because most records lack most fields: a comparison with a missing field
 * is false, also with `!=`, and never an error; numbers compare whether they are whole or not; durations are seconds.
 *
 * @module
 */
export { compileFilter, parseFilter } from './compile-filter.ts'
export type { Filter } from './compile-filter.ts'
export { FilterError } from './filter-error.ts'
export { Scope } from './scope.ts'
export type { FilterField, Name, RecordReader, ValueType } from './scope.ts'
