/**
 * units: sizes and durations as people write them.
 *
 * In    `64MiB`, `1GB`, `512`; `10s`, `500ms`, `24h`.
 * Out   whole bytes; milliseconds. Errors name the units that exist.
 *
 * @module
 */
export { formatBytes, parseBytes } from './bytes.ts'
export { formatDuration, parseDuration } from './duration.ts'
export { bytesSchema, durationSchema } from './schema.ts'
