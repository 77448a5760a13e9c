import { PACK_ODD } from '../../wasm/pack-contract.ts'
import type { LineArea } from '../record/mod.ts'

interface PackExports {
  packJson(room: number, text: number, length: number): number
  packObject(room: number, text: number, length: number): number
  packedMembers(): number
}

const SPARE = 16

/** Writes MessagePack into one buffer that grows. Its bound is the caller's: some bytes more than what it is given, JSON 3 times at most. */
export class Packer {
  #bytes: Buffer
  #at = 0

  /** @param sizeHint bytes that are expected */
  constructor(sizeHint: number) {
    this.#bytes = Buffer.allocUnsafe(sizeHint + SPARE)
  }

  /** What was written; valid until the next write. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  /** As many values as `count` follow. */
  array(count: number): this {
    return this.#reserve(0).#container(0x90, 0xdc, count)
  }

  /** As many pairs of key and value as `count` follow. */
  map(count: number): this {
    return this.#reserve(0).#container(0x80, 0xde, count)
  }

  text(text: string): this {
    this.#reserve(text.length * 3)
    this.#string(text)
    return this
  }

  binary(bytes: Uint8Array): this {
    const { length } = bytes
    this.#reserve(length)
    if (length < 0x100) this.#head(0xc4, length, 1)
    else this.#head(length < 0x10000 ? 0xc5 : 0xc6, length, length < 0x10000 ? 2 : 4)
    this.#bytes.set(bytes, this.#at)
    this.#at += length
    return this
  }

  boolean(value: boolean): this {
    this.#reserve(0)
    this.#bytes[this.#at++] = value ? 0xc3 : 0xc2
    return this
  }

  /** @param value safe integer, negative ones too */
  integer(value: number): this {
    this.#reserve(0)
    this.#integer(value)
    return this
  }

  /** Extension of eight bytes, two big-endian numbers of 32 bits: `fixext 8`. */
  extension8(type: number, high: number, low: number): this {
    this.#reserve(0)
    this.#bytes[this.#at++] = 0xd7
    this.#bytes.writeInt8(type, this.#at)
    this.#bytes.writeUInt32BE(high, this.#at + 1)
    this.#bytes.writeUInt32BE(low, this.#at + 5)
    this.#at += 9
    return this
  }

  /**
   * One JSON value without white space between its tokens, as it is: names in their order, doubled ones too. Integers beyond 64 bits and all
   * fractions become doubles; half a surrogate pair becomes U+FFFD. It is packed in WebAssembly.
   *
   * @param area where the text is taken apart; it may be LINE_BYTES_MAX long
   * @throws {SyntaxError} when it is not that, or nested deeper than 64
   */
  json(area: LineArea, text: Buffer): this {
    return this.#append(packed(area, text, 'packJson'))
  }

  /** The same for an object, with pairs in front: `write` writes as many as `count`. */
  jsonObject(area: LineArea, text: Buffer, count: number, write: (packer: this) => void): this {
    const members = packed(area, text, 'packObject')
    this.map(count + area.memory.exports<PackExports>().packedMembers())
    write(this)
    return this.#append(members)
  }

  #append(bytes: Buffer): this {
    this.#reserve(bytes.length)
    this.#at += bytes.copy(this.#bytes, this.#at)
    return this
  }

  #reserve(bytes: number): this {
    const wanted = this.#at + bytes + SPARE
    if (wanted <= this.#bytes.length) return this
    const grown = Buffer.allocUnsafe(Math.max(wanted, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = grown
    return this
  }

  #container(few: number, many: number, count: number): this {
    if (count < 16) this.#bytes[this.#at++] = few | count
    else if (count < 0x10000) this.#head(many, count, 2)
    else this.#head(many + 1, count, 4)
    return this
  }

  #string(text: string): void {
    const length = Buffer.byteLength(text)
    this.#stringHead(length)
    this.#at += this.#bytes.write(text, this.#at)
  }

  #stringHead(length: number): void {
    if (length < 32) this.#bytes[this.#at++] = 0xa0 | length
    else if (length < 0x100) this.#head(0xd9, length, 1)
    else this.#head(length < 0x10000 ? 0xda : 0xdb, length, length < 0x10000 ? 2 : 4)
  }

  #integer(value: number): void {
    if (value >= 0) {
      if (value < 0x80) this.#bytes[this.#at++] = value
      else if (value < 0x100) this.#head(0xcc, value, 1)
      else if (value < 0x10000) this.#head(0xcd, value, 2)
      else if (value < 2 ** 32) this.#head(0xce, value, 4)
      else this.#bigInteger(BigInt(value))
    } else if (value >= -32) this.#bytes[this.#at++] = value & 0xff
    else if (value >= -0x80) this.#head(0xd0, value & 0xff, 1)
    else if (value >= -0x8000) this.#head(0xd1, value & 0xffff, 2)
    else if (value >= -(2 ** 31)) this.#head(0xd2, value >>> 0, 4)
    else this.#bigInteger(BigInt(value))
  }

  #bigInteger(value: bigint): void {
    this.#bytes[this.#at] = value < 0n ? 0xd3 : 0xcf
    this.#at = value < 0n ? this.#bytes.writeBigInt64BE(value, this.#at + 1) : this.#bytes.writeBigUInt64BE(value, this.#at + 1)
  }

  /** A code and a big-endian number of `size` bytes. */
  #head(code: number, value: number, size: 1 | 2 | 4): void {
    const [bytes, at] = [this.#bytes, this.#at]
    bytes[at] = code
    if (size === 1) bytes[at + 1] = value
    else if (size === 2) bytes.writeUInt16BE(value, at + 1)
    else bytes.writeUInt32BE(value, at + 1)
    this.#at = at + 1 + size
  }
}

/** What became of a text, in the area's memory. */
function packed(area: LineArea, text: Buffer, how: 'packJson' | 'packObject'): Buffer {
  const { room, out } = area.copies
  const length = area.hold(text) ? area.memory.exports<PackExports>()[how](room, area.line, text.length) : PACK_ODD
  if (length === PACK_ODD) throw new SyntaxError('Cannot pack: no compact JSON, or too long')
  return area.bytes.subarray(out, out + length)
}
