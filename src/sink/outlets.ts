import { BATCH_KINDS } from './batch.ts'
import type { SafeBatch } from './batch.ts'
import type { LogLevel, Sink, SinkHealth, SinkHost } from './sink.ts'

/** What became of the records that were handed out; each record once, however many outputs there are. */
export interface OutletCounts {
  /** Records given to `write`. */
  readonly taken: number
  /** The same by kind, as in `SafeBatch.kinds`. */
  readonly takenKinds: readonly number[]
  /** Written by one output at least. */
  readonly logged: number
  /** Written by none, by reason. */
  readonly dropped: ReadonlyMap<string, number>
  /** Given to outputs that keep nothing (a page, metrics) only: no other wanted them. */
  readonly unkept: number
  /** Not settled yet. `taken` = `logged` + all of `dropped` + `unkept` + `queued`. */
  readonly queued: number
}

export interface OutletsHost {
  log(level: LogLevel, message: string): void
  /** The last output that could be written cannot any more. See `SinkHost.ended`. */
  ended(name: string, error?: string): void
  /** All outputs have done with the batch: its buffer may be used again. */
  released?(batch: SafeBatch): void
}

interface Pending {
  left: number
  written: number
  /** Missing while no output that keeps records had it. */
  reason: string | undefined
}

/**
 * All outputs of a run. A record is logged when one output has it; it is dropped, under the reason of the output that
 * got furthest, when none has.
 */
export class Outlets {
  readonly #host: OutletsHost
  readonly #sinks: Sink[] = []
  readonly #pending = new Map<SafeBatch, Pending>()
  readonly #dropped = new Map<string, number>()
  #taken = 0
  readonly #takenKinds = BATCH_KINDS.map(() => 0)
  #logged = 0
  #lost = 0
  #unkept = 0
  #gone = 0

  constructor(host: OutletsHost) {
    this.#host = host
  }

  /** Output n is the nth added, from 0: the bit in `SafeBatch.outputs`. At most OUTPUTS_MAX. `open` gets the sink's host. */
  add(open: (host: SinkHost) => Sink): void {
    if (this.#sinks.length === OUTPUTS_MAX) throw new RangeError(`Cannot open more than ${OUTPUTS_MAX} outputs`)
    this.#sinks.push(open({
      settled: (batch, written, reason) => this.#settled(batch, written, reason),
      ended: (name, error) => this.#ended(name, error),
      log: (level, message) => this.#host.log(level, message),
    }))
  }

  get names(): readonly string[] {
    return this.#sinks.map(sink => sink.name)
  }

  write(batch: SafeBatch): void {
    this.#taken += batch.count
    batch.kinds.forEach((count, kind) => { this.#takenKinds[kind]! += count })
    // Settled by nobody until all have it: a sink may settle inside write().
    const pending: Pending = { left: 1, written: 0, reason: batch.outputs === 0 ? 'no output' : undefined }
    this.#pending.set(batch, pending)
    this.#sinks.forEach((sink, index) => {
      if ((batch.outputs & (1 << index)) === 0) return
      pending.left++
      sink.write(batch)
    })
    this.#settled(batch, 0)
  }

  async flush(): Promise<void> {
    await Promise.all(this.#sinks.map(sink => sink.flush()))
  }

  async close(): Promise<void> {
    await Promise.all(this.#sinks.map(sink => sink.close()))
  }

  async reload(): Promise<void> {
    await Promise.all(this.#sinks.map(sink => sink.reload?.()))
  }

  health(): readonly SinkHealth[] {
    return this.#sinks.map(sink => sink.health())
  }

  counts(): OutletCounts {
    return {
      taken: this.#taken, takenKinds: [...this.#takenKinds], logged: this.#logged, dropped: new Map(this.#dropped),
      unkept: this.#unkept, queued: this.#taken - this.#logged - this.#lost - this.#unkept,
    }
  }

  /** The run goes on as long as one output can be written; what the one that is gone would have got counts as dropped there. */
  #ended(name: string, error: string | undefined): void {
    if (++this.#gone === this.#sinks.length) return this.#host.ended(name, error)
    this.#host.log(error === undefined ? 'warn' : 'error', `${error ?? `the reader of ${name} is gone`}; the other outputs go on`)
  }

  #settled(batch: SafeBatch, written: number, reason?: string): void {
    const pending = this.#pending.get(batch)
    if (pending === undefined) {
      this.#host.log('error', `an output settled a batch of ${batch.count} records twice; the totals may not add up`)
      return
    }
    if (reason !== undefined && written >= pending.written) pending.reason = reason
    pending.written = Math.max(pending.written, written)
    pending.left--
    if (pending.left > 0) return
    this.#pending.delete(batch)
    this.#logged += pending.written
    const lost = batch.count - pending.written
    if (pending.reason === undefined) this.#unkept += lost
    else {
      if (lost > 0) this.#dropped.set(pending.reason, (this.#dropped.get(pending.reason) ?? 0) + lost)
      this.#lost += lost
    }
    this.#host.released?.(batch)
  }
}

/** Bits in `SafeBatch.outputs` that stay a small positive integer. */
export const OUTPUTS_MAX = 30
