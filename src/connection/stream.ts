/**
 * What a connection gives to the decoder: two ordered byte streams, with every hole said.
 */

/** Side 0 is the endpoint that sorts first by address bytes, then port (struct directive in bpf/events.h). */
export type Side = 0 | 1

/** Why bytes of a stream are missing. */
export const GAP = {
  /** The kernel or a buffer had no space: a record number is missing. */
  lost: 'lost',
  /** The peer acknowledged bytes that the capture never saw. */
  unseen: 'unseen',
  /** The capture cut the packet (snap length, or the 64 KiB bound). */
  cut: 'cut',
  /** The reassembly buffer was full, or waited too long for a missing segment. */
  bound: 'bound',
  /** Payload of HTTP/2 DATA frames that the source left out on purpose, and says so (StreamControl.leaveOut): no loss. */
  leftOut: 'left_out',
} as const
export type Gap = (typeof GAP)[keyof typeof GAP]

/** Why a stream ended. */
export const END = {
  fin: 'fin',
  reset: 'reset',
  /** Idle for longer than the limit. */
  idle: 'idle',
  /** The connection table was full and this was the oldest. */
  evicted: 'evicted',
  /** Another connection began on the same addresses and ports. */
  replaced: 'replaced',
  /** The agent could not keep up, and reads no more of it for now. */
  overload: 'overload',
  /** The capture ended. */
  shutdown: 'shutdown',
} as const
export type End = (typeof END)[keyof typeof END]

/** Whole exchanges that went by a handler at rest: how many, and what the plain path would remember of the last one. */
export interface Turns {
  readonly count: number
  /** What the packets of its request and of its response acknowledge. */
  readonly requestAcknowledgement: number
  readonly responseAcknowledgement: number
  /** When they came, nanoseconds in the source's clock. */
  readonly requestTime: number
  readonly responseTime: number
}

/**
 * Takes the two streams of one connection. Called in stream order per side; the two sides interleave as captured. `time` is
 * nanoseconds in the source's clock, of the packet that brought the first byte named.
 */
export interface StreamHandler {
  /** Bytes at `pointer` in shared memory, valid during the call only. */
  data(side: Side, pointer: number, length: number, time: number): void
  /** `length` bytes are missing here; 0 = an unknown number. */
  gap(side: Side, length: number, cause: Gap, time: number): void
  /** The bytes asked to be skipped have all gone by. */
  skipped(side: Side, time: number): void
  /** Nothing more comes on this side. Called once a side. */
  end(side: Side, cause: End, time: number): void
  /**
   * Exchanges so far, when it rests between two of HTTP/1 and the next may go by without it (SteadyPath); -1 when it does not, or
   * must see all of them. Without it: never.
   */
  rest?(): number
  /** Exchanges went by while it rested: one request at a time, each answered at once, nothing missing. */
  passed?(turns: Turns): void
  /**
   * Nothing is under way: gives its parts back, and what it knows to a small handler that takes its place, and wakes it with
   * the first call. Undefined = something is. Without it: never.
   */
  sleep?(): StreamHandler | undefined
}

/** What a handler may ask of its connection. */
export interface StreamControl {
  /** Number of the connection in this run, from 1. */
  readonly id: number
  /** Connection block (wasm/layout.ts), valid until both sides have ended and `release` was called as often as `retain`. */
  readonly block: number
  /** True when the handshake was seen, so that the streams begin at their first byte. */
  readonly fromStart: boolean
  /** The streams were inside TLS, and come in the clear. */
  readonly isPlaintext?: boolean
  /** Whether the bytes of `side` begin at the first one it sent: its SYN was seen, or the answer to that. */
  hasStart(side: Side): boolean
  /** Sequence number (modulo 2^32, as i32) of the byte after the last one of `side` that was given, is missing, or was skipped. */
  position(side: Side): number
  /**
   * What the packet acknowledges whose bytes of `side` were given last: up to there, as a sequence number of the other side,
   * its sender had received when it sent them.
   */
  acknowledgement(side: Side): number
  /** Free for the stage that takes the messages: what it keeps per connection, found without a look-up. */
  companion?: object | undefined
  /** Side of the client: as told by `setClient`, else from the handshake, else undefined. */
  readonly client: Side | undefined
  /** Who asks, where the handshake was not seen or the bytes contradict it. */
  setClient(side: Side): void
  /**
   * The next `length` bytes of `side`, counted from the end of the bytes given by the current (or last) `data` call, are
   * not wanted: they are not given to the handler and their absence is no gap. `skipped` is called when they are past.
   * Only while no skip is pending on that side.
   */
  skip(side: Side, length: number): void
  /** Nothing more of this connection is wanted: no further calls but `end`. */
  ignore(): void
  /** No exchange is pending on it: its handler may be asked to `rest`, and to `sleep`. */
  rested?(): void
  /** All further calls are for `handler`: only from the handler that takes them now. */
  giveWay?(handler: StreamHandler): void
  /**
   * Payload of HTTP/2 DATA frames is not needed (`isAllowed`), or is from here on: a source that follows frames may leave it
   * out. What is missing is told as a gap, GAP.leftOut. Bytes may come all the same. Missing = no source does.
   *
   * @returns true when bytes may be missing from now on
   */
  leaveOut?(isAllowed: boolean): boolean
  /**
   * The next `length` bytes of `side`, counted as for `skip`, may stay away without a word until what follows them comes; 0 =
   * every byte is to come. Holds until the next call.
   */
  mayStayAway?(side: Side, length: number): void
  /** Keeps the connection block alive beyond the connection (an exchange that is still to be written). */
  retain(): void
  release(): void
}
