/**
 * http1: HTTP/0.9, 1.0 and 1.1 (RFC 9110, RFC 9112) as a passive observer reads them.
 *
 * In    the two streams of one connection, gaps said.
 * Out   requests, interim and final responses with their heads, body sizes, trailers and oddities; each with the number of
 *       its exchange. Which response answers which request is never guessed: the rule stands in pairing.ts.
 * Drops bodies (skipped where they are long); everything from CONNECT or 101 on (the tunnel's handler may take it).
 *       Bytes that belong to no message are counted as anomalies (anomaly.ts).
 * Limits 262,144 bytes a head and 8,192 fields kept of it, 16,384 bytes a chunk-size line, 1,000 requests waiting for a
 *       response, 32 pairs held until they are proven; at most one head is held per side.
 *
 * What a strict server would refuse is read as its lenient neighbours would read it, and named (ODDITY_*). Where recipients
 * differ about a message's end (two lengths, a chunk size that is no number) the message ends as malformed, and its side
 * waits for the next plausible first line at the start of a segment.
 *
 * @module
 */
export { HTTP1_ANOMALY } from './anomaly.ts'
export type { Http1Anomaly } from './anomaly.ts'
export { HeadScanner } from './head-scanner.ts'
export { Http1Connection } from './http1-connection.ts'
export type { Http1Options } from './http1-connection.ts'
export { Http1Protocol } from './http1-protocol.ts'
