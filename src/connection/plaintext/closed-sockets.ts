import { makeRoom } from '../../../lib/bounded/mod.ts'

/** Cookies that are remembered; the oldest goes first. */
const COOKIES_MAX = 4096

/**
 * Sockets that were closed before a session was known to run over them. The end of a socket is told at once, a write when
 * its call returns: of a connection that its peer resets at the first request, the end comes first.
 */
export class ClosedSockets {
  readonly #times = new Map<number, number>()

  /** @param time nanoseconds in the source's clock */
  add(cookie: number, time: number): void {
    makeRoom(this.#times, COOKIES_MAX)
    this.#times.set(cookie, time)
  }

  /** When this socket was closed, and forgets it: cookies are not used again. Infinity = it was not. */
  take(cookie: number): number {
    const time = this.#times.get(cookie)
    if (time === undefined) return Infinity
    this.#times.delete(cookie)
    return time
  }
}
