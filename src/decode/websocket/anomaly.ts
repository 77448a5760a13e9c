/** What may be wrong with a WebSocket: the names under which it is counted. Sections are those of RFC 6455. */
export const WEBSOCKET_ANOMALY = {
  /** A frame of the client without a mask (5.1). */
  unmasked: 'websocket_unmasked',
  /** A frame of the server with a mask (5.1). */
  masked: 'websocket_masked',
  /** A reserved bit that no extension in force gives a meaning (5.2; RFC 7692 6 for the first). */
  reservedBits: 'websocket_reserved_bits',
  /** An opcode that the protocol reserves: what follows cannot be read (5.2). */
  opcode: 'websocket_opcode',
  /** A length of 2^53 bytes or more: what follows cannot be read (5.2 allows 2^63 - 1). */
  length: 'websocket_length',
  /** A length written with more bytes than it needs (5.2). */
  lengthNotMinimal: 'websocket_length_not_minimal',
  /** A ping, pong or close in several frames, or longer than 125 bytes (5.5). */
  control: 'websocket_control_frame',
  /** A continuation without a message that it continues (5.4). */
  continuation: 'websocket_continuation_unexpected',
  /** A new message inside one that is not over (5.4). */
  interleaved: 'websocket_message_interleaved',
  /** A close frame with one byte, or with a code that must not be sent (7.4). */
  closeCode: 'websocket_close_code',
  /** The reason in a close frame is not UTF-8 (5.5.1). */
  closeReason: 'websocket_close_reason',
  /** Bytes after the close frame of the same side (5.5.1). */
  afterClose: 'websocket_after_close',
  /** Bytes are missing where a frame's end depends on them. */
  framingLost: 'websocket_framing_lost',
} as const
export type WebSocketAnomaly = (typeof WEBSOCKET_ANOMALY)[keyof typeof WEBSOCKET_ANOMALY]
