/**
 * proxy: the header that a proxy puts in front of a connection to name its client (PROXY protocol, versions 1 and 2).
 *
 * In    the two streams of one connection, gaps said.
 * Out   the header (connection-facts.ts); the rest of both streams goes to the Detector as if the header were not there.
 * Drops TLVs other than the authority; a header of the LOCAL command or of an unknown family has no addresses.
 * Limits 107 bytes of line, 65,551 bytes of binary header.
 *
 * @module
 */
export { PROXY_ANOMALY } from './anomaly.ts'
export type { ProxyAnomaly } from './anomaly.ts'
export { ProxyConnection } from './proxy-connection.ts'
export { ProxyProtocol } from './proxy-protocol.ts'
