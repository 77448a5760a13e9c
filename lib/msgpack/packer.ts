const [QUOTE, BACKSLASH, COMMA, COLON, MINUS, POINT, ZERO, NINE] = [0x22, 0x5c, 0x2c, 0x3a, 0x2d, 0x2e, 0x30, 0x39]
const [OPEN_MAP, CLOSE_MAP, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d]
const WORDS = new Map([[0x74, ['true', 0xc3]], [0x66, ['false', 0xc2]], [0x6e, ['null', 0xc0]]] as const)
const DEPTH_MAX = 64
/** Digits of an integer that are exact in a double. */
const DIGITS_MAX = 15
/** Shorter texts are copied faster by hand. */
const COPY_BYTES_MIN = 24
/** A fraction of three characters takes nine bytes, a container of two three; nothing grows more. */
const GROWTH_MAX = 3
const SPARE = 16

/** Writes MessagePack into one buffer that grows. Its bound is the caller's: some bytes more than the JSON that it is given, 3 times at most. */
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
   * fractions become doubles; half a surrogate pair becomes U+FFFD.
   *
   * @throws {SyntaxError} when it is not that, or deeper than 64; what was written of it stays
   */
  json(text: Buffer): this {
    this.#reserve(text.length * GROWTH_MAX)
    if (this.#value(text, 0, 0) !== text.length) throw trouble(text.length)
    return this
  }

  /** The same for an object, with pairs in front: `write` writes as many as `count`. */
  jsonObject(text: Buffer, count: number, write: (packer: this) => void): this {
    this.#reserve(0)
    const start = this.#at
    this.#at += 3
    write(this)
    this.#reserve(text.length * GROWTH_MAX)
    if (text[0] !== OPEN_MAP || this.#members(text, 0, 0, start, count) !== text.length) throw trouble(0)
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

  #value(text: Buffer, at: number, depth: number): number {
    const byte = text[at] as number
    if (byte === QUOTE) return this.#quoted(text, at + 1)
    if (byte === OPEN_MAP || byte === OPEN_ARRAY) {
      if (depth === DEPTH_MAX) throw trouble(at)
      const start = this.#at
      this.#at += 3
      return byte === OPEN_MAP ? this.#members(text, at, depth, start, 0) : this.#elements(text, at, depth, start)
    }
    if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return this.#number(text, at)
    const [word, code] = WORDS.get(byte as 0x74) ?? []
    if (word === undefined || text.toString('latin1', at, at + word.length) !== word) throw trouble(at)
    this.#bytes[this.#at++] = code as number
    return at + word.length
  }

  /** @param start where the map's head belongs @param count of the pairs that it has already */
  #members(text: Buffer, at: number, depth: number, start: number, count: number): number {
    let next = at + 1
    if (text[next] === CLOSE_MAP) return this.#close(0x80, 0xde, start, count, next + 1)
    for (let pairs = count + 1; ; pairs++) {
      if (text[next] !== QUOTE) throw trouble(next)
      next = this.#quoted(text, next + 1)
      if (text[next] !== COLON) throw trouble(next)
      next = this.#value(text, next + 1, depth + 1)
      if (text[next] === CLOSE_MAP) return this.#close(0x80, 0xde, start, pairs, next + 1)
      if (text[next++] !== COMMA) throw trouble(next)
    }
  }

  #elements(text: Buffer, at: number, depth: number, start: number): number {
    let next = at + 1
    if (text[next] === CLOSE_ARRAY) return this.#close(0x90, 0xdc, start, 0, next + 1)
    for (let count = 1; ; count++) {
      next = this.#value(text, next, depth + 1)
      if (text[next] === CLOSE_ARRAY) return this.#close(0x90, 0xdc, start, count, next + 1)
      if (text[next++] !== COMMA) throw trouble(next)
    }
  }

  /** Writes the head of a container whose count is known only now; three bytes were left for it. */
  #close(few: number, many: number, start: number, count: number, next: number): number {
    const end = this.#at
    const size = count < 16 ? 1 : count < 0x10000 ? 3 : 5
    if (size !== 3) this.#bytes.copyWithin(start + size, start + 3, end)
    this.#at = start
    this.#container(few, many, count)
    this.#at = end + size - 3
    return next
  }

  #container(few: number, many: number, count: number): this {
    if (count < 16) this.#bytes[this.#at++] = few | count
    else if (count < 0x10000) this.#head(many, count, 2)
    else this.#head(many + 1, count, 4)
    return this
  }

  #quoted(text: Buffer, start: number): number {
    let end = start
    for (let byte = text[end]; byte !== QUOTE; byte = text[++end]) {
      if (byte === BACKSLASH) return this.#escaped(text, start, end)
      if (byte === undefined) throw trouble(end)
    }
    const length = end - start
    this.#stringHead(length)
    const [bytes, at] = [this.#bytes, this.#at]
    if (length < COPY_BYTES_MIN) for (let index = 0; index < length; index++) bytes[at + index] = text[start + index] as number
    else bytes.set(text.subarray(start, end), at)
    this.#at = at + length
    return end + 1
  }

  #escaped(text: Buffer, start: number, backslash: number): number {
    let end = backslash
    for (let byte = text[end]; byte !== QUOTE; byte = text[++end]) {
      if (byte === BACKSLASH) end++
      if (end >= text.length) throw trouble(end)
    }
    this.#string(JSON.parse(text.toString('utf8', start - 1, end + 1)) as string)
    return end + 1
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

  #number(text: Buffer, start: number): number {
    const isNegative = text[start] === MINUS
    const first = isNegative ? start + 1 : start
    let [at, value] = [first, 0]
    for (let byte = text[at] as number; byte >= ZERO && byte <= NINE; byte = text[++at] as number) value = value * 10 + byte - ZERO
    if (at === first) throw trouble(at)
    const next = (text[at] ?? 0) | 0x20
    if (text[at] === POINT || next === 0x65) return this.#fraction(text, start, at)
    if (at - first <= DIGITS_MAX) this.#integer(isNegative ? -value : value)
    else this.#bigInteger(BigInt(text.toString('latin1', start, at)))
    return at
  }

  #fraction(text: Buffer, start: number, from: number): number {
    let at = from
    for (let byte = text[at]; byte !== undefined && byte !== COMMA && byte !== CLOSE_MAP && byte !== CLOSE_ARRAY;) byte = text[++at]
    const value = Number(text.toString('latin1', start, at))
    if (Number.isNaN(value)) throw trouble(start)
    this.#double(value)
    return at
  }

  #double(value: number): void {
    this.#bytes[this.#at] = 0xcb
    this.#at = this.#bytes.writeDoubleBE(value, this.#at + 1)
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
    if (value >= 2n ** 64n || value < -(2n ** 63n)) return this.#double(Number(value))
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

function trouble(at: number): SyntaxError {
  return new SyntaxError(`Cannot pack: no compact JSON at byte ${at}`)
}
