/**
 * view-sql: the words in which the page's views are written, one file for each engine.
 *
 * In    parts of SQL, cubes of roll-ups, spans of time.
 * Out   SQL of the engine that says the same as the other's.
 *
 * @module
 */
export { CLICK_WORDS } from './click-words.ts'
export { DUCKDB_WORDS } from './duckdb-words.ts'
export type { RolledGroups, Words } from './words.ts'
