import type { SafeBatch } from './batch.ts'

export const LOG_LEVELS = ['error', 'warn', 'info'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** What a sink may ask of the one who made it. */
export interface SinkHost {
  /**
   * The fate of a batch, said exactly once for each batch that `write` was given, in any order.
   *
   * @param written records that reached the destination, from the first of the batch on
   * @param reason  why the others did not; missing when `written` equals `batch.count`, and for an output that keeps nothing (0 written)
   */
  settled(batch: SafeBatch, written: number, reason?: string): void
  /**
   * This output can never be written again: whoever read from a pipe has gone. When it is the last one, the run stops.
   *
   * @param error missing when that is the ordinary end (EPIPE), as for any Unix tool in front of `head`
   */
  ended(name: string, error?: string): void
  /** A line for people; the sink itself limits how often it repeats. */
  log(level: LogLevel, message: string): void
}

/**
 * Where records go: one file per sink, one line in registry.ts.
 *
 * A sink is slow, full or broken without any effect on the capture or on another sink: `write` takes a batch into a
 * queue of bounded bytes, or drops it whole, and returns at once. What a sink holds is settled by the time that `close`
 * has resolved; `close` takes no longer than its time limit.
 */
export interface Sink {
  /** For people and metrics, e.g. `file:/var/log/lintel.ndjson`. */
  readonly name: string
  /** Never blocks, never throws. A batch that does not fit is dropped whole and settled with its reason. */
  write(batch: SafeBatch): void
  /** Resolves when everything taken so far was written, or was given up; never rejects. */
  flush(): Promise<void>
  /** Writes what is queued as far as it goes within the time limit, settles the rest, frees everything. */
  close(): Promise<void>
  /** SIGHUP: opens files anew, so that log rotation by others works. */
  reload?(): Promise<void>
  health(): SinkHealth
}

export interface SinkHealth {
  readonly name: string
  /** Bytes that wait; at most the queue's bound. */
  readonly queuedBytes: number
  readonly queuedRecords: number
  readonly writtenRecords: number
  readonly writtenBytes: number
  /** By reason, e.g. `queue full`, `disk full`. */
  readonly droppedRecords: ReadonlyMap<string, number>
  /** What hinders it now; missing when nothing does. */
  readonly lastError?: string
  /** Of an output with a spool: what became of the records behind it. They count as written once they stand in the spool. */
  readonly delivery?: DeliveryHealth
  /** Of an output that pushes metrics beside records. */
  readonly samples?: { readonly sent: number, readonly waiting: number, readonly dropped: ReadonlyMap<string, number> }
}

/** `spooled` + `found` = `sent` + `refused` + all of `dropped` + `waitingRecords`. */
export interface DeliveryHealth {
  /** `idle`: nothing waits. `waiting`: for the next try. */
  readonly state: 'idle' | 'sending' | 'waiting' | 'stopped'
  /** Records of this run that stand, or stood, in the spool. */
  readonly spooled: number
  /** Records that earlier runs had left there. */
  readonly found: number
  /** Records that the server has acknowledged. */
  readonly sent: number
  /** Records that were sent once more, each time. */
  readonly retried: number
  /** Records that the server refused for good; they stand in the dead-letter file. */
  readonly refused: number
  /** Records that were lost behind the spool, by reason. */
  readonly dropped: ReadonlyMap<string, number>
  readonly waitingRecords: number
  readonly waitingBytes: number
  /** Age of the oldest record that is being sent, in seconds; 0 when none is. */
  readonly lagSeconds: number
}

/** Bytes that a sink queues when nothing else is configured. */
export const QUEUE_BYTES_MAX = 32 * 1024 * 1024
/** How long `close` tries to write what is queued. */
export const CLOSE_MS_MAX = 5000
