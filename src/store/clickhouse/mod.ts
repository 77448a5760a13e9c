/**
 * clickhouse: the tables for records in a ClickHouse, of the same fields as a store's.
 *
 * In    the fields that exist; database, retention, cluster, topic.
 * Out   statements that make the tables, or bring them up to date.
 *
 * @module
 */
export { clickSchema } from './click-schema.ts'
export type { ClickSchemaOptions } from './click-schema.ts'
