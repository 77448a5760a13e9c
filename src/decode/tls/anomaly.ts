/** What may be wrong with a TLS connection: the names under which it is counted. */
export const TLS_ANOMALY = {
  /** The lengths of the ClientHello contradict each other. */
  clientHello: 'tls_client_hello',
  /** The connection ended inside the ClientHello: it is not in the log. */
  clientHelloCut: 'tls_client_hello_cut',
  /** The lengths of the ServerHello contradict each other. */
  serverHello: 'tls_server_hello',
  /** What should be a record has another type, version or length. */
  record: 'tls_record',
  /** A handshake message over its bound: left out. */
  messageTooLong: 'tls_message_too_long',
  /** A certificate that cannot be read. */
  certificate: 'tls_certificate',
  /** The server answers a ClientHello in another protocol. */
  otherAnswer: 'tls_other_answer',
  /** Bytes are missing inside the handshake. */
  handshakeLost: 'tls_handshake_lost',
  /** A hello in the form of SSL 2.0. */
  ssl2Hello: 'tls_ssl2_hello',
  /** The capture began inside the connection: its handshake is not known. */
  joinedLate: 'tls_joined_late',
  /** The shared memory's limit refused room for a message that came in parts. */
  memoryLimit: 'tls_memory_limit',
} as const
export type TlsAnomaly = (typeof TLS_ANOMALY)[keyof typeof TLS_ANOMALY]
