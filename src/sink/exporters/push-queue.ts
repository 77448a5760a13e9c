import { type Answer, pause } from '../delivery/mod.ts'
import { type BackoffOptions, waitMs } from '../delivery/backoff.ts'
import type { SinkHost } from '../sink.ts'
import { type Trouble, TroubleTeller } from '../trouble.ts'

export interface Push {
  readonly body: Buffer
  readonly samples: number
}

/** A server that takes metrics. */
export interface PushTarget {
  /** For messages; without secrets. */
  readonly target: string
  /** What became of a push: `unnamed` of `done` are samples that were refused. Never rejects; ends soon after `signal` is aborted. */
  post(body: Buffer, signal: AbortSignal): Promise<Answer>
  close(): void
}

export interface PushQueueOptions {
  readonly bytesMax: number
  readonly retry: BackoffOptions
}

export const QUEUE_FULL = 'queue full'
export const REFUSED = 'refused'
const NOT_SENT = 'not sent before the stop'

/**
 * Pushes of metrics that wait for their server, sent one at a time and in order. What the server may take later is sent again; what it
 * refuses is dropped, counted: later figures stand in later pushes. Bound: bytes; beyond them the oldest goes, counted.
 */
export class PushQueue {
  readonly #target: PushTarget
  readonly #options: PushQueueOptions
  readonly #trouble: TroubleTeller
  readonly #stop = new AbortController()
  readonly #dropped = new Map<string, number>()
  readonly #waiting: Push[] = []
  #waitingBytes = 0
  #sentSamples = 0
  #sentBytes = 0
  #sending: Promise<void> | undefined

  constructor(target: PushTarget, options: PushQueueOptions, log: SinkHost['log']) {
    this.#target = target
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
    this.#target.close()
  }

  async #send(): Promise<void> {
    let tries = 0
    while (this.#waiting.length > 0 && !this.#stop.signal.aborted) {
      const push = this.#waiting[0] as Push
      const answer = await this.#target.post(push.body, this.#stop.signal)
      if (answer.outcome === 'later') {
        if (this.#stop.signal.aborted) return
        this.#trouble.tell(answer.hindrance, 'trying again, what comes waits in memory')
        await pause(waitMs(++tries, answer.hindrance.afterMs, this.#options.retry), this.#stop.signal)
        continue
      }
      tries = 0
      if (answer.outcome === 'apart') {
        this.#drop(0, REFUSED)
        this.#tellRefused(push.samples, answer.reason)
        continue
      }
      this.#waiting.shift()
      this.#waitingBytes -= push.body.length
      this.#sentBytes += push.body.length
      const refused = Math.min(answer.unnamed?.count ?? 0, push.samples)
      this.#sentSamples += push.samples - refused
      if (refused > 0) {
        this.#count(refused, REFUSED)
        this.#tellRefused(refused, answer.unnamed?.reason ?? '')
      } else this.#trouble.over(`sending to ${this.#target.target} works again`)
    }
  }

  #tellRefused(samples: number, reason: string): void {
    const message = `${this.#target.target} refuses metrics (${reason})`
    this.#trouble.tell({ reason: REFUSED, message }, `${samples} samples are dropped`)
  }

  #drop(index: number, reason: string): void {
    const [push] = this.#waiting.splice(index, 1) as [Push]
    this.#waitingBytes -= push.body.length
    this.#count(push.samples, reason)
  }

  #count(samples: number, reason: string): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + samples)
  }
}
