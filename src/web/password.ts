import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify<string, Buffer, number, { N: number, r: number, p: number, maxmem: number }, Buffer>(scrypt)
/** Cost of one guess: 64 MiB and some 200 ms (https://cheatsheetseries.owasp.org, Password Storage: scrypt). */
const COST = { N: 2 ** 16, r: 8, p: 1, maxmem: 128 * 1024 * 1024 }
const SALT_BYTES = 16
const HASH_BYTES = 32
const PASSWORD_MAX = 1024
/** A hash that no password has: whoever is unknown takes as long as whoever is known. */
const NOBODY = `scrypt:${'A'.repeat(22)}:${'A'.repeat(43)}`

/** `scrypt:SALT:HASH`, both base64url; for `web.users` of the config. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  return `scrypt:${salt.toString('base64url')}:${(await derive(password, salt, HASH_BYTES, COST)).toString('base64url')}`
}

/** @param hash of `hashPassword`; undefined = of a user that is not known, for whom no password is right */
export async function isPassword(password: string, hash: string | undefined): Promise<boolean> {
  const [, salt = '', expected = ''] = (hash ?? NOBODY).split(':')
  const found = await derive(password.slice(0, PASSWORD_MAX), Buffer.from(salt, 'base64url'), HASH_BYTES, COST)
  const wanted = Buffer.from(expected, 'base64url')
  return found.length === wanted.length && timingSafeEqual(found, wanted) && hash !== undefined
}
