import { type Answer, pause } from '../delivery/mod.ts'
import { type BackoffOptions, waitMs } from '../delivery/backoff.ts'
import { answerOf, orNoAnswer, type Transport } from '../http/mod.ts'
import type { SinkHost } from '../sink.ts'
import { type Trouble, TroubleTeller } from '../trouble.ts'

export interface Push {
  readonly body: Buffer
  readonly samples: number
}

export interface RemoteWriteQueueOptions {
  readonly bytesMax: number
  readonly retry: BackoffOptions
  readonly headers: Readonly<Record<string, string>>
}

export const QUEUE_FULL = 'queue full'
export const REFUSED = 'refused'
const NOT_SENT = 'not sent before the stop'

/**
 * Pushes that wait for a server of remote write, sent one at a time and in order. What is answered with 5xx, 429 or not at all is sent
 * again; what is refused is dropped, as the protocol wants it. Bound: bytes; beyond them the oldest goes, counted.
 */
export class RemoteWriteQueue {
  readonly #transport: Transport
  readonly #options: RemoteWriteQueueOptions
  readonly #trouble: TroubleTeller
  readonly #stop = new AbortController()
  readonly #dropped = new Map<string, number>()
  readonly #waiting: Push[] = []
  #waitingBytes = 0
  #sentSamples = 0
  #sentBytes = 0
  #sending: Promise<void> | undefined

  constructor(transport: Transport, options: RemoteWriteQueueOptions, log: SinkHost['log']) {
    this.#transport = transport
    this.#options = options
    this.#trouble = new TroubleTeller(log)
  }

  get trouble(): Trouble | undefined {
    return this.#trouble.current
  }

  figures(): { readonly waitingBytes: number, readonly waitingSamples: number, readonly sentSamples: number, readonly sentBytes: number,
    readonly dropped: ReadonlyMap<string, number> } {
    return {
      waitingBytes: this.#waitingBytes, waitingSamples: this.#waiting.reduce((sum, { samples }) => sum + samples, 0),
      sentSamples: this.#sentSamples, sentBytes: this.#sentBytes, dropped: new Map(this.#dropped),
    }
  }

  add(push: Push): void {
    // The first may be under way, and must stay the one that is.
    while (this.#waiting.length > 1 && this.#waitingBytes + push.body.length > this.#options.bytesMax) this.#drop(1, QUEUE_FULL)
    this.#waiting.push(push)
    this.#waitingBytes += push.body.length
    this.#sending ??= this.#send().finally(() => { this.#sending = undefined })
  }

  /** Sends what waits for `limitMs` at most; the rest is dropped. */
  async close(limitMs: number): Promise<void> {
    const deadline = setTimeout(() => { this.#stop.abort() }, limitMs)
    await this.#sending
    clearTimeout(deadline)
    while (this.#waiting.length > 0) this.#drop(0, NOT_SENT)
    this.#transport.close()
  }

  async #send(): Promise<void> {
    let tries = 0
    while (this.#waiting.length > 0 && !this.#stop.signal.aborted) {
      const push = this.#waiting[0] as Push
      const answer = await this.#post(push.body)
      if (answer.outcome === 'later') {
        if (this.#stop.signal.aborted) return
        this.#trouble.tell(answer.hindrance, 'trying again, what comes waits in memory')
        await pause(waitMs(++tries, answer.hindrance.afterMs, this.#options.retry), this.#stop.signal)
        continue
      }
      tries = 0
      if (answer.outcome === 'apart') {
        this.#drop(0, REFUSED)
        const message = `${this.#transport.target} refuses metrics (${answer.reason})`
        this.#trouble.tell({ reason: REFUSED, message }, `${push.samples} samples are dropped`)
        continue
      }
      this.#waiting.shift()
      this.#waitingBytes -= push.body.length
      this.#sentSamples += push.samples
      this.#sentBytes += push.body.length
      this.#trouble.over(`sending to ${this.#transport.target} works again`)
    }
  }

  #post(body: Buffer): Promise<Answer> {
    const post = { type: 'application/x-protobuf', headers: this.#options.headers, body }
    return orNoAnswer(async () => answerOf(await this.#transport.post(post, this.#stop.signal), this.#transport))
  }

  #drop(index: number, reason: string): void {
    const [push] = this.#waiting.splice(index, 1) as [Push]
    this.#waitingBytes -= push.body.length
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + push.samples)
  }
}
