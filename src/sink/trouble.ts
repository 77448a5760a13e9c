import type { LogLevel } from './sink.ts'

/** What keeps an output from its work: `reason` counts what is dropped for it. */
export interface Trouble {
  readonly reason: string
  readonly message: string
}

/** The same trouble is told again after this long. */
const TELL_MS = 60_000

/** Trouble that comes and goes: told once a minute while it lasts, and its end once. */
export class TroubleTeller {
  readonly #log: (level: LogLevel, message: string) => void
  #current: Trouble | undefined
  #toldAtMs = -Infinity

  constructor(log: (level: LogLevel, message: string) => void) {
    this.#log = log
  }

  get current(): Trouble | undefined {
    return this.#current
  }

  /** @param then what becomes of it, for people */
  tell(trouble: Trouble, then: string): void {
    const now = Date.now()
    if (this.#current?.reason !== trouble.reason || now - this.#toldAtMs >= TELL_MS) {
      this.#toldAtMs = now
      this.#log('error', `${trouble.message}; ${then}`)
    }
    this.#current = trouble
  }

  /** @param message that says so */
  over(message: string): void {
    if (this.#current === undefined) return
    this.#current = undefined
    this.#log('info', message)
  }
}
