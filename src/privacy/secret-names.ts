/**
 * Names of query parameters, form fields and JSON members whose values are secret, compared without case and
 * without `-`, `_` and `.`. The signed-URL names are those that OpenTelemetry hides in url.query by default.
 */
import {
  NAME_CONTAINS, NAME_EXACT, NAME_EXEMPT, NAME_FLAG_BOUNDARY, NAME_FLAG_WEAK, NAME_SUFFIX,
} from '../../wasm/wall-numbers.ts'
import type { AutomatonRule } from './automaton.ts'

const CONTAINS = [
  'password passwd passphrase secret credential apikey accesskey privatekey sessionid sessid sessionkey',
  'accesstoken',
].join(' ')
const SUFFIX = [
  'token signature jwt assertion samlresponse csrf xsrf sharedkey authkey accountkey storagekey',
  'encryptionkey licensekey signingkey subscriptionkey functionkey functionskey masterkey authorization',
].join(' ')
/** Must begin a word, so that "monkey" and "compass" are none. */
const SUFFIX_WORD = 'key pwd pass otp passcode'
const EXACT = [
  'sig pwd passwd pass passcode otp bearer awsaccesskeyid codeverifier cvv cvc cardnumber ticket',
  'idtokenhint creds connectionstring samlart authcode',
].join(' ')
/** Too common as words to mean something outside a query. */
const WEAK = 'key code auth sid session sess token access api hmac authenticity logincode devicecode'
/** Ends like a secret name and is none. */
const EXEMPT = [
  'publickey sortkey cachekey partitionkey primarykey foreignkey rowkey routingkey surrogatekey',
  'idempotencykey indexkey sentrypublickey hostkey groupkey orderkey searchkey langkey countrykey',
  'nextpagetoken pagetoken continuationtoken hotkey nextkey startkey endkey mapkey objectkey bucketkey',
].join(' ')

function plain(text: string): string[] {
  return text.split(' ').map((word) => word.toLowerCase().replace(/[-_.]/g, ''))
}

/** The rules of `wasm/secret-name.ts`: the built-in names and those of the configuration. */
export function secretNameRules(more: readonly string[] = [],
  plainNames: readonly string[] = []): AutomatonRule[] {
  const rules: AutomatonRule[] = []
  const add = (words: readonly string[], kind: number, flags = 0): void => {
    for (const literal of new Set(words)) if (literal !== '') rules.push({ literal, kind, flags })
  }
  add(plain(CONTAINS), NAME_CONTAINS)
  add(plain(SUFFIX), NAME_SUFFIX)
  add(plain(SUFFIX_WORD), NAME_SUFFIX, NAME_FLAG_BOUNDARY)
  add(plain(EXACT), NAME_EXACT)
  add(plain(WEAK), NAME_EXACT, NAME_FLAG_WEAK)
  add([...plain(EXEMPT), ...plainNames.flatMap(plain)], NAME_EXEMPT)
  for (const name of more) add(plain(name.replaceAll('*', '')), kindOf(name))
  return rules
}

/** `*x` ends in x, `*x*` and `x*` contain it (a name that begins so is hidden, and some others), `x` is x. */
function kindOf(pattern: string): number {
  if (pattern.endsWith('*')) return NAME_CONTAINS
  return pattern.startsWith('*') ? NAME_SUFFIX : NAME_EXACT
}
