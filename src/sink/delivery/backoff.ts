/** A server that asks for more patience than this is asked again all the same. */
const ASKED_MS_MAX = 15 * 60_000

export interface BackoffOptions {
  readonly minMs: number
  readonly maxMs: number
}

/**
 * How long to wait before the next try: a random part of a span that doubles each time ("full jitter", so that many agents do not
 * come back together). What the server asked for is waited for in full, and the random part besides.
 *
 * @param tries   tries before that failed in a row, from 1
 * @param askedMs Retry-After in milliseconds
 */
export function waitMs(tries: number, askedMs: number | undefined, { minMs, maxMs }: BackoffOptions, random = Math.random): number {
  const jitter = random() * Math.min(maxMs, minMs * 2 ** (tries - 1))
  return askedMs === undefined ? jitter : Math.min(askedMs, ASKED_MS_MAX) + Math.min(jitter, askedMs + minMs)
}
