import type { Answer, Exporter, Hindrance, OwnExporter } from '../delivery/mod.ts'
import { Redaction } from '../http/secret.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import { NotingTools } from './exporter-tools.ts'

/**
 * An exporter of the user's own, that can neither hold up the delivery nor mislead it: what takes too long, throws, or answers
 * something that is no answer counts as "not taken", and is told. Its messages go out without secrets and control characters.
 */
export class GuardedExporter implements Exporter {
  readonly target: string
  readonly #exporter: Exporter
  readonly #tools = new NotingTools()
  readonly #timeoutMs: number

  /** @throws {Error} with what is wrong with the options, or with the exporter */
  constructor(own: OwnExporter, options: unknown, timeoutMs: number) {
    let exporter: Exporter
    try {
      exporter = own.open(options, this.#tools)
      const wrong = faultOf(exporter)
      if (wrong !== undefined) throw new Error(`${wrong}; see docs/exporters.md`)
    } catch (error) {
      this.#tools.close()
      throw new Error(new Redaction(this.#tools.secrets).clean(messageOf(error)), { cause: error })
    }
    this.#exporter = exporter
    this.target = this.#text(exporter.target)
    this.#timeoutMs = timeoutMs
  }

  async send(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer> {
    const ends = AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)])
    const ended = Promise.withResolvers<Answer>()
    const onEnd = (): void => {
      ended.resolve(this.#later('no answer', signal.aborted ? 'it was stopped' : `no answer within ${this.#timeoutMs} ms`))
    }
    ends.addEventListener('abort', onEnd)
    try {
      return this.#checked(await Promise.race([this.#exporter.send(records, ends), ended.promise]), records.length)
    } catch (error) {
      return this.#later('exporter failed', this.#text(messageOf(error)))
    } finally {
      ends.removeEventListener('abort', onEnd)
    }
  }

  close(): void {
    try {
      this.#exporter.close()
    } finally {
      this.#tools.close()
    }
  }

  /** Without the secrets given out so far: an exporter may read one anew, as it is rotated. */
  #text(text: string): string {
    return new Redaction(this.#tools.secrets).clean(text)
  }

  /** What the delivery can count on: indexes of the batch, each once, texts that are fit for messages. */
  #checked(answer: Answer, count: number): Answer {
    const wrong = answerFault(answer, count)
    if (wrong !== undefined) return this.#later('exporter failed', `its answer is none: ${wrong}; see docs/exporters.md`)
    if (answer.outcome === 'later') return { outcome: 'later', hindrance: this.#clean(answer.hindrance) }
    if (answer.outcome === 'apart') return { outcome: 'apart', reason: this.#text(answer.reason) }
    const { refused = [], again } = answer
    return {
      outcome: 'done',
      refused: refused.map(({ index, reason }) => ({ index, reason: this.#text(reason) })).sort((a, b) => a.index - b.index),
      ...(again === undefined ? {} : { again: { indexes: again.indexes.toSorted((a, b) => a - b), hindrance: this.#clean(again.hindrance) } }),
    }
  }

  #clean({ reason, message, afterMs }: Hindrance): Hindrance {
    return { reason: this.#text(reason), message: this.#text(message), afterMs }
  }

  #later(reason: string, why: string): Answer {
    return { outcome: 'later', hindrance: { reason, message: `Cannot send to ${this.target}: ${why}` } }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function faultOf(exporter: unknown): string | undefined {
  if (typeof exporter !== 'object' || exporter === null) return '"open" must give an object: { target, send, close }'
  const { target, send, close } = exporter as Record<keyof Exporter, unknown>
  if (typeof target !== 'string' || target === '') return '"target" of what "open" gives must be a text that names the server'
  if (typeof send !== 'function') return '"send" of what "open" gives must be a function'
  return typeof close === 'function' ? undefined : '"close" of what "open" gives must be a function'
}

function answerFault(answer: unknown, count: number): string | undefined {
  const { outcome, refused = [], again, hindrance, reason } = (answer ?? {}) as Record<string, unknown>
  if (outcome === 'later') return hindranceFault(hindrance)
  if (outcome === 'apart') return typeof reason === 'string' ? undefined : '"apart" without a reason'
  if (outcome !== 'done') return '"outcome" must be "done", "later" or "apart"'
  const { indexes = [], hindrance: why } = (again ?? { indexes: [] }) as Record<string, unknown>
  if (!Array.isArray(refused) || !Array.isArray(indexes)) return '"refused" and "again.indexes" must be lists'
  const all = [...refused.map(one => (one as { index?: unknown } | null)?.index), ...indexes as unknown[]]
  if (!all.every(index => Number.isInteger(index) && (index as number) >= 0 && (index as number) < count)) return 'an index is not of the batch'
  if (new Set(all).size !== all.length) return 'an index stands there twice'
  if (!refused.every(one => typeof (one as { reason?: unknown }).reason === 'string')) return 'a refusal without a reason'
  if (again !== undefined && indexes.length === 0) return '"again" without indexes'
  return indexes.length === 0 ? undefined : hindranceFault(why)
}

function hindranceFault(hindrance: unknown): string | undefined {
  const { reason, message, afterMs } = (hindrance ?? {}) as Record<string, unknown>
  if (typeof reason !== 'string' || typeof message !== 'string') return '"hindrance" must have a reason and a message'
  return afterMs === undefined || (typeof afterMs === 'number' && afterMs >= 0) ? undefined : '"afterMs" must be a number of milliseconds'
}
