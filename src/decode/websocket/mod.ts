/**
 * websocket: RFC 6455 with permessage-deflate (RFC 7692) as a passive observer counts it.
 *
 * In    the bytes of both sides from where the upgrade's exchange ends.
 * Out   nothing of its own while it lasts; at its end, once: messages, frames, bytes, pings and pongs of each side, subprotocol,
 *       extensions, close code and reason, and how it ended. The upgrade itself is an exchange, told when the 101 came.
 * Drops payloads (skipped where they are long). What breaks the protocol is counted as an anomaly (anomaly.ts); where a frame's end
 *       cannot be known, or bytes are missing outside of a payload, the side's counts hold for what came before, and say so.
 * Limits 125 bytes of a close frame are held, 4,096 bytes of subprotocol and of extensions.
 *
 * @module
 */
export { WEBSOCKET_ANOMALY } from './anomaly.ts'
export type { WebSocketAnomaly } from './anomaly.ts'
export { openWebSocket } from './open-web-socket.ts'
export { WebSocket } from './web-socket.ts'
export type { WebSocketOptions } from './web-socket.ts'
export { FRAMES, WebSocketFrames } from './web-socket-frames.ts'
export type { FramesState, WebSocketFramesOptions } from './web-socket-frames.ts'
