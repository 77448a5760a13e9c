/** What may be wrong with a decoder of the user's own: the names under which it is counted. */
export const OWN_ANOMALY = {
  /** It threw, or broke its contract: the connection was given up. The decoder's name follows. */
  failed: 'decoder_failed',
  /** One call took too long. The decoder's name follows. */
  slow: 'decoder_slow',
  /** Bytes are missing, and it does not say how to go on: the connection was given up. */
  gap: 'decoder_gap',
  /** It left more bytes for later than are kept: the connection was given up. */
  held: 'decoder_held_over_bound',
  /** More requests wait for a response than are kept; the oldest was given up. */
  outstanding: 'decoder_outstanding_over_bound',
  /** A request came with the correlation of one that has no response yet; that one was given up. */
  repeated: 'decoder_correlation_repeated',
  /** It gave a message while no call of it was under way; the message is not in the log. */
  late: 'decoder_message_late',
} as const
export type OwnAnomaly = (typeof OWN_ANOMALY)[keyof typeof OWN_ANOMALY]
