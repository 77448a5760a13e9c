/**
 * web: a store, and what the agent logs → people, in a browser.
 *
 * In    records in a store or a ClickHouse (read through src/store), fields, a token or users.
 * Out   a page on a port of the loopback, or elsewhere by HTTPS for users: what was logged, by time, by route, by client, one
 *       exchange opened. Audit lines.
 * Limits 128 connections, 64 sessions, 10 wrong tokens or passwords a minute and caller, 64 questions that wait, 30 s and 1 GiB a
 *       question, 10,000 rows, 16 pages that follow.
 *
 * The page only looks: nothing of the agent can be changed by it.
 *
 * @module
 */
export { PageServer } from './page-server.ts'
export type { PageField, PageOptions } from './page-server.ts'
export { pageSource } from './page-source.ts'
export { makeToken } from './token.ts'
export { hashPassword } from './password.ts'
