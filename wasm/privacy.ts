/**
 * The privacy wall's byte work: every value of a record is written through one of these functions, and none
 * of them lets a secret through. The rules come from TypeScript (src/privacy/wall.ts); before it has set
 * them, everything is hidden.
 *
 * Each `write*` puts at most 4 * length + 160 bytes at `out`, never reads what is there, and returns the
 * bytes written; `valueFlags` tells whether something in the last one was hidden or hashed. `out` must not
 * overlap the input.
 */
import { exemptProducts } from './address-search'
import { writeAuthorization } from './authorization'
import { writeCookie, writeSetCookie } from './cookie'
import { writeSearched } from './credential'
import { writeHost } from './host-value'
import { writeProtocols } from './protocol-list'
import { beginText, endText, hideAs, textFlags } from './redaction'
import {
  ACTION_COOKIE, ACTION_HASH, ACTION_HOST, ACTION_KEEP, ACTION_PRODUCTS, ACTION_PROTOCOLS,
  ACTION_SCHEME, ACTION_SET_COOKIE,
} from './wall-numbers'

export { headerAction } from './header-decision'
export { writeAddress, writeMac } from './anonymise'

function writeProducts(value: usize, length: u32): void {
  exemptProducts(true)
  writeSearched(value, length, false)
  exemptProducts(false)
}

/** A header's value under the action of its name (`headerAction`); not for ACTION_DROP. */
export function writeValue(action: u32, value: usize, length: u32, out: usize): u32 {
  beginText(out)
  if (length == 0) return 0
  if (action == ACTION_KEEP) writeSearched(value, length, false)
  else if (action == ACTION_SCHEME) writeAuthorization(value, length)
  else if (action == ACTION_COOKIE) writeCookie(value, length)
  else if (action == ACTION_SET_COOKIE) writeSetCookie(value, length)
  else if (action == ACTION_HOST) writeHost(value, length)
  else if (action == ACTION_PROTOCOLS) writeProtocols(value, length)
  else if (action == ACTION_PRODUCTS) writeProducts(value, length)
  else hideAs(length, value, length, action == ACTION_HASH)
  return endText()
}

/** The query of a request target, without the question mark. */
export function writeQuery(query: usize, length: u32, out: usize): u32 {
  beginText(out)
  writeSearched(query, length, true)
  return endText()
}

/** The path of a request target. */
export function writePath(path: usize, length: u32, out: usize): u32 {
  beginText(out)
  writeSearched(path, length, false)
  return endText()
}

/** Any other text from traffic, also one that is an address. */
export function writeText(text: usize, length: u32, out: usize): u32 {
  beginText(out)
  writeSearched(text, length, false)
  return endText()
}

/** ENTRY_FLAG_REDACTED, ENTRY_FLAG_HASHED: what happened in the last `write*` of a text. */
export function valueFlags(): u32 {
  return textFlags()
}
