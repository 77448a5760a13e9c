import type { Answer } from '../../delivery/mod.ts'
import { orNoAnswer } from '../../http/mod.ts'
import type { PushTarget } from '../push-queue.ts'
import type { Channel } from './channel.ts'
import { partialSuccess } from './partial-success.ts'

/** A server that takes metrics by OTLP. */
export class MetricsTarget implements PushTarget {
  readonly target: string
  readonly #channel: Channel
  readonly #warn: (message: string) => void
  #lastWarning = ''

  /** @param warn for a line to people */
  constructor(channel: Channel, warn: (message: string) => void) {
    this.target = channel.target
    this.#channel = channel
    this.#warn = warn
  }

  post(body: Buffer, signal: AbortSignal): Promise<Answer> {
    return orNoAnswer(async () => {
      const said = await this.#channel.export('metrics', body, signal)
      if (!Buffer.isBuffer(said)) return said
      const { rejected, message } = partialSuccess(said, text => this.#channel.clean(text))
      if (rejected > 0) return { outcome: 'done', unnamed: { count: rejected, reason: message === '' ? 'not said why' : message } }
      if (message !== '' && message !== this.#lastWarning) this.#warn(`${this.target} has taken metrics, and warns: ${message}`)
      this.#lastWarning = message
      return { outcome: 'done' }
    })
  }

  close(): void {
    this.#channel.close()
  }
}
