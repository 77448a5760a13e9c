/** What became of a frame: exactly one of these. Indexes of Counts. */
export const DISSECT_OUTCOME = {
  DELIVERED: 0,
  // Not wanted.
  /** No IP and no ARP inside. */
  NOT_IP: 1,
  /** A protocol that the options leave out. */
  PROTOCOL: 2,
  /** A fragment that waits for the others, or that others have completed. */
  FRAGMENT: 3,
  /** 802.11 with its payload encrypted. */
  ENCRYPTED: 4,
  // Lost.
  LINK_TYPE_UNKNOWN: 5,
  /** The capture was cut (snap length) inside a header. */
  HEADER_CUT: 6,
  /** The packet ends inside a header. */
  HEADER_SHORT: 7,
  IP_VERSION: 8,
  IP_HEADER_LENGTH: 9,
  IP_TOTAL_LENGTH: 10,
  TCP_HEADER_LENGTH: 11,
  UDP_LENGTH: 12,
  TOO_DEEP: 13,
  /** A fragment of which the capture holds only a part. */
  FRAGMENT_CUT: 14,
  /** A fragment that cannot belong to any datagram: see the anomalies. */
  FRAGMENT_MALFORMED: 15,
  /** A fragment of a datagram that was given up. */
  FRAGMENT_INCOMPLETE: 16,
  CHECKSUM_IP: 17,
  CHECKSUM_TRANSPORT: 18,
} as const
export type DISSECT_OUTCOME = (typeof DISSECT_OUTCOME)[keyof typeof DISSECT_OUTCOME]

/** Outcomes from here on are losses; between DELIVERED and here are frames that nobody wants. */
export const FIRST_LOSS = DISSECT_OUTCOME.LINK_TYPE_UNKNOWN
