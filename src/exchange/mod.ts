/**
 * exchange: messages → exchanges: a request with its response, timing, and what is known of the connection.
 *
 * In    messages with exchange numbers that the decoder vouches for.
 * Out   EXCHANGE blocks (wasm/layout.ts), each once, in the order in which they are over; WebSockets at their end.
 * Drops an exchange that the shared memory's limit refuses; counted as `memory_limit`.
 * Marks a half exchange with the reason why the other half is missing; nothing is guessed.
 *
 * @module
 */
export { FIELDS, fieldId, MARK_REASONS, RECORD_KINDS } from './fields.ts'
export type { Field, FieldType, MarkReason, RecordKind, Sensitivity } from './fields.ts'
export { AnomalyLog } from './anomaly-log.ts'
export type { AnomalyReport } from './anomaly-log.ts'
export { OddityCounts } from './oddity-counts.ts'
export { Pairer } from './pairer.ts'
export type { ExchangeOutput, PairerOptions } from './pairer.ts'
export { writeAnomaly, writeConnection } from './connection-record.ts'
export type { AnomalyFacts, ConnectionEventName, ConnectionFacts } from './connection-record.ts'
export { writeHandshake } from './handshake-record.ts'
export type { HandshakeFacts } from './handshake-record.ts'
export { writePacket } from './packet-record.ts'
export type { PacketFacts } from './packet-record.ts'
export { RecordSetup } from './record-setup.ts'
export { writeWebSocket } from './web-socket-record.ts'
export type { WebSocketFacts } from './web-socket-record.ts'
export { ProcessTable } from './process-table.ts'
export type { ContainerQuestion } from './process-table.ts'
export type { ContainerNames } from './process-facts.ts'
