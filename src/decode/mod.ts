/**
 * decode: byte streams → messages.
 *
 * In    the two ordered streams of each connection, gaps said (connection/stream.ts).
 * Out   messages: heads as blocks of shared memory, body sizes, ends, exchange numbers (message.ts).
 * Drops bodies, and connections that no protocol claims (counted).
 * Limits each protocol's own (its mod.ts); before one is found, its `detectBytesMax` per side.
 *
 * A protocol is a folder here and a line in registry.ts; decoder.suite.ts is what each must pass.
 *
 * @module
 */
export { BodyFields } from './body/mod.ts'
export type { BodyFindings, BodyRule, GenAiApi, Unread } from './body/mod.ts'
export { DETECT } from './decoder.ts'
export type { Detect, OpenInner, Protocol } from './decoder.ts'
export { HANDSHAKE_OUTCOME } from './connection-facts.ts'
export type { CertificateFacts, Handshake, HandshakeOutcome, ProxyHeader } from './connection-facts.ts'
export { Detector, DETECTOR_ANOMALY } from './detector.ts'
export type { DetectorAnomaly, DetectorOptions } from './detector.ts'
export { HTTP1_ANOMALY } from './http1/mod.ts'
export type { Http1Anomaly } from './http1/mod.ts'
export { HTTP2_ANOMALY } from './http2/mod.ts'
export type { Http2Anomaly } from './http2/mod.ts'
export { MESSAGE, MESSAGE_END } from './message.ts'
export type { CutBy, Message, MessageEnd, MessageKind, MessageSink, Settlement, Unanswered } from './message.ts'
export { ODDITY_NAMES, oddityNames } from './oddity.ts'
export type { OddityName } from './oddity.ts'
export { FRAMES, WebSocket, WEBSOCKET_ANOMALY, WebSocketFrames } from './websocket/mod.ts'
export type { WebSocketAnomaly } from './websocket/mod.ts'
export { loadDecoders, OWN_ANOMALY, OwnProtocol } from './own/mod.ts'
export type { FailureReport, LoadedDecoder, OwnAnomaly } from './own/mod.ts'
export { createDatagramReader } from './quic/mod.ts'
export { createProtocols } from './registry.ts'
