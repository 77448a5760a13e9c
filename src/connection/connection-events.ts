import type { Connection, ConnectionEnd } from './connection.ts'

/**
 * What else may be told; what is absent costs nothing. `pointer` = struct packet_event, valid during the
 * call.
 */
export interface ConnectionEvents {
  /** Every parsed packet, of whatever protocol. */
  packet?(pointer: number): void
  /** A datagram of UDP. */
  datagram?(pointer: number): void
  /**
   * A whole frame (EVENT_FRAME): who can parse it calls `process` with the segment, from inside this call or
   * later.
   */
  frame?(pointer: number): void
  /** A process that packets may name from now on (EVENT_PROCESS); `bytes` = of the event and what follows it. */
  process?(pointer: number, bytes: number): void
  /** What a TLS library read or wrote (EVENT_PLAINTEXT), `bytes` long. */
  plaintext?(pointer: number, bytes: number): void
  /** Both endpoints have answered, or the first bytes are there. */
  opened?(connection: Connection, time: number): void
  /** Once a connection, opened or not; its block is valid during the call. Of a file it may be told late: see `awaitsLate`. */
  closed?(connection: Connection, cause: ConnectionEnd, time: number): void
  /**
   * Whether `closed` is to wait, in a capture file, for the packets behind the end: the last acknowledgement, resets, what is sent
   * again. They are counted then. Live the kernel keeps most of them to itself, and nobody waits.
   */
  awaitsLate?(): boolean
  /** A whole exchange that went by on the steady path: its EXCHANGE block, valid during the call. Without it nothing goes that way. */
  turn?(exchange: number): void
  /** Nobody needs its block any more: what hangs on it is to be given back now. */
  freeing?(connection: Connection): void
}
