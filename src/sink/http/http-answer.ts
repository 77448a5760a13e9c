import type { Answer, Hindrance } from '../delivery/mod.ts'
import { NoAnswer, type Reply, type Transport } from './transport.ts'

/** Refused for what some of the records are, or for their size: RFC 9110 15.5. */
const APART = new Map([[400, 'bad request'], [409, 'conflict'], [413, 'too large'], [422, 'not processable']])

const MENDS = new Map<number, string>([
  [401, 'the credentials are not taken: look at auth'], [403, 'the credentials are not allowed to write there: look at auth'],
  [404, 'there is no such address: look at url'], [405, 'this address takes no POST: look at url'],
  [407, 'the proxy asks for credentials'], [415, 'it does not take this form or compression: look at compression'],
])

/**
 * What a status means for a batch: taken (2xx); refused for what is in it (400, 409, 413, 422); and all else, which is for people
 * (wrong credentials, wrong address, redirects) or for time to mend (429, 5xx) and is tried again.
 */
export function answerOf({ status, headers, body }: Reply, transport: Transport): Answer {
  if (status >= 200 && status < 300) return { outcome: 'done' }
  const said = transport.clean(body.toString('utf8', 0, 4096))
  const apart = APART.get(status)
  if (apart !== undefined) return { outcome: 'apart', reason: `${status} ${apart}${said === '' ? '' : `: ${said}`}` }
  const isRedirect = status >= 300 && status < 400
  const mend = isRedirect ? 'redirects are not followed: set url to where it leads' : MENDS.get(status)
  const message = `${transport.target} answers ${status}${said === '' ? '' : ` (${said})`}${mend === undefined ? '' : `; ${mend}`}`
  return { outcome: 'later', hindrance: { reason: `status ${status}`, message, afterMs: retryAfterMs(headers['retry-after']) } }
}

/** RFC 9110 10.2.3: seconds or a date. Undefined when it is missing or neither. */
export function retryAfterMs(value: string | undefined, nowMs = Date.now()): number | undefined {
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs)
}

/** Runs what speaks to a server: where no answer came, that is the answer. */
export async function orNoAnswer(speak: () => Promise<Answer>): Promise<Answer> {
  try {
    return await speak()
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    return { outcome: 'later', hindrance: error.hindrance }
  }
}

/** The body of an answer as a JSON object; undefined when it is none. */
export function jsonObject(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === 'object' && value !== null ? value as Record<string, unknown> : undefined
  } catch {
    return undefined
  }
}

/** An answer that is no sense: told, and tried again. */
export function oddAnswer(transport: Transport, what: string): Answer {
  const hindrance: Hindrance = { reason: 'odd answer', message: `${transport.target} answers ${what}; is it the server that this output is for?` }
  return { outcome: 'later', hindrance }
}
