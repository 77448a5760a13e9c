/**
 * Which fields are logged and how each is checked: the numbers that the wall's byte work reads, by field id.
 */
import {
  FIELD_ARGUMENTS, FIELD_EXTENSIONS, FIELD_HIDDEN, FIELD_PLAIN, FIELD_QUERY, FIELD_REQUEST_HEADERS, FIELD_RESPONSE_HEADERS,
  FIELD_SUBPROTOCOL, FIELD_TEXT,
} from '../../wasm/wall-numbers.ts'
import { FIELDS, type Field } from '../exchange/mod.ts'
import { namePredicate } from './linear-pattern.ts'

/** The standard fields, plus those that `include` matches, minus those that `exclude` matches. */
export interface FieldChoice {
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

export const ALL_STANDARD: FieldChoice = { include: [], exclude: [] }

/** Texts that are checked by a rule of their own: two of them repeat a header and follow its action. */
const TEXTS: ReadonlyMap<string, number> = new Map([
  ['url.query', FIELD_QUERY],
  ['websocket.subprotocol', FIELD_SUBPROTOCOL],
  ['websocket.extensions', FIELD_EXTENSIONS],
  ['client.process.command_line', FIELD_ARGUMENTS],
  ['server.process.command_line', FIELD_ARGUMENTS],
])

function checkOf(field: Field): number {
  switch (field.sensitivity) {
    case 'none': return FIELD_PLAIN
    case 'personal': return FIELD_TEXT
    case 'headers': return /^(http|message)\.response\./.test(field.name) ?
      FIELD_RESPONSE_HEADERS : FIELD_REQUEST_HEADERS
    case 'free': return TEXTS.get(field.name) ?? FIELD_TEXT
  }
}

/** A pattern also stands for what is below it: `http.request` for `http.request.method`. */
function withBelow(patterns: readonly string[]): string[] {
  return patterns.flatMap((pattern) => (pattern.startsWith('/') ? [pattern] : [pattern, `${pattern}.*`]))
}

/**
 * One FIELD_* for each field id (place 0 is no field).
 *
 * @throws {Error} for a pattern that cannot be used
 */
export function fieldChecks(choice: FieldChoice): Uint8Array {
  const included = namePredicate(withBelow(choice.include), 'fields.include')
  const excluded = namePredicate(withBelow(choice.exclude), 'fields.exclude')
  const checks = new Uint8Array(FIELDS.length + 1)
  for (const [index, field] of FIELDS.entries()) {
    const logged = (field.standard || included(field.name)) && !excluded(field.name)
    checks[index + 1] = logged ? checkOf(field) : FIELD_HIDDEN
  }
  return checks
}
