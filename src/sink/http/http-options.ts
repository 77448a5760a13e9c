import { z } from 'zod'
import { durationSchema } from '../../../lib/units/mod.ts'
import { readSecret, readText, type SecretSource, secretSchema } from './secret.ts'

/** RFC 9110 5.1 and 5.5. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const HEADER_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/
/** Headers that the transport sets. */
const OWN = new Set(['authorization', 'connection', 'content-encoding', 'content-length', 'content-type', 'host', 'transfer-encoding'])

const FILE = z.string({ error: 'must be a path' }).min(1, 'must not be empty')

/** Certificates of an output; what is named is read, so that a check tells what is wrong with it. */
export const tlsSchema = z.strictObject({
  ca: FILE.optional().describe('PEM file of the authorities that the server\'s certificate may come from; none = those that Node knows.'),
  cert: FILE.optional().describe('PEM file of the client\'s certificate.'),
  key: FILE.optional().describe('PEM file of its key.'),
  server_name: z.string().min(1, 'must not be empty').optional()
    .describe('Name that the server\'s certificate must have; none = the host of the url.'),
}).superRefine((tls, context) => {
  const add = (path: string, message: string): void => { context.addIssue({ code: 'custom', path: [path], message }) }
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    return add(tls.cert === undefined ? 'key' : 'cert', 'must come with the other: give cert and key, or neither')
  }
  for (const name of ['ca', 'cert', 'key'] as const) {
    const path = tls[name]
    if (path === undefined) continue
    try {
      const text = readText(path)
      if (name === 'key') continue
      const Certificate = process.getBuiltinModule('node:crypto').X509Certificate
      new Certificate(text)
    } catch (error) {
      const message = (error as Error).message
      return add(name, message.startsWith('names the file') ? message
        : `names the file "${path}", which is no certificate in PEM: give one that begins with -----BEGIN CERTIFICATE-----`)
    }
  }
  if (tls.cert === undefined) return
  try {
    process.getBuiltinModule('node:tls').createSecureContext(tlsFiles(tls))
  } catch (error) {
    add('key', `names a file that is no key of that certificate: ${(error as Error).message}; give the PEM key without a passphrase`)
  }
})

const authSchema = z.strictObject({
  basic: z.strictObject({
    user: z.string().refine(user => !user.includes(':') && HEADER_VALUE.test(user), 'must not contain ":" or control characters')
      .describe('User name.'),
    password: secretSchema.describe('Password: {env: NAME} or {file: PATH}.'),
  }).optional(),
  bearer: secretSchema.optional().describe('Token: {env: NAME} or {file: PATH}.'),
}).refine(auth => (auth.basic === undefined) !== (auth.bearer === undefined), 'must be one of basic and bearer')

/** An http or https address without user and fragment. */
export const urlSchema = z.string({ error: 'must be an address, e.g. https://logs.example/ingest' }).superRefine((text, context) => {
  const message = urlTrouble(text)
  if (message !== undefined) context.addIssue({ code: 'custom', message })
})

/** Without the address: it may hold what it should not. */
function urlTrouble(text: string): string | undefined {
  if (!URL.canParse(text)) return 'must be an address, e.g. https://logs.example/ingest'
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must begin with http:// or https://'
  if (url.username !== '' || url.password !== '') return 'must not contain a user or password: secrets come from auth, as {env: NAME} or {file: PATH}'
  return url.hash === '' ? undefined : 'must not contain "#"'
}

const headersSchema = z.record(z.string(), z.union([z.string(), secretSchema], { error: 'must be text, {env: NAME} or {file: PATH}' }))
  .superRefine((headers, context) => {
    for (const [name, value] of Object.entries(headers)) {
      const why = !HEADER_NAME.test(name) ? 'is no header name: letters, digits and "-"'
        : OWN.has(name.toLowerCase()) ? 'is set by lintel: use auth for credentials'
          : typeof value === 'string' && !HEADER_VALUE.test(value) ? 'must not contain line breaks or control characters' : undefined
      if (why !== undefined) context.addIssue({ code: 'custom', path: [name], message: why })
    }
  })

/** For servers that read no other. */
export const gzipSchema = z.enum(['none', 'gzip']).default('gzip').describe('Of what is sent.')

/** Keys of every output that speaks HTTP. */
export const httpOptions = {
  url: urlSchema.describe('Address of the server.'),
  auth: authSchema.optional().describe('Credentials; secrets come from the environment or a file.'),
  headers: headersSchema.default({}).describe('Headers of each request; a secret is written {env: NAME} or {file: PATH}.'),
  tls: tlsSchema.prefault({}).describe('For https. Certificates are always checked.'),
  proxy: urlSchema.optional().describe('HTTP proxy, e.g. http://proxy:3128; none = none, also where the environment names one.'),
  compression: z.enum(['none', 'gzip', 'zstd']).default('gzip').describe('Of what is sent.'),
  timeout: durationSchema({ min: '100ms', max: '10m' }).prefault('30s').describe('An answer that has not come by then counts as none.'),
}

/** The same, checked, defaults filled in. */
export interface HttpConfig {
  readonly url: string
  readonly auth?: {
    readonly basic?: { readonly user: string, readonly password: SecretSource } | undefined
    readonly bearer?: SecretSource | undefined
  } | undefined
  readonly headers: Readonly<Record<string, string | SecretSource>>
  readonly tls: TlsConfig
  readonly proxy?: string | undefined
  readonly compression: 'none' | 'gzip' | 'zstd'
  readonly timeout: number
}

export interface TlsConfig {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly server_name?: string | undefined
}

/** The files' content, as node:tls takes it. @throws {Error} with the mend */
export function tlsFiles({ ca, cert, key, server_name }: TlsConfig): { ca?: string, cert?: string, key?: string, servername?: string } {
  return {
    ...(ca === undefined ? {} : { ca: readText(ca) }), ...(cert === undefined ? {} : { cert: readText(cert) }),
    ...(key === undefined ? {} : { key: readText(key) }), ...(server_name === undefined ? {} : { servername: server_name }),
  }
}

/** Headers with their secrets, and the secrets. @throws {Error} with the mend */
export function requestHeaders({ auth, headers }: Pick<HttpConfig, 'auth' | 'headers'>): { headers: Record<string, string>, secrets: string[] } {
  const secrets: string[] = []
  const secret = (source: SecretSource): string => {
    const value = readSecret(source)
    secrets.push(value)
    return value
  }
  const all: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) all[name.toLowerCase()] = typeof value === 'string' ? value : secret(value)
  if (auth?.bearer !== undefined) all['authorization'] = `Bearer ${secret(auth.bearer)}`
  if (auth?.basic !== undefined) {
    const pair = Buffer.from(`${auth.basic.user}:${secret(auth.basic.password)}`).toString('base64')
    secrets.push(pair)
    all['authorization'] = `Basic ${pair}`
  }
  return { headers: all, secrets }
}
