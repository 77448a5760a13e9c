/**
 * http2: HTTP/2 (RFC 9113) with HPACK (RFC 7541) as a passive observer reads it, and gRPC on it.
 *
 * In    the two streams of one connection, gaps said: from the client's preface on, from an upgrade on, or joined anywhere.
 * Out   requests, interim and final responses, pushed ones too, with their heads, body sizes, trailers, resets; each with the
 *       number of its exchange, which is that of its stream.
 * Drops bodies (skipped where they are long) and frames that say nothing of a message. Bytes that belong to no frame are counted
 *       as anomalies (anomaly.ts).
 * Limits 262,144 bytes a header block on the wire, as many decoded, 8,192 fields kept of it, 65,536 bytes of table entries a
 *       side, 1,000 CONTINUATION frames a block, 4,096 streams open at once.
 *
 * Never a wrong value: a field that names a table entry which was not seen to go in is left out and counted
 * (wasm/hpack-table.ts).
 * After a loss a side waits for frames that are certain (frame-search.ts).
 *
 * @module
 */
export { HTTP2_ANOMALY } from './anomaly.ts'
export type { Http2Anomaly } from './anomaly.ts'
export { Http2Protocol } from './http2-protocol.ts'
