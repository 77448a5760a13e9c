import type { Gap } from './stream.ts'

/** What the connection stage counts, by name; the value is the index of the count. */
export const CONNECTION_COUNT = {
  /** Connections made. */
  opened: 0,
  /** Of them without a handshake: the streams begin somewhere in the middle. */
  late_join: 1,
  /** Connections given up for room although packets had passed both ways. */
  evicted: 2,
  /** Connections given up for room before both endpoints had answered, or that nobody wanted. */
  evicted_half_open: 3,
  /** Finished connections forgotten before their time, for room. */
  linger_cut: 4,
  /** Another connection took their addresses and ports. */
  replaced: 5,
  refused: 6,
  timed_out: 7,
  idle: 8,
  /** No shared memory for its block: it is not kept, unless one that is not confirmed gives way. */
  memory_refused: 9,
  /** Judged by the kernel not to be of any known protocol. */
  not_http: 10,
  /** Ignored by wish of the handler. */
  ignored: 11,
  gaps_lost: 12,
  gaps_unseen: 13,
  gaps_cut: 14,
  gaps_bound: 15,
  /** Bytes in gaps. */
  bytes_lost: 16,
  bytes_delivered: 17,
  /** Bytes that the handler did not want. */
  bytes_skipped: 18,
  /** Segments that came before an earlier one. */
  out_of_order: 19,
  /** Segments that repeat held bytes. */
  overlap_same: 20,
  /** Segments that contradict held bytes: the first ones win; a sign of evasion. */
  overlap_differs: 21,
  /** Segments without any new byte, keep-alive probes among them. */
  retransmitted: 22,
  /** Segments of which a part was old. */
  trimmed: 23,
  /** The same packet met at another interface, direction or tunnel. */
  duplicates_other_path: 24,
  /** A side's packets now come from another interface, direction or tunnel. */
  rehomed: 25,
  /** RST outside of the window (RFC 5961 3.2). */
  reset_ignored: 26,
  /** Data in a RST: never part of the stream. */
  reset_with_data: 27,
  /** Segments, FINs too far from the expected sequence number. */
  sequence_implausible: 28,
  /** Data or a second FIN beyond the first FIN. */
  data_after_fin: 29,
  /** Packets of a finished connection. */
  late_packets: 30,
  /** Record numbers that never came. */
  records_lost: 31,
  /** SYN on a live connection: kept aside until the peer answers it (RFC 5961 4.2). */
  syn_on_live: 32,
  /** SYN/ACK that answers no SYN seen. */
  handshake_mismatch: 33,
  /** Data in a SYN that the peer did not take (RFC 7413). */
  syn_data_refused: 34,
  /** TCP packets of no connection and without data: nothing to follow. */
  stray: 35,
  /** Segments of other protocols than TCP. */
  not_tcp: 36,
  frames: 37,
  /** Records given up by the kernel program. */
  discarded: 38,
  /** Records whose lengths contradict each other. */
  malformed: 39,
  /** Payload of HTTP/2 DATA frames that the source left out, as it was allowed to. */
  bytes_left_out: 40,
  /** Given up by the source, as the agent could not keep up. */
  overload_left: 41,
} as const
export type ConnectionCount = keyof typeof CONNECTION_COUNT
const NAMES = Object.keys(CONNECTION_COUNT) as ConnectionCount[]

/**
 * The counts that tell of loss, of a bound that was met, or of what looks like an attack; the others are a
 * day's work.
 */
export const CONNECTION_ANOMALIES: readonly ConnectionCount[] = [
  'late_join', 'overload_left', 'evicted', 'evicted_half_open', 'replaced', 'memory_refused', 'gaps_lost', 'gaps_unseen',
  'gaps_cut', 'gaps_bound', 'overlap_differs', 'reset_ignored', 'reset_with_data', 'sequence_implausible',
  'data_after_fin', 'records_lost', 'syn_on_live', 'handshake_mismatch', 'syn_data_refused', 'malformed',
]

/** The count that goes with each cause of a gap that is a loss. */
export const GAP_COUNT: Readonly<Record<Exclude<Gap, 'left_out'>, number>> = {
  lost: CONNECTION_COUNT.gaps_lost,
  unseen: CONNECTION_COUNT.gaps_unseen,
  cut: CONNECTION_COUNT.gaps_cut,
  bound: CONNECTION_COUNT.gaps_bound,
}

/** Counts by closed-set name, in a flat array: a count costs one addition. */
export class ConnectionCounters {
  readonly #counts = new Float64Array(NAMES.length)

  /** Adds `amount` to the count with the given index of `CONNECTION_COUNT`. */
  add(index: number, amount: number): void {
    this.#counts[index]! += amount
  }

  get(name: ConnectionCount): number {
    return this.#counts[CONNECTION_COUNT[name]]!
  }

  *[Symbol.iterator](): Generator<[ConnectionCount, number]> {
    for (const name of NAMES) yield [name, this.get(name)]
  }

  /** The counts that are not zero. */
  toMap(): Map<ConnectionCount, number> {
    return new Map([...this].filter(([, count]) => count !== 0))
  }
}
