import { createHash, timingSafeEqual } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { makeRoom } from '../../lib/bounded/mod.ts'
import { formatAddress, ipv6Bytes } from '../../lib/cidr/mod.ts'
import type { PageAccess } from '../sink/mod.ts'
import { isPassword } from './password.ts'
import type { Role } from './role.ts'
import { makeToken } from './token.ts'

export interface Session {
  /** For the audit: `session 1`, `session 2 of ana`; tells nothing of the cookie. */
  readonly label: string
  readonly role: Role
  readonly untilMs: number
}

/** A session as its cookie names it. */
export interface OpenedSession {
  readonly id: string
  readonly session: Session
}

interface Guesses {
  wrong: number
  readonly sinceMs: number
}

const SESSIONS_MAX = 64
/** Lifetime of a session. */
export const SESSION_MS = 12 * 60 * 60 * 1000
/** So many wrong ones within the window, then none is looked at until it is over. */
export const GUESSES_MAX = 10
const WINDOW_MS = 60_000
const WAIT_MS = 5000
const CALLERS_MAX = 1000
/** Passwords that wait to be compared. */
const WAITING_MAX = 20
const NETWORK_BYTES = 8

/**
 * Who has shown the token, or a password. At most 64 sessions, the oldest go first; at most 10 wrong ones a minute for a caller. Sessions
 * that are open stay open meanwhile. Passwords are compared one after the other: each takes 64 MiB.
 */
export class Sessions {
  readonly #access: PageAccess
  readonly #sessions = new Map<string, Session>()
  readonly #guesses = new Map<string, Guesses>()
  readonly #now: () => number
  #comparing: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #count = 0

  constructor(access: PageAccess, now: () => number = Date.now) {
    this.#access = access
    this.#now = now
  }

  get hasUsers(): boolean {
    return 'users' in this.#access
  }

  /**
   * @param caller address of whoever asks
   * @param name   of the user; nobody's with a token
   * @returns a session, `wrong`, or the milliseconds to wait before anything is looked at again
   */
  async open(caller: string, name: string, secret: string): Promise<OpenedSession | 'wrong' | number> {
    const guesses = this.#guessesOf(caller)
    if (this.#waiting >= WAITING_MAX) return WAIT_MS
    if (guesses.wrong >= GUESSES_MAX) return guesses.sinceMs + WINDOW_MS - this.#now()
    guesses.wrong++ // before it is known: many at once are many
    this.#waiting++
    const who = await this.#whoIs(name, secret).finally(() => { this.#waiting-- })
    if (who === undefined) return 'wrong'
    guesses.wrong--
    makeRoom(this.#sessions, SESSIONS_MAX)
    const id = makeToken()
    const session = { label: `session ${++this.#count}${who.label}`, role: who.role, untilMs: this.#now() + SESSION_MS }
    this.#sessions.set(hashText(id), session)
    return { id, session }
  }

  /** The session of a cookie. */
  find(id: string): Session | undefined {
    const key = hashText(id)
    const session = this.#sessions.get(key)
    if (session === undefined || this.#now() < session.untilMs) return session
    this.#sessions.delete(key)
    return undefined
  }

  close(id: string): void {
    this.#sessions.delete(hashText(id))
  }

  async #whoIs(name: string, secret: string): Promise<{ readonly label: string, readonly role: Role } | undefined> {
    // Of hashes, so that neither the length nor the place of the first difference shows in the time.
    if ('token' in this.#access) {
      return timingSafeEqual(hash(secret), hash(this.#access.token)) ? { label: '', role: 'operator' } : undefined
    }
    const user = this.#access.users.find(each => each.name === name)
    const compared = this.#comparing.then(() => isPassword(secret, user?.password))
    this.#comparing = compared.catch(() => {})
    return await compared ? { label: ` of ${user?.name}`, role: user?.role ?? 'operator' } : undefined
  }

  #guessesOf(caller: string): Guesses {
    const now = this.#now()
    const key = networkOf(caller)
    const known = this.#guesses.get(key)
    if (known !== undefined && now - known.sinceMs < WINDOW_MS) return known
    this.#guesses.delete(key)
    makeRoom(this.#guesses, CALLERS_MAX)
    const guesses = { wrong: 0, sinceMs: now }
    this.#guesses.set(key, guesses)
    return guesses
  }
}

/** The address; of IPv6 its /64, which is one machine's or one house's. */
function networkOf(address: string): string {
  const ipv4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (ipv4 !== undefined || !isIPv6(address) || address.includes('%')) return ipv4 ?? address
  return formatAddress(ipv6Bytes(address).fill(0, NETWORK_BYTES))
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function hashText(text: string): string {
  return hash(text).toString('base64')
}
