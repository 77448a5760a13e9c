const [VARINT, FIXED64, BYTES] = [0, 1, 2]
const START_BYTES = 256

/** Writes messages of Protocol Buffers, field by field. Numbers are whole and below 2^53. */
export class ProtoWriter {
  #bytes = Buffer.alloc(START_BYTES)
  #length = 0

  /** What was written; valid until the next write. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  uint(field: number, value: number): void {
    this.#key(field, VARINT)
    this.varint(value)
  }

  /** int32 and int64: a negative number has ten bytes. */
  int(field: number, value: number): void {
    this.#key(field, VARINT)
    let left = BigInt.asUintN(64, BigInt(value))
    for (; left > 0x7fn; left >>= 7n) this.#byte(Number(left & 0x7fn) | 0x80)
    this.#byte(Number(left))
  }

  /** sint32 and sint64. */
  sint(field: number, value: number): void {
    this.uint(field, zigzag(value))
  }

  double(field: number, value: number): void {
    this.#key(field, FIXED64)
    this.#room(8)
    this.#length = this.#bytes.writeDoubleLE(value, this.#length)
  }

  text(field: number, value: string): void {
    this.raw(field, Buffer.from(value))
  }

  raw(field: number, value: Uint8Array): void {
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

  /** Its length, then the value. */
  delimited(value: Uint8Array): void {
    this.varint(value.length)
    this.#room(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  varint(value: number): void {
    let left = value
    for (; left > 0x7f; left = Math.floor(left / 128)) this.#byte((left % 128) | 0x80)
    this.#byte(left)
  }

  #key(field: number, type: number): void {
    this.varint(field * 8 + type)
  }

  #byte(value: number): void {
    this.#room(1)
    this.#bytes[this.#length++] = value
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#length + bytes))
    this.#bytes.copy(larger)
    this.#bytes = larger
  }
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}
