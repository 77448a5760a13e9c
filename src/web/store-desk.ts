import { type Column, type PlainValue, StoreReader } from '../store/mod.ts'

export interface DeskOptions {
  readonly folder: string
  readonly columns: readonly Column[]
  readonly threads: number
  readonly memoryMiB: number
  readonly timeoutMs: number
}

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
/** A view of a page is a dozen questions: they share one snapshot of the store, which is as old as this at most. */
const SNAPSHOT_MS = 2000

/** More questions wait than are taken. */
export class DeskBusyError extends Error {
  override readonly name = 'DeskBusyError'
}

/**
 * Asks a store one question after the other, in the order in which they came. The engine and the snapshot are kept for two
 * seconds: long enough for all questions of one look at a page, short enough for the agent to remove what is too old.
 */
export class StoreDesk {
  readonly #options: DeskOptions
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #reader: StoreReader | undefined
  #openedAt = 0
  #idle: NodeJS.Timeout | undefined

  constructor(options: DeskOptions) {
    this.#options = options
  }

  get columns(): readonly Column[] {
    return this.#options.columns
  }

  /**
   * @param sql    one SELECT
   * @param signal a question that nobody waits for any more is not asked, or ended
   * @throws {Error} QueryError for a wrong question, DeskBusyError, or what hinders reading the store
   */
  async ask(sql: string, signal?: AbortSignal): Promise<DeskAnswer> {
    if (this.#waiting >= WAITING_MAX) throw new DeskBusyError(`Cannot ask the store: ${WAITING_MAX} questions wait already; try again`)
    this.#waiting++
    const answer = this.#last.then(() => this.#answer(sql, signal)).finally(() => { this.#waiting-- })
    this.#last = answer.catch(() => {}) // told to whoever asked; the next is asked all the same
    return await answer
  }

  /** Ends when what is asked is answered. */
  async close(): Promise<void> {
    this.#reader?.interrupt('the page is closed')
    await this.#last
    this.#closeReader()
  }

  async #answer(sql: string, signal: AbortSignal | undefined): Promise<DeskAnswer> {
    signal?.throwIfAborted()
    clearTimeout(this.#idle)
    const reader = await this.#open()
    const leave = (): void => { reader.interrupt('nobody waits for it any more') }
    signal?.addEventListener('abort', leave, { once: true })
    try {
      const answer = await reader.ask(sql)
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
      this.#idle = setTimeout(() => { this.#closeReader() }, SNAPSHOT_MS)
      this.#idle.unref()
    }
  }

  async #open(): Promise<StoreReader> {
    if (this.#reader !== undefined && performance.now() - this.#openedAt < SNAPSHOT_MS) return this.#reader
    this.#closeReader()
    this.#reader = await StoreReader.open({ ...this.#options, sinceMs: 0 })
    this.#openedAt = performance.now()
    return this.#reader
  }

  #closeReader(): void {
    clearTimeout(this.#idle)
    this.#reader?.close()
    this.#reader = undefined
  }
}
