/**
 * msgpack: MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md).
 *
 * In    compact JSON, texts, numbers; what a server answered.
 * Out   the bytes; from JSON in one pass, without an object in between.
 *
 * @module
 */
export { Packer } from './packer.ts'
export { unpack } from './unpack.ts'
export type { Unpacked } from './unpack.ts'
