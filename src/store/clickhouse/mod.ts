/**
 * clickhouse: the tables for records in a ClickHouse, of the same fields as a store's.
 *
 * In    the fields that exist; database, retention, cluster, topic.
 * Out   statements that make the tables, or bring them up to date; rows of a query over them (`ClickReader`).
 * Limits memory and time of a query, bytes of a row; a query's SQL reads what its user may and changes nothing.
 *
 * @module
 */
export { ClickReader, clickSource } from './click-reader.ts'
export type { ClickReaderOptions } from './click-reader.ts'
export { recordColumns, recordRow } from './click-records.ts'
export { clickSchema } from './click-schema.ts'
export type { ClickSchemaOptions } from './click-schema.ts'
