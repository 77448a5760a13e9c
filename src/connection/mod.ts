/**
 * connection: packet events → two ordered byte streams per connection.
 *
 * In     batches of framed packet events (bpf/events.h); whole frames are set aside for a dissector.
 * Out    per connection one handler: bytes in stream order, each hole with its length and cause, one end per
 *        side; and a CONNECTION block (wasm/layout.ts).
 * Drops  repeated bytes (the first ones received win), doubles from other interfaces and tunnels, segments
 *        and resets outside of the window, data after a FIN; each under a name of `ConnectionCount`.
 * Limits `CONNECTION_LIMITS`: connections, held bytes per side and in all, pieces per side, and times.
 *
 * Datagrams of UDP go by flow to a handler of their own (datagram-table.ts).
 *
 * @module
 */
export { CONNECTION_ANOMALIES, CONNECTION_COUNT, ConnectionCounters } from './connection-counters.ts'
export type { ConnectionCount } from './connection-counters.ts'
export { CONNECTION_LIMITS } from './connection-limits.ts'
export type { ConnectionLimits } from './connection-limits.ts'
export { ConnectionTable } from './connection-table.ts'
export type { ConnectionEvents } from './connection-events.ts'
export type { Connection, ConnectionEnd } from './connection.ts'
export { DatagramTable } from './datagram-table.ts'
export type { DatagramEvents, DatagramHandler } from './datagram-table.ts'
export { PlaintextTable } from './plaintext/plaintext-table.ts'
export type { PlaintextCount } from './plaintext/plaintext-table.ts'
export { advance, distance } from './sequence.ts'
export { END, GAP } from './stream.ts'
export type { End, Gap, Side, StreamControl, StreamHandler, Turns } from './stream.ts'
