import { type Column, filterSql } from '../store/mod.ts'

/** `viewer`: counts and tables. `operator`: single records with their headers as well. */
export type Role = 'viewer' | 'operator'

/** What a session may not see. */
export class ForbiddenError extends Error {
  override readonly name = 'ForbiddenError'
}

/** Beside headers and trailers: what a viewer may not compare with, because guesses would tell what stands there. */
const HIDDEN = new Set(['url.query', 'client.process.command_line', 'server.process.command_line', 'websocket.close_reason', 'rpc.status_message'])
const TEXT = /'(?:[^']|'')*'/g

/** @throws {ForbiddenError} unless the role may see single records; `what` ends the sentence "Cannot show ..." */
export function requireOperator(role: Role, what: string): void {
  if (role === 'operator') return
  throw new ForbiddenError(`Cannot show ${what} to a viewer: ask for the role "operator" (web.users[].role of the config)`)
}

/**
 * A viewer's filter may not ask for what only records show.
 *
 * Looked for in the filter's SQL, where its column stands however the filter writes a field: a store's, of which `TEXT` knows the quotes,
 * whichever engine is asked.
 *
 * @throws {ForbiddenError}
 */
export function requireOpenFilter(role: Role, filter: string, columns: readonly Column[]): void {
  if (role === 'operator' || filter === '') return
  const words = new Set(filterSql(filter, columns).replaceAll(TEXT, ' ').match(/\w+/g) ?? [])
  const hidden = columns.filter(({ name, field, fieldType }) => words.has(name) && (fieldType === 'headers' || HIDDEN.has(field)))
  if (hidden.length > 0) requireOperator(role, `what a filter finds by ${hidden.map(({ field }) => field).join(', ')}`)
}
