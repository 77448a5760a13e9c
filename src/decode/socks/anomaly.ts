/** What may be wrong with a SOCKS connection: the names under which it is counted. */
export const SOCKS_ANOMALY = {
  /** The handshake breaks the grammar, was refused, or asks for more than a connection: what follows is not read. */
  refused: 'socks_refused',
  malformed: 'socks_malformed',
  /** Bytes are missing inside the handshake. */
  lost: 'socks_lost',
  /** More bytes came before the handshake was over than are held. */
  heldTooLong: 'socks_held_too_long',
} as const
export type SocksAnomaly = (typeof SOCKS_ANOMALY)[keyof typeof SOCKS_ANOMALY]
