import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ACTION_COOKIE, ACTION_DROP, ACTION_HASH, ACTION_HOST, ACTION_KEEP, ACTION_PRESENCE,
  ACTION_PRODUCTS, ACTION_PROTOCOLS, ACTION_SCHEME, ACTION_SET_COOKIE,
} from '../../wasm/wall-numbers.ts'
import { HeaderRules } from './header-rules.ts'
import { privacySchema } from './options.ts'

const SECRET = [
  'x-api-key', 'api-key', 'apikey', 'x-auth-token', 'x-auth-user', 'x-amz-security-token', 'x-csrf-token',
  'x-xsrf-token', 'x-vault-token', 'private-token', 'job-token', 'x-goog-api-key',
  'ocp-apim-subscription-key', 'x-functions-key', 'x-shopify-access-token', 'stripe-signature',
  'x-hub-signature', 'x-hub-signature-256', 'authentication-info', 'dpop', 'x-session-id', 'mcp-session-id',
  'x-client-secret', 'x-user-password', 'x-amzn-oidc-accesstoken', 'x-goog-iap-jwt-assertion',
  'x-forwarded-access-token', 'x-credential',
]
const PLAIN = [
  'content-type', 'etag', 'x-request-id', 'traceparent', 'accept', 'sec-websocket-key',
  'sec-websocket-accept', 'www-authenticate', 'access-control-allow-credentials',
  'x-ratelimit-remaining-tokens', 'surrogate-key', 'idempotency-key', 'referer', 'location',
  'content-security-policy', 'x-monkey', 'keep-alive',
]

test('with no rules secret-like names are hidden and the others kept', () => {
  const rules = new HeaderRules([], false)
  for (const name of SECRET) assert.equal(rules.decide(name, false), ACTION_PRESENCE, name)
  for (const name of PLAIN) assert.equal(rules.decide(name, false), ACTION_KEEP, name)
  assert.equal(rules.decide('authorization', false), ACTION_SCHEME)
  assert.equal(rules.decide('proxy-authorization', false), ACTION_SCHEME)
  assert.equal(rules.decide('cookie', false), ACTION_COOKIE)
  assert.equal(rules.decide('set-cookie', true), ACTION_SET_COOKIE)
  assert.equal(rules.decide('x-forwarded-for', false), ACTION_KEEP)
  assert.equal(rules.decide('host', false), ACTION_HOST)
  assert.equal(rules.decide('user-agent', false), ACTION_PRODUCTS)
  assert.equal(rules.decide('sec-websocket-protocol', true), ACTION_PROTOCOLS)
})

test('with a key secret-like values are hashed', () => {
  assert.equal(new HeaderRules([], true).decide('x-api-key', false), ACTION_HASH)
})

test('the first rule that matches decides, by direction', () => {
  const { headers } = privacySchema.parse({ headers: [
    { match: 'x-internal-*', action: 'drop' }, { match: ['/^x-(a|b)$/', 'etag'], action: 'redact',
      direction: 'response' },
    { match: 'x-*', action: 'keep' },
  ] })
  const rules = new HeaderRules(headers, false)
  assert.equal(rules.decide('x-internal-host', true), ACTION_DROP)
  assert.equal(rules.decide('x-a', true), ACTION_PRESENCE)
  assert.equal(rules.decide('x-a', false), ACTION_KEEP)
  assert.equal(rules.decide('etag', true), ACTION_PRESENCE)
  assert.equal(rules.decide('x-api-key', false), ACTION_KEEP)
  assert.equal(rules.decide('x-forwarded-for', false), ACTION_KEEP)
})

test('names that are not included are dropped', () => {
  const rules = new HeaderRules([], false, { include: ['host', 'x-*'], exclude: ['x-b'] })
  assert.deepEqual(['host', 'x-a', 'x-b', 'accept'].map((name) => rules.decide(name, false) === ACTION_DROP),
    [false, false, true, true])
})

test('a pattern that is not linear, empty or hash without a key is refused with its place', () => {
  const rule = (match: string, action: 'hash' | 'keep' = 'keep') =>
    [{ match, action, direction: 'both' as const }]
  assert.throws(() => new HeaderRules(rule('/(a)\\1/'), false), /privacy\.headers\[0\]\.match\[0\].*linear/)
  assert.throws(() => new HeaderRules(rule('/(?=a)/'), false), /linear/)
  assert.throws(() => new HeaderRules(rule(''), false), /empty/)
  assert.throws(() => new HeaderRules(rule('a', 'hash'), false), /no key is configured/)
})
