/** What a decoder tells of a whole connection, beside its messages. */

/** How far a handshake came, as seen in the open. */
export const HANDSHAKE_OUTCOME = {
  /** The server answered with a ServerHello. */
  answered: 'answered',
  /** One side ended it with a fatal alert. */
  refused: 'refused',
  /** No ServerHello was seen. */
  unanswered: 'unanswered',
} as const
export type HandshakeOutcome = (typeof HANDSHAKE_OUTCOME)[keyof typeof HANDSHAKE_OUTCOME]

/** Names in a certificate: RFC 4514 strings, times in nanoseconds since 1970. */
export interface CertificateFacts {
  readonly subject: string
  readonly issuer: string
  readonly notBefore: bigint | undefined
  readonly notAfter: bigint | undefined
  /** Host names, addresses and the like of subjectAltName. */
  readonly names: readonly string[]
}

/** A TLS handshake over TCP or inside QUIC, as far as it can be read without keys. What is not known is undefined. */
export interface Handshake {
  /** `network.protocol.name`. */
  readonly protocol: 'tls' | 'quic'
  /** Of QUIC: 1, 2 or draft-29 and the like. */
  readonly protocolVersion: string | undefined
  readonly outcome: HandshakeOutcome
  /** Why it went no further, in one phrase; empty when it did. */
  readonly reason: string
  /** First byte of the ClientHello, nanoseconds in the source's clock. */
  readonly startTime: number
  /** The ServerHello or the alert; -1 = none. */
  readonly answerTime: number
  /** `tls.protocol.name` and `tls.protocol.version`, once the server has chosen. */
  readonly version: { readonly name: string; readonly version: string } | undefined
  readonly cipher: string | undefined
  readonly curve: string | undefined
  /** Chosen by ALPN, where the answer stands in the open. */
  readonly nextProtocol: Uint8Array | undefined
  readonly isResumed: boolean | undefined
  readonly serverName: Uint8Array | undefined
  readonly offeredProtocols: readonly Uint8Array[]
  readonly ja4: string | undefined
  readonly hasEncryptedHello: boolean
  readonly client: CertificateFacts | undefined
  readonly server: CertificateFacts | undefined
}

/** What a PROXY protocol header says of the connection that a proxy passes on. */
export interface ProxyHeader {
  readonly version: 1 | 2
  /** 4 or 6; undefined = the header names no addresses (LOCAL, UNKNOWN, UNIX). */
  readonly ipVersion: 4 | 6 | undefined
  /** Network order, 16 bytes, IPv4 in the first 4. */
  readonly source: Uint8Array
  readonly destination: Uint8Array
  readonly sourcePort: number
  readonly destinationPort: number
  /** Host name that the client asked for by SNI or the like (PP2_TYPE_AUTHORITY). */
  readonly authority: Uint8Array | undefined
}
