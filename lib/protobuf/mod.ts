/**
 * protobuf: writes Protocol Buffers (https://protobuf.dev/programming-guides/encoding).
 *
 * In    fields and values, as plain data; or bytes of them, for who counts each.
 * Out   bytes, in memory that grows.
 *
 * @module
 */
export { Output, varintBytes } from './output.ts'
export { ProtoWriter } from './proto-writer.ts'
