import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context, Hono } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { bodyLimit } from 'hono/body-limit'
import type { Audit } from './audit.ts'
import type { PageEnvironment } from './guard.ts'
import { AGAIN_HTML, loginHtml } from './html.ts'
import { SESSION_MS, type Sessions } from './sessions.ts'

export interface DoorOptions {
  readonly sessions: Sessions
  readonly audit: Audit
  /** By HTTPS: the cookie goes no other way. */
  readonly isSecure: boolean
  /** Of the server: cookies do not know ports, and two Lintels on one machine must not close each other's sessions. */
  readonly port: () => number
}

const FORM_BYTES_MAX = 8192
const NO_SESSION = 'Cannot answer without a session: open the page anew'

type PageContext = Context<PageEnvironment>

/**
 * Lets in who shows the token, by the printed link (`?token=`) or by the form, or a user's password. The token then leaves the
 * address, and a cookie names the session (HttpOnly, SameSite=Strict). Everything added to the app after this needs a session.
 */
export function addDoor(app: Hono<PageEnvironment>, { sessions, audit, isSecure, port }: DoorOptions): void {
  const { hasUsers } = sessions
  const cookie = (): string => `lintel_${port()}`
  const words = hasUsers
    ? {
        ask: 'The page shows what crosses this machine, so it asks who you are.',
        wrong: 'That is not the name and password of a user.', what: 'password',
      }
    : {
        ask: 'The page shows what crosses this machine, so it asks for the token that was printed when Lintel started.',
        wrong: 'That is not the token of this Lintel: it is another one at each start, and printed then.', what: 'token',
      }
  const keep = (context: PageContext, id: string, seconds: number): void => {
    setCookie(context, cookie(), id, { httpOnly: true, sameSite: 'Strict', path: '/', maxAge: seconds, secure: isSecure })
  }

  const letIn = async (context: PageContext, name: string, secret: string, next: string): Promise<Response> => {
    const opened = await sessions.open(addressOf(context), name, secret)
    if (typeof opened === 'number') {
      const seconds = Math.max(1, Math.ceil(opened / 1000))
      audit.said(undefined, addressOf(context), `showed a ${words.what} after too many wrong ones; it was not looked at`)
      context.header('retry-after', String(seconds))
      return context.html(loginHtml({ next, hasUsers, message: `Too many wrong ${words.what}s: try again in ${seconds} s.` }), 429)
    }
    if (opened === 'wrong') {
      audit.said(undefined, addressOf(context), `showed a wrong ${words.what}`)
      return context.html(loginHtml({ next, hasUsers, message: words.wrong }), 401)
    }
    audit.said(opened.session.label, addressOf(context), `was opened with the ${words.what}`)
    keep(context, opened.id, SESSION_MS / 1000)
    return context.redirect(next, 303)
  }

  const small = bodyLimit({ maxSize: FORM_BYTES_MAX, onError: context => context.text('Cannot read so large a form\n', 413) })
  app.post('/login', small, async context => {
    const form = await context.req.parseBody()
    return await letIn(context, text(form['name']), text(form[hasUsers ? 'password' : 'token']), ownPath(text(form['next'])))
  })

  app.use(async (context, next) => {
    const url = new URL(context.req.url)
    const session = sessions.find(getCookie(context, cookie()) ?? '')
    const token = hasUsers ? null : url.searchParams.get('token')
    if (token !== null && context.req.method === 'GET') {
      url.searchParams.delete('token')
      const rest = ownPath(url.pathname + url.search)
      return session === undefined ? await letIn(context, '', token, rest) : context.redirect(rest, 303)
    }
    if (session !== undefined) {
      context.set('session', session.label)
      context.set('role', session.role)
      await next()
      return undefined
    }
    if (url.pathname.startsWith('/api/')) return context.json({ error: NO_SESSION }, 401)
    if (context.req.header('sec-fetch-site') === 'cross-site' && context.req.method === 'GET') return context.html(AGAIN_HTML)
    return context.html(loginHtml({ next: ownPath(url.pathname + url.search), hasUsers, message: words.ask }), 401)
  })

  app.post('/logout', context => {
    sessions.close(getCookie(context, cookie()) ?? '')
    audit.said(context.get('session'), addressOf(context), 'was closed')
    keep(context, '', 0)
    return context.redirect('/', 303)
  })
}

/** The caller's address; its port is another one with each connection. */
export function addressOf(context: PageContext): string {
  return getConnInfo(context).remote.address ?? '?'
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** A path of this server, never another host's address (`//host`, `/\host`). */
function ownPath(path: string): string {
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(path) ? path : '/'
}
