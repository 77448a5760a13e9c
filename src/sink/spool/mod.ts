/**
 * spool: records that wait on disk for an output that is far away, slow or gone.
 *
 * In    whole NDJSON lines, as every output gets them.
 * Out   the same lines, in order, each with an id, until they are acknowledged: at least once, also after `kill -9`.
 * Drops the oldest segment when the bound in bytes is reached; damaged pieces; both counted.
 *
 * @module
 */
export { Spool, SPOOL_DAMAGED, SPOOL_FULL } from './spool.ts'
export type { SpoolBatch, SpooledRecord, SpoolFigures, SpoolOptions } from './spool.ts'
