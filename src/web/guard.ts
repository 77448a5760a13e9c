import type { Context, MiddlewareHandler } from 'hono'
import type { HttpBindings } from '@hono/node-server'

export interface PageEnvironment {
  readonly Bindings: HttpBindings
  readonly Variables: { session: number }
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

/** Names under which a server on this address may be asked. */
export function hostNames(host: string, port: number): ReadonlySet<string> {
  const names = new Set([host.includes(':') ? `[${host}]` : host, 'localhost', '127.0.0.1', '[::1]'])
  return new Set([...names].map(name => `${name}:${port}`))
}

/**
 * Every answer's headers, and who may ask: by a name of the loopback only (a foreign name that leads to 127.0.0.1 is an attack, DNS
 * rebinding), and never from a page of another origin.
 *
 * @param hosts asked for each request: the port is known once the server listens
 */
export function guard(hosts: () => ReadonlySet<string>): MiddlewareHandler<PageEnvironment> {
  return async (context, next) => {
    for (const [name, value] of HEADERS) context.header(name, value)
    const refusal = refusalOf(context, hosts())
    if (refusal !== undefined) return context.text(`${refusal}\n`, 403)
    await next()
    return undefined
  }
}

function refusalOf(context: Context, hosts: ReadonlySet<string>): string | undefined {
  const host = context.req.header('host')?.toLowerCase()
  if (host === undefined || !hosts.has(host)) return 'Cannot answer under this name: ask by the address that was printed at the start'
  const origin = context.req.header('origin')
  if (origin !== undefined && origin !== `http://${host}`) return 'Cannot answer a page of another origin'
  // A link on another page may lead here; its scripts, pictures and forms may not ask.
  const isLink = context.req.method === 'GET' && context.req.header('sec-fetch-mode') === 'navigate'
  const site = context.req.header('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isLink) return 'Cannot answer a page of another site'
  return undefined
}
