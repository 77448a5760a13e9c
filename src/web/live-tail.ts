import { compileFilter, type Filter, type FilterField } from '../sink/mod.ts'
import { JsonRecord } from './json-record.ts'
import { LineSplitter } from './line-splitter.ts'
import { LiveClient } from './live-client.ts'

/** Lines that a page that opens is shown at once. */
const RING_LINES = 1000
const RING_BYTES = 4 * 1024 * 1024
/** A longer line is not shown: a head of 256 KiB, as JSON, takes less. */
const LINE_BYTES_MAX = 1024 * 1024
const CLIENTS_MAX = 16
/** How often what came is sent on. */
const TICK_MS = 100

/** More pages follow the records than may. */
export class TooManyClientsError extends Error {
  override readonly name = 'TooManyClientsError'
}

/**
 * The last records, for pages that follow them: at most 1000 lines and 4 MiB are kept, 16 pages follow at once, each behind a queue of its
 * own. What a page did not get (the agent did not hand it over, its browser reads too slowly) is counted and told to it.
 */
export class LiveTail {
  readonly fields: readonly FilterField[]
  readonly #record: JsonRecord
  readonly #splitter = new LineSplitter(LINE_BYTES_MAX, line => { this.#line(line) })
  readonly #clients = new Set<LiveClient>()
  readonly #ring: string[] = []
  #ringBytes = 0
  #skipped = 0
  #timer: NodeJS.Timeout | undefined

  constructor(fields: readonly FilterField[]) {
    this.fields = fields
    this.#record = new JsonRecord(fields)
  }

  /** Pages that follow now. */
  get clients(): number {
    return this.#clients.size
  }

  /** @param chunk a piece of NDJSON behind the privacy wall */
  take(chunk: Buffer): void {
    this.#splitter.take(chunk)
    this.#miss(this.#splitter.skipped - this.#skipped)
    this.#skipped = this.#splitter.skipped
  }

  /** So many records were not handed over: more came than a page can show. */
  missed(count: number): void {
    this.#miss(count)
  }

  /**
   * A stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): `start`, then `records` (a line of
   * NDJSON a line) and `missed` (a number).
   *
   * @throws {Error} FilterError, or TooManyClientsError
   */
  open(filter: string): ReadableStream<Uint8Array> {
    const wanted = filter === '' ? undefined : compileFilter(filter, this.fields)
    if (this.#clients.size >= CLIENTS_MAX) throw new TooManyClientsError(`Cannot follow: ${CLIENTS_MAX} pages do already; close one`)
    const client: LiveClient = new LiveClient(wanted, () => { this.#leave(client) })
    for (const line of this.#ring) if (this.#wants(wanted, line)) client.push(line)
    this.#clients.add(client)
    this.#timer ??= setInterval(() => { this.#tick() }, TICK_MS)
    client.tick()
    return client.stream
  }

  close(): void {
    for (const client of this.#clients) client.end()
  }

  #line(line: string): void {
    this.#ring.push(line)
    this.#ringBytes += line.length
    while (this.#ring.length > RING_LINES || this.#ringBytes > RING_BYTES) this.#ringBytes -= (this.#ring.shift() as string).length
    let parsed: JsonRecord | undefined
    for (const client of this.#clients) {
      if (client.filter !== undefined) parsed ??= this.#record.at(line)
      if (client.filter === undefined || client.filter(parsed as JsonRecord)) client.push(line)
    }
  }

  #wants(filter: Filter | undefined, line: string): boolean {
    return filter === undefined || filter(this.#record.at(line))
  }

  #miss(count: number): void {
    if (count > 0) for (const client of this.#clients) client.miss(count)
  }

  #tick(): void {
    for (const client of this.#clients) client.tick()
  }

  #leave(client: LiveClient): void {
    this.#clients.delete(client)
    if (this.#clients.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

/** @throws {FilterError} where a filter cannot be read; an empty one can */
export function checkFilter(filter: string, fields: readonly FilterField[]): void {
  if (filter.trim() !== '') compileFilter(filter, fields)
}
