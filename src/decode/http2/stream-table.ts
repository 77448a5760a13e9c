import { Http2Stream } from './http2-stream.ts'

/** Streams of one connection that are followed at once; nginx allows 128, Envoy 2^31 by default. */
export const STREAMS_MAX = 4096

/** Streams that the client reset whose response may still be on its way. */
const RESETS_MAX = 128

/**
 * The streams of one connection that are not over, oldest first, and which identifiers were used (RFC 9113 5.1.1).
 *
 * Bound: STREAMS_MAX; over it the oldest has to go. Of RESETS_MAX resets it is known that a response may cross them; one that
 * crosses an earlier one counts as misplaced.
 */
export class StreamTable {
  readonly #open = new Map<number, Http2Stream>()
  #last: Http2Stream | undefined
  /** Largest identifier that a client's request was certain to open, 0 = none. */
  #newest = 0
  readonly #numberOf: (id: number) => number
  /** Made with the first. */
  #resets: Set<number> | undefined

  constructor(numberOf: (id: number) => number) {
    this.#numberOf = numberOf
  }

  get size(): number {
    return this.#open.size
  }

  get newest(): number {
    return this.#newest
  }

  find(id: number): Http2Stream | undefined {
    if (this.#last !== undefined && this.#last.id === id) return this.#last
    const stream = this.#open.get(id)
    if (stream !== undefined) this.#last = stream
    return stream
  }

  add(id: number, exchange = this.#numberOf(id)): Http2Stream {
    const stream = new Http2Stream(id, exchange)
    this.#open.set(id, stream)
    this.#last = stream
    return stream
  }

  /** The client has opened `id`. */
  note(id: number): void {
    if (id > this.#newest) this.#newest = id
  }

  remove(stream: Http2Stream): void {
    if (this.#open.get(stream.id) === stream) this.#open.delete(stream.id)
    if (this.#last === stream) this.#last = undefined
  }

  /** The client has reset `id` before its response was over. */
  noteReset(id: number): void {
    const resets = this.#resets ??= new Set()
    if (resets.size === RESETS_MAX) for (const oldest of resets) { resets.delete(oldest); break }
    resets.add(id)
  }

  /** RFC 9113 5.1: what the server sent before it heard of the client's reset comes all the same. */
  mayCrossReset(id: number): boolean {
    return this.#resets?.has(id) === true
  }

  /** The one that goes when there are too many. */
  get oldest(): Http2Stream | undefined {
    return this.#open.values().next().value
  }

  /** A copy, so that streams may go while it is walked. */
  all(): Http2Stream[] {
    return [...this.#open.values()]
  }
}
