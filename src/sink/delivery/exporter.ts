import type { SpooledRecord } from '../spool/mod.ts'
import type { Trouble } from '../trouble.ts'

/** Why records could not be delivered now. */
export interface Hindrance extends Trouble {
  /** Milliseconds that the server asked to be left alone for. */
  readonly afterMs?: number | undefined
}

/** What became of a batch. */
export type Answer =
  /** Durable at the server, but for those that it refused for good, and those that it may take later; by index into the batch. */
  | { readonly outcome: 'done', readonly refused?: readonly Refusal[], readonly again?: Again, readonly unnamed?: Unnamed }
  /** Not taken: all of it is sent again. */
  | { readonly outcome: 'later', readonly hindrance: Hindrance }
  /** Refused as a whole for what some of it is, or for its size: it is sent in halves until it is known which. */
  | { readonly outcome: 'apart', readonly reason: string }

export interface Refusal {
  readonly index: number
  /** Without secrets; for the dead-letter file. */
  readonly reason: string
}

/** Refused for good as well, by a server that does not say which of the batch: so all others go to the dead letters, to be looked for. */
export interface Unnamed {
  /** At most so many as are neither refused nor to be sent again. */
  readonly count: number
  /** Without secrets. */
  readonly reason: string
}

export interface Again {
  readonly indexes: readonly number[]
  readonly hindrance: Hindrance
}

/**
 * How records get to one kind of server: one file each in ../exporters, and a line in ../registry.ts. Passes `exporter.suite.ts`.
 *
 * Everything around it (spool, batches, retries, dead letters, counts) is the delivery's.
 */
export interface Exporter {
  /** Where it sends to, for messages; without secrets. */
  readonly target: string
  /**
   * Sends a batch, one at a time, and says what became of it: `done` only when the server has said that it is durable there. Ends soon
   * after `signal` is aborted, and in bounded time without it. It throws for nothing but a record that it cannot make ready to be sent: which one,
   * the batch's halves tell, and that one is refused.
   *
   * @param records at least one, in order; the lines are JSON objects as docs/fields.md describes them
   */
  send(records: readonly SpooledRecord[], signal: AbortSignal): Promise<Answer>
  close(): void
}
