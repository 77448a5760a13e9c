/** Direction of a packet relative to the interface, where the file says so. */
export const PACKET_DIRECTION = { UNKNOWN: 0, INBOUND: 1, OUTBOUND: 2 } as const
export type PACKET_DIRECTION = (typeof PACKET_DIRECTION)[keyof typeof PACKET_DIRECTION]

/**
 * The packet that a reader stands on. One object per file, rewritten by each `next()`: copy what must live
 * longer.
 */
export class PacketCursor {
  /** Index of the packet's first byte in the window's `bytes`. */
  at = 0
  /** Bytes that the file holds. */
  captured = 0
  /** Bytes that were on the wire, at least `captured`. */
  wire = 0
  /** Seconds since the epoch, whole. */
  seconds = 0
  /** 0 to 999,999,999. */
  nanoseconds = 0
  /** LINKTYPE_ number (https://www.tcpdump.org/linktypes.html). */
  linkType = 0
  /** Counted over the whole file: the second section's interfaces follow the first's. */
  interfaceIndex = 0
  direction: PACKET_DIRECTION = PACKET_DIRECTION.UNKNOWN
  /** Index in `bytes` of the packet's block, and its length; 0 unless the reader was asked for whole blocks. */
  blockAt = 0
  blockBytes = 0
}
