/** What is done with the fields of each header name: the configured rules in order, then the defaults. */
import {
  ACTION_COOKIE, ACTION_DROP, ACTION_HASH, ACTION_HOST, ACTION_KEEP, ACTION_PRESENCE,
  ACTION_PRODUCTS, ACTION_PROTOCOLS, ACTION_SCHEME, ACTION_SET_COOKIE,
} from '../../wasm/wall-numbers.ts'
import { namePredicate } from './linear-pattern.ts'
import type { HeaderRule } from './options.ts'

/** Look like secrets by their names and are none. */
const PLAIN = [
  'access-control-allow-credentials', 'sec-websocket-key', 'sec-websocket-accept', 'www-authenticate',
  'proxy-authenticate', 'signature-input', 'accept-signature', '*ratelimit*', 'surrogate-key',
  'x-surrogate-key', 'cache-key', 'x-cache-key', 'idempotency-key', 'x-idempotency-key', 'x-partition-key',
  'x-routing-key', 'public-key-pins*', 'x-public-key',
]

const SCHEME = ['*authorization']

const SECRET = [
  '*token*', '*secret*', '*password*', '*passwd*', '*passphrase*', '*passcode*', '*credential*', '*session*',
  '*apikey*', '*api-key*', '*api_key*', '*-key', '*_key', 'key', 'x-auth-*', 'x-auth', 'auth', 'auth-*',
  'x-access-key*', '*access-key*', '*csrf*', '*xsrf*', '*signature*', '*jwt*', '*assertion*', '*cookie*',
  '*-otp', 'otp', '*-sid', 'sid', '*-pwd', '*-pin', 'x-bearer*', 'dpop', 'authentication-info',
  'authentication', 'x-authentication', 'bearer', 'x-pass', '*-user-pass', '*hmac*', '*2fa*', '*-mfa*', '*totp*', 'x-honeycomb-team', 'ct0',
  'proxy-authentication-info', 'php-auth-pw', 'php-auth-user', 'x-amzn-oidc-data', 'x-ms-client-principal',
  'x-wp-nonce', 'x-amz-server-side-encryption-context', 'x-goog-authenticated-user-*',
  'x-ssl-client-key', '*authorization*',
]

const HOSTS = [
  'host', '*-host', 'x-forwarded-server', ':authority', 'authority', '*-authority', '*-host-override',
]

/** Lists of products with versions, which can look like addresses. */
const PRODUCTS = ['user-agent', '*-user-agent', 'server', 'x-powered-by', 'sec-ch-ua*']

const isPlain = namePredicate(PLAIN, 'built-in')
const isScheme = namePredicate(SCHEME, 'built-in')
const isSecret = namePredicate(SECRET, 'built-in')
const isHost = namePredicate(HOSTS, 'built-in')
const isProducts = namePredicate(PRODUCTS, 'built-in')

/** How the value of a name that is no secret is read. */
function openAction(name: string): number {
  if (isHost(name)) return ACTION_HOST
  if (name === 'sec-websocket-protocol') return ACTION_PROTOCOLS
  return isProducts(name) ? ACTION_PRODUCTS : ACTION_KEEP
}

/** A name in CGI form (RFC 3875 4.1.18), as gateways pass headers on, as the header that it stands for. */
function headerName(name: string): string {
  if (!name.includes('_')) return name
  let plain = name.replaceAll('_', '-')
  while (plain.startsWith('redirect-')) plain = plain.slice('redirect-'.length)
  return plain.startsWith('http-') ? plain.slice('http-'.length) : plain
}

/** Names that are logged at all. */
export interface HeaderChoice {
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

export const ALL_HEADERS: HeaderChoice = { include: ['*'], exclude: [] }

interface CompiledRule {
  readonly matches: (name: string) => boolean
  readonly request: boolean
  readonly response: boolean
  readonly action: HeaderRule['action']
}

/** The rules of one configuration. */
export class HeaderRules {
  readonly #rules: readonly CompiledRule[]
  readonly #hidden: number
  readonly #included: (name: string) => boolean
  readonly #excluded: (name: string) => boolean

  /**
   * @param keyed whether a hash key is configured: hidden values are then hashed
   * @throws {Error} for a pattern that cannot be used, or `hash` without a key
   */
  constructor(rules: readonly HeaderRule[], keyed: boolean, choice: HeaderChoice = ALL_HEADERS) {
    this.#included = namePredicate(choice.include, 'headers.include')
    this.#excluded = namePredicate(choice.exclude, 'headers.exclude')
    this.#hidden = keyed ? ACTION_HASH : ACTION_PRESENCE
    this.#rules = rules.map((rule, index) => {
      const path = `privacy.headers[${index}]`
      if (rule.action === 'hash' && !keyed) {
        throw new Error(`Cannot use the action "hash" at ${path}: no key is configured; set ` +
          `privacy.hash_key_file, `
          + 'privacy.hash_key_env or privacy.hash_key_ephemeral')
      }
      const patterns = typeof rule.match === 'string' ? [rule.match] : rule.match
      return {
        matches: namePredicate(patterns, `${path}.match`),
        request: rule.direction !== 'response',
        response: rule.direction !== 'request',
        action: rule.action,
      }
    })
  }

  /** ACTION_* for a name in lower case. */
  decide(name: string, response: boolean): number {
    if (!this.#included(name) || this.#excluded(name)) return ACTION_DROP
    const rule = this.#rules.find((one) => (response ? one.response : one.request) && one.matches(name))
    switch (rule?.action) {
      case 'drop': return ACTION_DROP
      case 'redact': return ACTION_PRESENCE
      case 'hash': return ACTION_HASH
      case 'keep': return openAction(headerName(name))
      default: return this.#standard(headerName(name))
    }
  }

  #standard(name: string): number {
    if (isPlain(name)) return ACTION_KEEP
    if (name === 'cookie' || name === 'cookie2') return ACTION_COOKIE
    if (name === 'set-cookie' || name === 'set-cookie2') return ACTION_SET_COOKIE
    if (isScheme(name)) return ACTION_SCHEME
    if (isSecret(name)) return this.#hidden
    return openAction(name)
  }
}
