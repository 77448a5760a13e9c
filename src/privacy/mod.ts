/**
 * The privacy wall: between what the wire said and everything that writes, filters or shows.
 *
 * In: EXCHANGE blocks and records of raw values (wasm/layout.ts), in shared memory.
 * Out: SafeRecords. Values of secret-like headers, cookies, query parameters and everything that looks
 *   like a credential, also behind percent-encoding or base64, are replaced by `REDACTED` or, with a key, by
 *   `hmac-sha256:` and 32 hex digits; addresses are kept, cut or anonymised. The byte work is
 *   wasm/privacy.ts and what it imports.
 * Drops: headers and fields that the configuration leaves out; headers whose name itself holds a
 *   credential (counted).
 * Limits: decisions for 4,096 header names of at most 56 bytes and 512 of at most 128 are kept (a full table
 *   is begun anew, longer names are decided afresh, both counted); texts over 128 KiB are hidden whole; two
 *   layers of percent-encoding and one of base64 are looked behind. A secret that looks like an ordinary value
 *   under an ordinary name (a password in `x-note: hello`) cannot be told from one; behind a common word that is not all of the name (`the key of it,
 *   abcdefghij`) a secret is found when it has 12 characters in a row, a digit among them. A cookie without
 *   a name that has an equals sign inside is taken for a name and a value.
 *
 * @module
 */
export { CREDENTIAL_PATTERNS, type CredentialPattern } from './credential-patterns.ts'
export { type FieldChoice, fieldChecks } from './field-rules.ts'
export { shareEphemeralKey } from './hash-key.ts'
export { type HeaderChoice, HeaderRules } from './header-rules.ts'
export { DEFAULT_PRIVACY, type PrivacyInput, type PrivacyOptions, privacySchema } from './options.ts'
export type { SafeRecord } from './safe-record.ts'
export { type RawRecord, Wall, type WallChoice, type WallCounters } from './wall.ts'
