/**
 * socks: the handshake with a SOCKS proxy (RFC 1928, RFC 1929, SOCKS 4 and 4A) in front of another protocol.
 *
 * In    the two streams of one connection, gaps said.
 * Out   nothing of its own: both streams go to the Detector from behind the handshake.
 * Drops the handshake with its user names and passwords; connections that are refused, that BIND or relay UDP, or that use
 *       GSSAPI.
 * Limits 65,536 bytes a side held until the handshake is over.
 *
 * @module
 */
export { SOCKS_ANOMALY } from './anomaly.ts'
export type { SocksAnomaly } from './anomaly.ts'
export { SocksProtocol } from './socks-protocol.ts'
