/**
 * own: protocols that a user reads with a module of his own (contract.ts; docs/decoders.md).
 *
 * In    the two streams of a connection to one of the decoder's ports, from its first byte on.
 * Out   requests and responses as the decoder gives them, with the number of their exchange by correlation.
 * Drops bytes that the decoder is done with; connections on which it fails, counted.
 * Limits 16 decoders, 262,144 bytes a side left for later, 1,000 requests waiting for a response, messages of 8,192 headers and
 *       262,144 bytes; 100 ms a call and 10 failures a minute, then the decoder is switched off.
 *
 * @module
 */
export { OWN_ANOMALY } from './anomaly.ts'
export type { OwnAnomaly } from './anomaly.ts'
export type { DecodedMessage, Decoder, DecoderConnection, DecoderHandler, DecoderSide } from './contract.ts'
export { ContractError } from './failure-watch.ts'
export type { FailureReport } from './failure-watch.ts'
export { loadDecoders } from './load-decoder.ts'
export type { LoadedDecoder } from './load-decoder.ts'
export { OwnProtocol } from './own-protocol.ts'
