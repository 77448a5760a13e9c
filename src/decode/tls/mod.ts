/**
 * tls: the handshakes of SSL 3.0 to TLS 1.3 over TCP (RFC 6101, RFC 5246, RFC 8446), as far as they are in the open.
 *
 * In    the two streams of one connection, gaps said.
 * Out   one handshake a connection (connection-facts.ts): names, versions, suites, JA4, and before TLS 1.3 certificates.
 * Drops everything encrypted: the connection is ignored as soon as nothing more can be read.
 * Limits 65,536 bytes a handshake message (a longer one is left out), 18,432 a record, 65,536 encrypted bytes of a client whose
 *       server is out of sight, 32 ALPN names, 100 names a certificate, 256 certificates remembered.
 *
 * A HelloRetryRequest is waited out; of two ClientHellos the first is told. What breaks the grammar is an anomaly (anomaly.ts).
 *
 * @module
 */
export { TLS_ANOMALY } from './anomaly.ts'
export type { TlsAnomaly } from './anomaly.ts'
export { cipherName } from './cipher-names.ts'
export { parseClientHello } from './client-hello.ts'
export type { ClientHello } from './client-hello.ts'
export { ja4 } from './ja4.ts'
export { alertName, groupName, MESSAGE_TYPE, versionName } from './parameters.ts'
export { parseServerHello } from './server-hello.ts'
export type { ServerHello } from './server-hello.ts'
export { TlsProtocol } from './tls-protocol.ts'
