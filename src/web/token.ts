import { randomBytes } from 'node:crypto'

const RANDOM_BYTES = 32

/** A token for whoever may look: 256 random bits. */
export function makeToken(): string {
  return randomBytes(RANDOM_BYTES).toString('base64url')
}
