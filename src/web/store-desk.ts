import type { Column, PlainValue, Reader, RecordSource, Span, Words } from '../store/mod.ts'

export interface DeskAnswer {
  readonly names: readonly string[]
  readonly rows: readonly (readonly PlainValue[])[]
  /** What was left out of the answer, and why. */
  readonly notes: readonly string[]
}

/** Questions that wait. */
const WAITING_MAX = 64
/** Whatever a question says, no answer has more rows. */
const ROWS_MAX = 20_000
/** A reader that nobody asks is closed: a page that is left keeps nothing. */
const IDLE_MS = 2000

/** More questions wait than are taken. */
export class DeskBusyError extends Error {
  override readonly name = 'DeskBusyError'
}

/** Asks one question after the other, in the order in which they came, by a reader that they share as long as its source lets them. */
export class StoreDesk {
  readonly #source: RecordSource
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #reader: Reader | undefined
  #idle: NodeJS.Timeout | undefined

  constructor(source: RecordSource) {
    this.#source = source
  }

  get columns(): readonly Column[] {
    return this.#source.columns
  }

  get words(): Words {
    return this.#source.words
  }

  /**
   * @param sql    one SELECT
   * @param span   what it asks about; none = everything
   * @param signal a question that nobody waits for any more is not asked, or ended
   * @throws {Error} QueryError for a wrong question, DeskBusyError, or what hinders reading the store
   */
  async ask(sql: string, span?: Span, signal?: AbortSignal): Promise<DeskAnswer> {
    if (this.#waiting >= WAITING_MAX) throw new DeskBusyError(`Cannot ask the store: ${WAITING_MAX} questions wait already; try again`)
    this.#waiting++
    const answer = this.#last.then(() => this.#answer(sql, span, signal)).finally(() => { this.#waiting-- })
    this.#last = answer.catch(() => {}) // told to whoever asked; the next is asked all the same
    return await answer
  }

  /** Ends when what is asked is answered. */
  async close(): Promise<void> {
    this.#reader?.interrupt('the page is closed')
    await this.#last
    this.#closeReader()
  }

  async #answer(sql: string, span: Span | undefined, signal: AbortSignal | undefined): Promise<DeskAnswer> {
    signal?.throwIfAborted()
    clearTimeout(this.#idle)
    const leave = (): void => { this.#reader?.interrupt('nobody waits for it any more') }
    try {
      const reader = await this.#open()
      signal?.throwIfAborted()
      signal?.addEventListener('abort', leave, { once: true })
      const answer = await reader.ask(sql, span)
      const rows: (readonly PlainValue[])[] = []
      for await (const part of answer.rows) {
        rows.push(...part.slice(0, ROWS_MAX - rows.length))
        if (rows.length === ROWS_MAX) break
      }
      return { names: answer.names, rows, notes: reader.notes }
    } catch (error) {
      this.#closeReader() // one that was ended answers nothing more
      throw error
    } finally {
      signal?.removeEventListener('abort', leave)
      this.#idle = setTimeout(() => { this.#closeReader() }, IDLE_MS)
      this.#idle.unref()
    }
  }

  async #open(): Promise<Reader> {
    if (this.#reader?.isFresh() === true) return this.#reader
    this.#closeReader()
    this.#reader = await this.#source.open()
    return this.#reader
  }

  #closeReader(): void {
    clearTimeout(this.#idle)
    this.#reader?.close()
    this.#reader = undefined
  }
}
