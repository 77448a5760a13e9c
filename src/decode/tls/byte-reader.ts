/**
 * Reads numbers and vectors (RFC 8446 3) from bytes. Whatever reaches over the end gives 0 or nothing and sets `failed`: so a
 * parser reads on and asks once.
 */
export class ByteReader {
  readonly #bytes: Uint8Array
  #at: number
  readonly #end: number
  failed = false

  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    this.#bytes = bytes
    this.#at = from
    this.#end = to
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#end - this.#at
  }

  u8(): number {
    return this.#take(1) ? this.#bytes[this.#at - 1]! : 0
  }

  u16(): number {
    return this.#take(2) ? this.#bytes[this.#at - 2]! * 0x100 + this.#bytes[this.#at - 1]! : 0
  }

  u24(): number {
    return this.u8() * 0x10000 + this.u16()
  }

  u32(): number {
    return this.u16() * 0x10000 + this.u16()
  }

  /** A view of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    return this.#take(length) ? this.#bytes.subarray(this.#at - length, this.#at) : new Uint8Array(0)
  }

  skip(length: number): void {
    this.#take(length)
  }

  /** A reader of the next `length` bytes, which this one passes over. */
  part(length: number): ByteReader {
    return this.#take(length) ? new ByteReader(this.#bytes, this.#at - length, this.#at) : new ByteReader(this.#bytes, 0, 0)
  }

  #take(length: number): boolean {
    if (length > this.left) {
      this.failed = true
      this.#at = this.#end
      return false
    }
    this.#at += length
    return true
  }
}
