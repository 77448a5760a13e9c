/** Failures within WINDOW_MS after which a decoder is switched off. */
const FAILURES_MAX = 10
const WINDOW_MS = 60_000
/** One call of a decoder is expected to take microseconds. */
const CALL_MS_MAX = 100

/** A contract that a decoder broke. The message is Lintel's own and holds nothing from traffic. */
export class ContractError extends TypeError {
  override readonly name = 'ContractError'
}

/** Who is told of failures. */
export interface FailureReport {
  log(level: 'warn' | 'error', message: string): void
  /** Counts an anomaly that belongs to no connection that is read. */
  anomaly(name: string): void
}

/**
 * The boundary around a decoder of the user's own: whatever it throws ends here, told by class and place only (its text may hold
 * traffic). A decoder that fails or dawdles FAILURES_MAX times within a minute is switched off.
 */
export class FailureWatch {
  readonly #name: string
  readonly #file: string
  readonly #report: FailureReport
  readonly #times: number[] = []
  #isOff = false

  /** `file` is the URL that the decoder was loaded from. */
  constructor(name: string, file: string, report: FailureReport) {
    this.#name = name
    this.#file = file
    this.#report = report
  }

  get isOff(): boolean {
    return this.#isOff
  }

  /**
   * Calls the decoder. `failed` when it threw, with nothing else to go by; `slow` is called beside the result when it took too
   * long. A call that never returns cannot be ended from here.
   */
  call<Result>(run: () => Result, slow: () => void): { readonly result: Result } | 'failed' {
    const start = performance.now()
    try {
      return { result: run() }
    } catch (error) {
      this.#count(`failed with ${describe(error, this.#file)}; the connection is not read any further`)
      return 'failed'
    } finally {
      const took = performance.now() - start
      if (took > CALL_MS_MAX) {
        slow()
        this.#count(`took ${Math.round(took)} ms for one call`)
      }
    }
  }

  /** It broke its contract outside of a call. */
  broke(what: string): void {
    this.#count(`${what}; the connection is not read any further`)
  }

  #count(what: string): void {
    if (this.#isOff) return
    const now = performance.now()
    while (this.#times.length > 0 && now - this.#times[0]! > WINDOW_MS) this.#times.shift()
    this.#times.push(now)
    this.#isOff = this.#times.length >= FAILURES_MAX
    this.#report.log('warn', `decoder "${this.#name}" ${what}`)
    if (this.#isOff) {
      this.#report.log('error', `decoder "${this.#name}" is switched off: it failed ${FAILURES_MAX} times within a minute; mend it and start again`)
    }
  }
}

const KNOWN = [RangeError, ReferenceError, SyntaxError, TypeError, URIError, EvalError] as const

/** What was thrown is the decoder's as well: looking at it may throw again. */
function describe(error: unknown, file: string): string {
  try {
    return classAndPlace(error, file)
  } catch {
    return 'an Error that cannot be looked at'
  }
}

/** `TypeError at decoder.ts:12:7`: class from a closed set, place from the lines of the stack that name the decoder's file. */
function classAndPlace(error: unknown, file: string): string {
  if (error instanceof ContractError) return error.message
  if (!(error instanceof Error)) return 'something thrown that is no Error'
  const name = KNOWN.find((known) => error instanceof known)?.name ?? 'Error'
  const place = placeIn(error, file)
  return place === undefined ? name : `${name} at ${place}`
}

function placeIn(error: Error, file: string): string | undefined {
  const stack: unknown = error.stack
  if (typeof stack !== 'string') return undefined
  const base = file.slice(file.lastIndexOf('/') + 1)
  for (const line of stack.split('\n')) {
    const at = line.indexOf(file)
    if (!line.startsWith('    at ') || at < 0) continue
    const digits = /^:(\d{1,7}):(\d{1,5})\)?$/.exec(line.slice(at + file.length))
    if (digits !== null) return `${base}:${digits[1]}:${digits[2]}`
  }
  return undefined
}
