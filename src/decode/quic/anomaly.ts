/** What may be wrong with QUIC Initial packets: the names under which it is counted. */
export const QUIC_ANOMALY = {
  /** A long header whose lengths contradict each other. */
  header: 'quic_header',
  /** An Initial packet that its own keys do not open: joined late, damaged, or no QUIC. */
  notDecrypted: 'quic_not_decrypted',
  /** Frames that an Initial packet may not hold, or that cannot be read. */
  frames: 'quic_frames',
  /** The ClientHello cannot be read. */
  clientHello: 'quic_client_hello',
  /** CRYPTO frames far apart, or too many: left out. */
  cryptoOverBound: 'quic_crypto_over_bound',
  /** More Initial packets a second than are opened: left out. */
  overBudget: 'quic_over_budget',
  /** The flow was forgotten before its ClientHello was whole. */
  clientHelloCut: 'quic_client_hello_cut',
} as const
export type QuicAnomaly = (typeof QUIC_ANOMALY)[keyof typeof QUIC_ANOMALY]
