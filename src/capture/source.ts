import type { FlowShare } from './flow-share.ts'

/**
 * Where packets come from: the kernel, or a capture file. Both give the same bytes: framed packet events (bpf/events.h).
 */
export interface PacketSource {
  /** For messages: `lo`, `trace.pcap`, ... */
  readonly name: string
  /** True when nothing will ever come again (end of file). */
  readonly ended: boolean
  /**
   * True when each direction of a connection is seen: else an exchange cannot be paired (XDP sees ingress only).
   */
  readonly seesBothDirections: boolean
  /** Which of the flows it gives, when several workers share them; missing = all. */
  readonly share?: FlowShare

  /**
   * Writes framed packet events into shared memory.
   *
   * @param pointer where to write, 8-byte aligned
   * @param length  room in bytes, at least `RECORD_BYTES_MAX`
   * @returns bytes written, a multiple of 8; 0 = nothing now
   */
  fill(pointer: number, length: number): number

  /**
   * Epoch nanoseconds at `time_ns = 0`. Live sources take it anew now and then (a wall clock may jump); durations come
   * from `time_ns` alone.
   */
  epochNanoseconds(): bigint

  /**
   * Asked after each fill of a source whose time passes with its packets, and not with this machine's clock: the time of the newest,
   * nanoseconds, at each point where what is overdue is to be looked at; undefined elsewhere. Missing = the clock tells.
   */
  passedTime?(): number | undefined

  /** Name of an interface by the index that packets carry; undefined when it is not known. */
  interfaceName(index: number): string | undefined

  /**
   * Payload of `side` (see struct directive) up to sequence number `until` is not wanted. A hint: the source may deliver
   * it all the same.
   */
  skip(connectionTag: number, side: 0 | 1, until: number): void

  /** Nothing more of this connection is wanted. A hint. */
  ignore(connectionTag: number): void

  /**
   * Payload of DATA frames of this HTTP/2 connection may be left out (`isAllowed`), or no more. A hint: a source that follows the
   * frames says with each packet what it left out (packet_event.left_out). Missing = it never does.
   */
  leaveOut?(connectionTag: number, isAllowed: boolean): void

  /** As `skip`, for a session of EVENT_PLAINTEXT: of what its program writes, or of what it reads. Missing = there are none. */
  skipPlaintext?(session: number, isWritten: boolean, until: number): void

  /** Nothing more of this session of EVENT_PLAINTEXT is wanted. A hint. */
  ignorePlaintext?(session: number): void

  /** What was seen, delivered, not wanted and lost, by counter name; equal to bpf/events.h's COUNTER_ list. */
  counters(): PacketCounters

  /** What was odd about the packets or about the file so far, by name; missing = this source meets no oddities. */
  oddities?(): Iterable<readonly [name: string, count: number]>

  /** A process that packets name has been forgotten here: tell each again (EVENT_PROCESS) when it next speaks. */
  renewProcesses?(): void

  close(): void
}

/** Packet ledger: `seen` equals the sum of `delivered`, every entry of `notWanted` and every entry of `lost`. */
export interface PacketCounters {
  seen: number
  delivered: number
  /** By reason, e.g. `port`, `address`, `no_payload`, `skipped_body`. */
  notWanted: Map<string, number>
  /** By reason, e.g. `ring_full`, `malformed`. */
  lost: Map<string, number>
  bytesDelivered: number
  bytesCut: number
}

/** Of a source that has seen nothing. */
export function noPackets(): PacketCounters {
  return { seen: 0, delivered: 0, notWanted: new Map(), lost: new Map(), bytesDelivered: 0, bytesCut: 0 }
}

/** Largest record of a batch: framing, struct packet_event, 64 KiB of payload and its padding. */
export const RECORD_BYTES_MAX = 8 + 160 + 65536 + 8

/** First word of the framing: set while the kernel still writes the record. */
export const FRAME_BUSY = 0x80000000
/** First word of the framing: the record was given up by the kernel program. */
export const FRAME_DISCARD = 0x40000000
/** Bytes of framing before each struct packet_event. */
export const FRAME_BYTES = 8
