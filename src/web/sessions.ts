import { createHash, timingSafeEqual } from 'node:crypto'
import { makeToken } from './token.ts'

export interface Session {
  /** For the audit: counts from 1, tells nothing of the cookie. */
  readonly number: number
  readonly untilMs: number
}

/** A session as its cookie names it. */
export interface OpenedSession {
  readonly id: string
  readonly session: Session
}

const SESSIONS_MAX = 64
/** Lifetime of a session. */
export const SESSION_MS = 12 * 60 * 60 * 1000
/** So many wrong tokens within the window, then none is looked at until it is over. */
export const GUESSES_MAX = 10
const WINDOW_MS = 60_000

/**
 * Who has shown the token. At most 64 sessions, the oldest go first; at most 10 wrong tokens a minute for all callers together: on
 * the loopback they cannot be told apart. Sessions that are open stay open meanwhile.
 */
export class Sessions {
  readonly #tokenHash: Buffer
  readonly #sessions = new Map<string, Session>()
  readonly #now: () => number
  #count = 0
  #wrong = 0
  #windowStart = 0

  constructor(token: string, now: () => number = Date.now) {
    this.#tokenHash = hash(token)
    this.#now = now
  }

  /** @returns a session, `wrong`, or the milliseconds to wait before a token is looked at again */
  open(token: string): OpenedSession | 'wrong' | number {
    const now = this.#now()
    if (now - this.#windowStart >= WINDOW_MS) {
      this.#windowStart = now
      this.#wrong = 0
    }
    if (this.#wrong >= GUESSES_MAX) return this.#windowStart + WINDOW_MS - now
    // Of hashes, so that neither the length nor the place of the first difference shows in the time.
    if (!timingSafeEqual(hash(token), this.#tokenHash)) {
      this.#wrong++
      return 'wrong'
    }
    const [oldest] = this.#sessions.keys()
    if (this.#sessions.size >= SESSIONS_MAX && oldest !== undefined) this.#sessions.delete(oldest)
    const id = makeToken()
    const session = { number: ++this.#count, untilMs: now + SESSION_MS }
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
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function hashText(text: string): string {
  return hash(text).toString('base64')
}
