import { readFileSync, statSync } from 'node:fs'
import { z } from 'zod'
import { explain } from '../disk-trouble.ts'

/** Where a secret is to be had; the secret itself never stands in a configuration. */
export type SecretSource = { readonly env: string } | { readonly file: string }

const FILE_BYTES_MAX = 64 * 1024
/** RFC 9110 5.5: what a field value must not contain. */
const CONTROLS = /[\u0000-\u001f\u007f]/

export const secretSchema = z.union([
  z.strictObject({ env: z.string().min(1, 'must not be empty').describe('Environment variable that holds it.') }),
  z.strictObject({ file: z.string().min(1, 'must not be empty').describe('File that holds it; white space at its end does not count.') }),
], { error: 'must say where the secret is to be had: {env: NAME} or {file: PATH}' })
  .superRefine((source, context) => {
    try {
      readSecret(source)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
    }
  })

/** @throws {Error} with the mend, and never with the secret */
export function readSecret(source: SecretSource): string {
  if ('env' in source) {
    const value = process.env[source.env]
    const named = `names the environment variable ${source.env}`
    if (value === undefined || value === '') throw new Error(`${named}, which is not set: set it for lintel, or use {file: PATH}`)
    if (CONTROLS.test(value)) throw new Error(`${named}, whose value has a line break or control character in it: leave that out`)
    return value
  }
  const text = readText(source.file).trimEnd()
  if (text === '') throw new Error(`names the file "${source.file}", which is empty: write the secret into it`)
  if (CONTROLS.test(text)) throw new Error(`names the file "${source.file}", which has a line break or control character in it: one line is wanted`)
  return text
}

/** @throws {Error} that begins with "names the file" */
export function readText(path: string): string {
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw new Error(`it is larger than ${FILE_BYTES_MAX} bytes; it cannot be what is wanted`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`names the file "${path}", which cannot be read: ${(error as NodeJS.ErrnoException).code === 'ENOENT'
      ? 'there is no such file; give the path of one (ENOENT)' : explain(error)}`, { cause: error })
  }
}

const HIDDEN = '[hidden]'
const TEXT_MAX = 300

/** Makes text of others fit for a message: without secrets, control characters, and short. */
export class Redaction {
  readonly #secrets: readonly string[]

  constructor(secrets: readonly string[]) {
    this.#secrets = [...new Set(secrets.filter(secret => secret !== '').flatMap(forms))].sort((a, b) => b.length - a.length)
  }

  clean(text: string): string {
    let clean = text
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, HIDDEN)
    clean = clean.replaceAll(/[\p{C}\s]+/gu, ' ').trim()
    return clean.length > TEXT_MAX ? `${clean.slice(0, TEXT_MAX)}…` : clean
  }
}

/** A secret as a server may give it back. */
function forms(secret: string): readonly string[] {
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), Buffer.from(secret).toString('base64').replace(/=+$/, '')]
}
