/** Bytes of protocol buffers (https://protobuf.dev/programming-guides/encoding), one behind the other, in memory that grows. */

const SHORT = 32

/** Bytes that `value` takes as a varint; `value` is a length, so below 2^31. */
export function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5
}

export class Output {
  bytes: Buffer
  at = 0

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafe(capacity)
  }

  /** What was written. */
  get view(): Buffer {
    return this.bytes.subarray(0, this.at)
  }

  /** Makes room for so many bytes more: the writers below do not look. */
  reserve(count: number): void {
    const wanted = this.at + count
    if (wanted <= this.bytes.length) return
    const bytes = Buffer.allocUnsafe(Math.max(wanted, this.bytes.length * 2))
    this.bytes.copy(bytes, 0, 0, this.at)
    this.bytes = bytes
  }

  byte(value: number): void {
    this.bytes[this.at++] = value
  }

  /** A length, so below 2^31. */
  varint(value: number): void {
    let left = value
    while (left > 0x7f) {
      this.bytes[this.at++] = left & 0x7f | 0x80
      left >>>= 7
    }
    this.bytes[this.at++] = left
  }

  /** An int64 that a number holds, so within 2^53; or any. */
  int64(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value < 0x8000_0000) return this.varint(value)
    let left = BigInt.asUintN(64, BigInt(value))
    for (; left > 0x7fn; left >>= 7n) this.bytes[this.at++] = Number(left & 0x7fn) | 0x80
    this.bytes[this.at++] = Number(left)
  }

  fixed32(value: number): void {
    this.at = this.bytes.writeUInt32LE(value, this.at)
  }

  fixed64(value: bigint): void {
    this.at = this.bytes.writeBigUInt64LE(value, this.at)
  }

  double(value: number): void {
    this.at = this.bytes.writeDoubleLE(value, this.at)
  }

  /** A part of other bytes. */
  copy(from: Buffer, start: number, end: number): void {
    if (end - start > SHORT) {
      from.copy(this.bytes, this.at, start, end)
      this.at += end - start
      return
    }
    const { bytes } = this
    let at = this.at
    for (let index = start; index < end; index++) bytes[at++] = from[index] as number
    this.at = at
  }

  /** Bytes as they are. Makes room itself. */
  append(bytes: Buffer): void {
    this.reserve(bytes.length)
    this.copy(bytes, 0, bytes.length)
  }

  /** A text as UTF-8, without tag and length. Makes room itself. */
  text(text: string): void {
    this.reserve(text.length * 3)
    this.at += this.bytes.write(text, this.at)
  }

  /** Tag, length, bytes. Makes room itself. */
  field(tag: number, content: Buffer): void {
    this.reserve(content.length + 6)
    this.byte(tag)
    this.varint(content.length)
    this.copy(content, 0, content.length)
  }
}
