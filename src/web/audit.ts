import { makeRoom } from '../../lib/bounded/mod.ts'

const TEXT_MAX = 300
const KNOWN_MAX = 1000
const AGAIN_MS = 60_000

/** Says who looked at what, once a minute each: a page that is open asks again and again. */
export class Audit {
  readonly #say: (line: string) => void
  readonly #said = new Map<string, number>()

  constructor(say: (line: string) => void) {
    this.#say = say
  }

  /** @param what without anything that a filter compares with: see `fieldsIn` */
  looked(session: string, address: string, what: string): void {
    const line = `page: ${session} (${address}) looked at ${what.slice(0, TEXT_MAX)}`
    const now = performance.now()
    if (now - (this.#said.get(line) ?? -Infinity) < AGAIN_MS) return
    makeRoom(this.#said, KNOWN_MAX)
    this.#said.delete(line)
    this.#said.set(line, now)
    this.#say(line)
  }

  said(session: string | undefined, address: string, what: string): void {
    this.#say(`page: ${session ?? 'somebody'} (${address}) ${what}`)
  }
}

/** The fields that a filter names, and nothing of its texts: somebody may look for a secret, and a log is no place for one. */
export function fieldsIn(filter: string, fields: readonly { readonly name: string }[]): string {
  const words = new Set(filter.match(/[a-z_][a-z0-9_.]*/g) ?? [])
  // "http.request.header.host" names a field with what is in it.
  const named = fields.filter(({ name }) => [...words].some(word => word === name || word.startsWith(`${name}.`)))
  return named.map(({ name }) => name).join(', ')
}
