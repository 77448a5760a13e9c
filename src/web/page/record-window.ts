import type { LogRecord } from './log-record.ts'

const RECORDS_MAX = 20_000
/** Characters of their lines. */
const LENGTH_MAX = 64 * 1024 * 1024

/** The last records, bounded in number and in size: the oldest go first. */
export class RecordWindow {
  #records: readonly LogRecord[] = []
  #lengths: number[] = []
  #length = 0

  /** @param lines of NDJSON @returns all records, in a new list */
  add(lines: readonly string[]): readonly LogRecord[] {
    for (const line of lines) {
      this.#lengths.push(line.length)
      this.#length += line.length
    }
    let over = 0
    while (this.#lengths.length - over > RECORDS_MAX || (this.#length > LENGTH_MAX && over < this.#lengths.length - 1)) {
      this.#length -= this.#lengths[over++] as number
    }
    this.#lengths = this.#lengths.slice(over)
    this.#records = [...this.#records, ...lines.map(line => JSON.parse(line) as LogRecord)].slice(over)
    return this.#records
  }
}

const WAITING_LENGTH_MAX = 16 * 1024 * 1024

/** Lines that wait while the page is paused, bounded in size. */
export class WaitingLines {
  #lines: string[] = []
  #length = 0

  get count(): number {
    return this.#lines.length
  }

  /** @returns how many did not fit */
  add(lines: readonly string[]): number {
    let left = 0
    for (const line of lines) {
      if (this.#length + line.length > WAITING_LENGTH_MAX) left++
      else {
        this.#lines.push(line)
        this.#length += line.length
      }
    }
    return left
  }

  /** All of them; none waits any more. */
  take(): readonly string[] {
    const lines = this.#lines
    this.#lines = []
    this.#length = 0
    return lines
  }
}
