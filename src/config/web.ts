import { isIP } from 'node:net'
import { z } from 'zod'

const PORT_MAX = 65_535
const EXAMPLE = '127.0.0.1:9465'
const PATH = z.string({ error: 'must be a path' }).min(1, 'must not be empty').refine(path => !path.includes('\0'), 'must not contain NUL')

/** Where the page is served: `127.0.0.1:9465`, `[::]:443`, `:9465`, `9465`; loopback when no address is given. */
export const webAddressSchema = z.union([z.string(), z.int()], { error: `must be an address and port, e.g. ${EXAMPLE}` })
  .transform((value, context) => {
    const match = /^(?:(\[[^\]]*\]|[^:[\]]*):)?(\d{1,5})$/.exec(String(value))
    const host = (match?.[1] || '127.0.0.1').replace(/^localhost$/, '127.0.0.1').replace(/[[\]]/g, '')
    const port = Number(match?.[2])
    if (match !== null && port <= PORT_MAX && isIP(host) !== 0) return { host, port }
    context.addIssue({ code: 'custom', message: `must be an address of this machine and a port, e.g. ${EXAMPLE}; it is ${JSON.stringify(value)}` })
    return z.NEVER
  })

const userSchema = z.strictObject({
  name: z.string().regex(/^[\w.@-]{1,64}$/, 'must be 1 to 64 letters, digits, ".", "_", "@" or "-"').describe('As it stands in the audit.'),
  password: z.string().regex(/^scrypt:[\w-]{22}:[\w-]{43}$/, 'must be what "lintel web --hash-password" prints, never the password itself')
    .describe('What `lintel web --hash-password` prints.'),
  role: z.enum(['viewer', 'operator']).default('operator')
    .describe('`viewer`: counts and tables; `operator`: single records, live and stored, with their headers as well.'),
})

const moneySchema = z.number({ error: 'must be an amount for a million tokens, e.g. 2.5' }).min(0, 'must not be below 0').max(1e9)

const priceSchema = z.strictObject({
  model: z.string().regex(/^[\x20-\x7e]{1,128}$/, 'must be the name of a model of 1 to 128 characters of ASCII, e.g. gpt-4o-mini*')
    .describe('Name of the model that answered; * stands for any characters. The first entry that fits counts: `gpt-4o-mini*` before `gpt-4o*`.'),
  input: moneySchema.describe('A million input tokens.'),
  output: moneySchema.describe('A million output tokens.'),
  cache_read: moneySchema.optional().describe('A million input tokens that come from the provider\'s cache; none = as other input.'),
  cache_creation: moneySchema.optional().describe('A million input tokens that go into it; none = as other input.'),
})

export const webSchema = z.strictObject({
  enabled: z.boolean().default(false).describe('Serve the page, in a process of its own; without users a token for it is printed at the start.'),
  address: webAddressSchema.prefault(EXAMPLE).describe('Address and port; port 0 = any. Other addresses than the loopback need tls and users.'),
  tls: z.strictObject({
    certificate: PATH.optional().describe('PEM file: the certificate, and those that signed it.'),
    key: PATH.optional().describe('PEM file of its private key.'),
  }).prefault({}).describe('Serve the page by HTTPS, with both files; none = by HTTP, on the loopback only.'),
  names: z.array(z.string().regex(/^[a-z0-9.-]{1,253}$/, 'must be a host name in small letters, without a port')).max(32).default([])
    .describe('Names under which the page may be asked for, besides this machine\'s own name and addresses.'),
  prices: z.strictObject({
    currency: z.string().regex(/^[\x20-\x7e]{1,16}$/, 'must be 1 to 16 characters of ASCII, e.g. EUR').optional().describe('Shown beside costs.'),
    models: z.array(priceSchema).max(500, 'must be 500 models at most').default([]).describe('Prices by model; a call without one shows no cost.'),
  }).prefault({}).describe('What models of AI calls cost, for the view AI calls (docs/ai-calls.md).'),
  users: z.array(userSchema).max(100).default([]).describe('Who may look; none = whoever has the token.'),
}).superRefine((web, context) => {
  const trouble = webTrouble(web)
  if (trouble !== undefined) context.addIssue({ code: 'custom', path: ['address'], message: trouble })
  if ((web.tls.certificate === undefined) !== (web.tls.key === undefined)) {
    context.addIssue({ code: 'custom', path: ['tls'], message: 'must have both certificate and key, or neither' })
  }
  const names = web.users.map(({ name }) => name)
  names.forEach((name, index) => {
    if (names.indexOf(name) < index) context.addIssue({ code: 'custom', path: ['users', index, 'name'], message: `must not be "${name}" twice` })
  })
})

export type WebConfig = z.output<typeof webSchema>

/** Why a page must not be served like this; undefined when it may. */
export function webTrouble({ address, tls, users }: Pick<WebConfig, 'address' | 'tls' | 'users'>): string | undefined {
  const files = tlsFilesOf({ tls })
  if (/^127\.|^::1$/.test(address.host) || (files !== undefined && users.length > 0)) return undefined
  const lacks = [...(files === undefined ? ['web.tls'] : []), ...(users.length === 0 ? ['web.users'] : [])].join(' and ')
  return `must be a loopback address, e.g. ${EXAMPLE}, as long as the config has no ${lacks}: others would read what is logged. ` +
    'Set them, or reach the loopback by ssh -L 9465:127.0.0.1:9465'
}

/** The files of HTTPS; undefined = by HTTP. */
export function tlsFilesOf({ tls }: Pick<WebConfig, 'tls'>): { readonly certificate: string, readonly key: string } | undefined {
  const { certificate, key } = tls
  return certificate === undefined || key === undefined ? undefined : { certificate, key }
}
