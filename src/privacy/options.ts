/**
 * What of the traffic may be logged, as written in the configuration: the schema, the types and the defaults.
 */
import { z } from 'zod'

const pattern = z.string().min(1).max(1000)
  .describe('A name, a glob ("x-*") or an expression ("/^x-(a|b)$/"); header names are compared in lower ' +
    'case.')

const headerRule = z.strictObject({
  match: z.union([pattern, z.array(pattern).min(1)]).describe('Header names that the rule is for.'),
  action: z.enum(['keep', 'redact', 'hash', 'drop']).describe(
    'keep: the value is logged, credentials inside it hidden. redact: REDACTED stands for the value. '
    + 'hash: a keyed hash stands for it (needs a key). drop: the header is left out with its name.'),
  direction: z.enum(['request', 'response',
    'both']).default('both').describe('Which messages the rule is for.'),
})

const prefix = z.strictObject({
  ipv4: z.int().min(0).max(32).default(24).describe('Bits of an IPv4 address that are kept.'),
  ipv6: z.int().min(0).max(128).default(48).describe('Bits of an IPv6 address that are kept.'),
})

const credentialPattern = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/).describe('Name that its count is shown under.'),
  regex: pattern.describe('Expression, run in linear time: no back references, no look-around.'),
})

export const privacySchema = z.strictObject({
  headers: z.array(headerRule).default([]).describe(
    'Rules for headers; the first that matches decides. Without a match every name is logged and ' +
      'secret-like ones have '
    + 'their values hidden.'),
  never_indexed: z.enum(['redact', 'keep']).default('redact').describe('Values of HTTP/2 whose sender lets nobody index them: ' +
    'redact hides them, keep judges them by name and content alone.'),
  query: z.strictObject({
    secret_names: z.array(pattern).default([]).describe(
      'More names of query parameters, form fields and JSON members whose values are hidden ("*_ref" by ' +
        'its end).'),
    plain_names: z.array(pattern).default([]).describe('Names whose values are not hidden because of the ' +
      'name.'),
  }).prefault({}).describe('Names of secret values in queries and texts.'),
  credentials: z.strictObject({
    cards: z.boolean().default(false).describe('Hide payment card numbers (13 to 19 digits with a right ' +
      'check digit).'),
    patterns: z.array(credentialPattern).max(32).default([]).describe('More forms of credentials to hide ' +
      'in any value.'),
  }).prefault({}).describe('Credentials searched for in every value; the built-in forms are always ' +
    'searched for.'),
  addresses: z.union([z.enum(['keep', 'anonymise']),
    z.strictObject({ truncate: prefix.prefault({}) })]).default('keep').describe(
    'keep: as they are. anonymise: replaced, common prefixes kept (needs a key). truncate: cut to a prefix.'),
  hash_key_file: z.string().min(1).optional().describe('File with the key for hashes, at least 16 bytes.'),
  hash_key_env: z.string().min(1).optional().describe('Environment variable with the key for hashes, at ' +
    'least 16 bytes.'),
  hash_key_ephemeral: z.boolean().default(false).describe('Make a random key for this run: values stay ' +
    'comparable within it only.'),
})

/** Options as written, everything optional. */
export type PrivacyInput = z.input<typeof privacySchema>

/** Options with every default filled in. */
export type PrivacyOptions = z.output<typeof privacySchema>

export type HeaderRule = PrivacyOptions['headers'][number]

/** Every name logged, secret-like values hidden, addresses as they are. */
export const DEFAULT_PRIVACY: PrivacyOptions = privacySchema.parse({})
