import { Output } from './output.ts'

const [VARINT, FIXED64, BYTES] = [0, 1, 2]
const START_BYTES = 256
/** Bytes of a varint at most. */
const VARINT_BYTES_MAX = 10

/** Writes messages of Protocol Buffers, field by field. Numbers are whole and below 2^53. */
export class ProtoWriter {
  readonly #out = new Output(START_BYTES)

  /** What was written; valid until the next write. */
  get bytes(): Buffer {
    return this.#out.view
  }

  uint(field: number, value: number): void {
    this.int(field, value)
  }

  /** int32 and int64: a negative number has ten bytes. */
  int(field: number, value: number): void {
    this.#key(field, VARINT)
    this.varint(value)
  }

  /** sint32 and sint64. */
  sint(field: number, value: number): void {
    this.uint(field, zigzag(value))
  }

  double(field: number, value: number): void {
    this.#key(field, FIXED64)
    this.#out.reserve(8)
    this.#out.double(value)
  }

  fixed64(field: number, value: bigint): void {
    this.#key(field, FIXED64)
    this.#out.reserve(8)
    this.#out.fixed64(value)
  }

  text(field: number, value: string): void {
    this.raw(field, Buffer.from(value))
  }

  raw(field: number, value: Buffer): void {
    this.#key(field, BYTES)
    this.delimited(value)
  }

  message(field: number, write: (inner: ProtoWriter) => void): void {
    const inner = new ProtoWriter()
    write(inner)
    this.raw(field, inner.bytes)
  }

  /** repeated sint64. */
  packedSints(field: number, values: readonly number[]): void {
    this.message(field, inner => { for (const value of values) inner.varint(zigzag(value)) })
  }

  /** repeated uint64. */
  packedUints(field: number, values: readonly number[]): void {
    this.message(field, inner => { for (const value of values) inner.varint(value) })
  }

  /** repeated fixed64. */
  packedFixed64(field: number, values: readonly number[]): void {
    const bytes = Buffer.allocUnsafe(values.length * 8)
    values.forEach((value, index) => bytes.writeBigUInt64LE(BigInt(value), index * 8))
    this.raw(field, bytes)
  }

  /** repeated double. */
  packedDoubles(field: number, values: readonly number[]): void {
    const bytes = Buffer.allocUnsafe(values.length * 8)
    values.forEach((value, index) => bytes.writeDoubleLE(value, index * 8))
    this.raw(field, bytes)
  }

  /** Fields that another has written. */
  put(fields: Buffer): void {
    this.#out.reserve(fields.length)
    this.#out.copy(fields, 0, fields.length)
  }

  /** Its length, then the value. */
  delimited(value: Buffer): void {
    this.varint(value.length)
    this.#out.reserve(value.length)
    this.#out.copy(value, 0, value.length)
  }

  varint(value: number): void {
    this.#out.reserve(VARINT_BYTES_MAX)
    this.#out.int64(value)
  }

  #key(field: number, type: number): void {
    this.varint(field * 8 + type)
  }
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}
