import { isIPv6 } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import type { Context, MiddlewareHandler } from 'hono'
import type { HttpBindings } from '@hono/node-server'
import type { Role } from './role.ts'

export interface PageEnvironment {
  readonly Bindings: HttpBindings
  readonly Variables: { session: string, role: Role }
}

/**
 * Nothing but what this server itself serves: no inline script or style, no frame, no other host. `require-trusted-types-for`: no text
 * becomes markup in a browser that knows it, whatever the page's code does.
 */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

/** The referrer stays here: without any a browser would call the origin of this server's own forms `null`. */
const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ['content-security-policy', POLICY], ['x-content-type-options', 'nosniff'], ['x-frame-options', 'DENY'], ['referrer-policy', 'same-origin'],
  ['cross-origin-opener-policy', 'same-origin'], ['cross-origin-resource-policy', 'same-origin'],
  ['permissions-policy', 'camera=(), microphone=(), geolocation=()'], ['cache-control', 'no-store'],
]

/** The port that a browser leaves out. */
const STANDARD_PORT = { http: 80, https: 443 } as const

/** How this server may be asked. */
export interface OwnNames {
  readonly scheme: 'http' | 'https'
  /** Values of Host. */
  readonly hosts: ReadonlySet<string>
}

/** Names of a server: of the loopback; and, when it is not bound to that, this machine's name and addresses, and those given. */
export function ownNames(scheme: 'http' | 'https', host: string, port: number, given: readonly string[]): OwnNames {
  const isLocal = /^127\.|^::1$/.test(host)
  const addresses = isLocal ? [host] : Object.values(networkInterfaces()).flatMap(list => (list ?? []).map(({ address }) => address))
  const names = ['localhost', '127.0.0.1', '::1', ...addresses, ...(isLocal ? [] : [hostname().toLowerCase()]), ...given]
    .map(name => isIPv6(name) ? `[${name}]` : name)
  return { scheme, hosts: new Set([...names.map(name => `${name}:${port}`), ...(port === STANDARD_PORT[scheme] ? names : [])]) }
}

/**
 * Every answer's headers, and who may ask: by an own name only (a foreign name that leads here is an attack, DNS
 * rebinding), and never from a page of another origin.
 *
 * @param names asked for each request: the port is known once the server listens
 */
export function guard(names: () => OwnNames): MiddlewareHandler<PageEnvironment> {
  return async (context, next) => {
    for (const [name, value] of HEADERS) context.header(name, value)
    const refusal = refusalOf(context, names())
    if (refusal !== undefined) return context.text(`${refusal}\n`, 403)
    await next()
    return undefined
  }
}

function refusalOf(context: Context, { scheme, hosts }: OwnNames): string | undefined {
  const host = context.req.header('host')?.toLowerCase()
  if (host === undefined || !hosts.has(host)) return 'Cannot answer under this name: ask by the address that was printed at the start'
  const origin = context.req.header('origin')
  if (origin !== undefined && origin !== `${scheme}://${host}`) return 'Cannot answer a page of another origin'
  // A link on another page may lead here; its scripts, pictures and forms may not ask.
  const isLink = context.req.method === 'GET' && context.req.header('sec-fetch-mode') === 'navigate'
  const site = context.req.header('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isLink) return 'Cannot answer a page of another site'
  return undefined
}
