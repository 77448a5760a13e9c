/** Oddities of frames, each counted; most do not stop the frame from being delivered. Indexes of Counts. */
export const DISSECT_ANOMALY = {
  /** IPv4 total length 0: a segment that the card was to split (TSO); the frame's length is taken. */
  IP_TOTAL_LENGTH_ZERO: 0,
  /** IPv6 payload length 0 without a jumbogram option: the same (BIG TCP). */
  IP6_PAYLOAD_LENGTH_ZERO: 1,
  /** IP claims more than the frame had on the wire: the frame's length is taken. */
  IP_LENGTH_OVER_FRAME: 2,
  /** UDP length 0: a large datagram that the card was to split (USO). */
  UDP_LENGTH_ZERO: 3,
  /** UDP claims more than its IP packet holds: the packet's length is taken. */
  UDP_LENGTH_OVER_IP: 4,
  /** TCP options that do not add up; what came before them is used. */
  TCP_OPTIONS_MALFORMED: 5,
  /** A tunnel's port, but not a tunnel's header: delivered as plain UDP. */
  TUNNEL_HEADER_UNKNOWN: 6,
  /** More than 16 headers inside one another. */
  TOO_DEEP: 7,
  /** Fragments disagree about the same bytes: IPv4 keeps the first, IPv6 drops the datagram (RFC 5722). */
  FRAGMENT_OVERLAP: 8,
  /** The same bytes twice, alike. */
  FRAGMENT_DUPLICATE: 9,
  /** A first fragment too small for the ports (RFC 1858). */
  FRAGMENT_TINY: 10,
  /**
   * A fragment that is not the last, of a length no multiple of 8: IPv4 is cut to one as Linux does, IPv6
   * dropped.
   */
  FRAGMENT_LENGTH: 11,
  /** A fragment without payload. */
  FRAGMENT_EMPTY: 12,
  /** A fragment that would end after 65,535 bytes. */
  FRAGMENT_OVERSIZE: 13,
  /** Data after the datagram's end, or two different ends. */
  FRAGMENT_END_MOVED: 14,
  /** A datagram not complete within 30 s of packet time. */
  FRAGMENT_TIMEOUT: 15,
  /** A datagram dropped since 1,024 others came after it. */
  FRAGMENT_TABLE_FULL: 16,
  /** A datagram dropped since the fragments of others needed its memory. */
  FRAGMENT_MEMORY_FULL: 17,
  /** More payload in one frame than a record holds (64 KiB): the record is cut. */
  PAYLOAD_OVER_RECORD: 18,
  /** More than one packet in an 802.11 frame (A-MSDU): the first is read, the others are not. */
  WIFI_AGGREGATE: 19,
} as const
export type DISSECT_ANOMALY = (typeof DISSECT_ANOMALY)[keyof typeof DISSECT_ANOMALY]
