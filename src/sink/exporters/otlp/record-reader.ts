import { Output, varintBytes } from '../../../../lib/protobuf/mod.ts'
import { copyUnescaped, Malformed } from './json-text.ts'
import { SECONDS, slot, slotOf, SLOTS } from './slots.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN = 0x7b
const CLOSE = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const DOT = 0x2e
const MINUS = 0x2d
const DEPTH_MAX = 32
/** Memory that a large record took is given back. */
const KEPT_BYTES_MAX = 1024 * 1024
/** What stands around key and value: tags and lengths. */
const AROUND = 64
const EXACT_DIGITS = 15
const POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent)
const INT64_MAX = 2n ** 63n - 1n
const TIME = slot('time')
const IS_SECONDS: readonly boolean[] = SLOTS.map(name => SECONDS.includes(name))

// KeyValue: key = 1, value = 2. AnyValue: string 1, bool 2, int 3, double 4, array 5. ArrayValue: values = 1.
const KEY = 0x0a
const VALUE = 0x12
const STRING = 0x0a
const BOOL = 0x10
const INT = 0x18
const DOUBLE = 0x21
const ARRAY = 0x2a
const ITEM = 0x0a
/** Tag that attributes are written with, that of a log record; what else they are put into may need another, of one byte too. */
const ATTRIBUTE_TAG = 0x32

/**
 * Reads a line of NDJSON once and makes attributes of it: a KeyValue for each field, its name with dots; of a headers field one for each
 * header, an array of texts. `time` is none: log records and spans have it. No object is made for a field, and no string.
 *
 * The lines are those of the encoder, so without white space between tokens.
 */
export class RecordReader {
  /** The attributes of the record at hand. */
  attributes = new Output(16_384)
  /** Where the tag of each stands in them. */
  tags = new Int32Array(256)
  count = 0
  /** The line at hand, and by slot where the field's value begins and ends in it; 0, 0 = it is not there. */
  #line: Buffer = Buffer.alloc(0)
  readonly #places = new Int32Array(SLOTS.length * 2)
  #path = new Output(1024)
  #scratch = new Output(4096)
  #items = new Output(4096)
  #at = 0
  #depth = 0

  /** @returns false when the line is no record */
  read(line: Buffer): boolean {
    if (this.attributes.bytes.length > KEPT_BYTES_MAX) this.attributes = new Output(16_384)
    if (this.#scratch.bytes.length > KEPT_BYTES_MAX) [this.#scratch, this.#items] = [new Output(4096), new Output(4096)]
    if (this.#path.bytes.length > KEPT_BYTES_MAX) this.#path = new Output(1024)
    this.#path.at = 0
    this.#path.reserve(line.length) // each part of a path stands in the line, and so does what is between them
    this.attributes.at = 0
    this.count = 0
    this.#places.fill(0)
    this.#line = line
    this.#at = 0
    this.#depth = 0
    try {
      this.#expect(OPEN)
      this.#members(0)
      return this.#at === line.length
    } catch (error) {
      if (error instanceof Malformed) return false
      throw error
    }
  }

  has(name: number): boolean {
    return this.#places[name * 2] !== 0
  }

  /** A text of ASCII, as names, ids, methods are; undefined = the field is not there. */
  ascii(name: number): string | undefined {
    const [start, end] = this.#bounds(name)
    return start === 0 ? undefined : this.#line.toString('latin1', start, end)
  }

  /** Any text. */
  text(name: number): string | undefined {
    const [start, end] = this.#bounds(name)
    if (start === 0) return undefined
    const text = this.#line.toString('utf8', start, end)
    return text.includes('\\') ? JSON.parse(`"${text}"`) as string : text
  }

  /** Appends the text. */
  copyTo(out: Output, name: number): void {
    const [start, end] = this.#bounds(name)
    out.reserve(end - start)
    copyUnescaped(this.#line, start, end, out)
  }

  is(name: number, expected: Buffer): boolean {
    const [start, end] = this.#bounds(name)
    if (start === 0 || end - start !== expected.length) return false
    for (let index = 0; index < expected.length; index++) if (this.#line[start + index] !== expected[index]) return false
    return true
  }

  /** Bytes from hexadecimal digits in either case, to the end of `out`; false, and nothing written, when it is not just these, or all 0. */
  hexTo(out: Output, name: number, bytes: number): boolean {
    const [start, end] = this.#bounds(name)
    if (end - start !== bytes * 2) return false
    const before = out.at
    let isAny = 0
    for (let at = start; at < end; at += 2) {
      const byte = hexDigit(this.#line[at] as number) << 4 | hexDigit(this.#line[at + 1] as number)
      if (byte < 0) {
        out.at = before
        return false
      }
      isAny |= byte
      out.byte(byte)
    }
    if (isAny === 0) out.at = before
    return isAny !== 0
  }

  /** Of a text what is between the quotes. */
  #bounds(name: number): readonly [start: number, end: number] {
    const start = this.#places[name * 2] as number
    const end = this.#places[name * 2 + 1] as number
    return this.#line[start] === QUOTE && start !== 0 ? [start + 1, end - 1] : [start, end]
  }

  #expect(byte: number): void {
    if (this.#line[this.#at++] !== byte) throw new Malformed('not what stands there in a record')
  }

  /** Members up to the brace; their names begin with the first `prefix` bytes of the path. */
  #members(prefix: number): void {
    const line = this.#line
    if (line[this.#at] === CLOSE) {
      this.#at++
      return
    }
    if (++this.#depth > DEPTH_MAX) throw new Malformed('nested too deep')
    for (;;) {
      this.#expect(QUOTE)
      this.#key(prefix)
      this.#expect(COLON)
      if (line[this.#at] === OPEN) {
        this.#at++
        this.#path.byte(DOT)
        this.#members(this.#path.at)
      } else {
        this.#field(this.#path.at)
      }
      const next = line[this.#at++]
      if (next === CLOSE) break
      if (next !== COMMA) throw new Malformed('not what stands there in a record')
    }
    this.#depth--
  }

  /** A member's name, behind the first `prefix` bytes of the path. */
  #key(prefix: number): void {
    const line = this.#line
    const path = this.#path.bytes
    const start = this.#at
    let [at, to] = [start, prefix]
    for (; at < line.length; at++) {
      const byte = line[at] as number
      if (byte === QUOTE || byte === BACKSLASH) break
      path[to++] = byte
    }
    if (line[at] === QUOTE) {
      this.#at = at + 1
      this.#path.at = to
      return
    }
    this.#toQuote()
    this.#path.at = prefix
    copyUnescaped(line, start, this.#at - 1, this.#path)
  }

  /** Goes behind the closing quote. @returns true when there is no escape before it */
  #toQuote(): boolean {
    const line = this.#line
    const end = line.length
    let at = this.#at
    let isPlain = true
    for (; at < end; at++) {
      const byte = line[at]
      if (byte === QUOTE) {
        this.#at = at + 1
        return isPlain
      }
      if (byte !== BACKSLASH) continue
      isPlain = false
      at++
    }
    throw new Malformed('a text without an end')
  }

  /** A field whose name is the first `length` bytes of the path, and whose value is no object. */
  #field(length: number): void {
    const name = slotOf(this.#path.bytes, length)
    const start = this.#at
    const line = this.#line
    if (line[start] === QUOTE) {
      this.#at++
      if (this.#toQuote()) {
        if (name !== TIME) this.#plainText(length, start + 1, this.#at - 1)
      } else {
        this.#scratch.at = 0
        this.#text(start + 1, this.#at - 1, false, this.#scratch)
        this.#attribute(length)
      }
    } else {
      this.#scratch.at = 0
      if (line[start] === OPEN_ARRAY) this.#array()
      else this.#bare(name !== -1 && IS_SECONDS[name] === true, this.#scratch)
      this.#attribute(length)
    }
    if (name === -1) return
    this.#places[name * 2] = start
    this.#places[name * 2 + 1] = this.#at
  }

  /** An attribute whose value is text without escapes: at once where it belongs. */
  #plainText(length: number, start: number, end: number): void {
    const bytes = end - start
    const value = 1 + varintBytes(bytes) + bytes
    const out = this.#begin(length, value)
    out.byte(STRING)
    out.varint(bytes)
    out.copy(this.#line, start, end)
  }

  /** An attribute whose AnyValue stands in the scratch. */
  #attribute(length: number): void {
    const { bytes, at } = this.#scratch
    this.#begin(length, at).copy(bytes, 0, at)
  }

  /** Tag, length, key; tag and length of the value. */
  #begin(keyBytes: number, valueBytes: number): Output {
    const out = this.attributes
    out.reserve(keyBytes + valueBytes + AROUND)
    if (this.count === this.tags.length) {
      const tags = new Int32Array(this.count * 2)
      tags.set(this.tags)
      this.tags = tags
    }
    this.tags[this.count++] = out.at
    out.byte(ATTRIBUTE_TAG)
    out.varint(1 + varintBytes(keyBytes) + keyBytes + 1 + varintBytes(valueBytes) + valueBytes)
    out.byte(KEY)
    out.varint(keyBytes)
    const { bytes } = out
    const path = this.#path.bytes
    let at = out.at
    for (let index = 0; index < keyBytes; index++) bytes[at++] = path[index] as number // names are too short for a call
    out.at = at
    out.byte(VALUE)
    out.varint(valueBytes)
    return out
  }

  /** AnyValue of a text. */
  #text(start: number, end: number, isPlain: boolean, out: Output): void {
    out.reserve(end - start + AROUND)
    out.byte(STRING)
    if (isPlain) {
      out.varint(end - start)
      out.copy(this.#line, start, end)
      return
    }
    const room = varintBytes(end - start) // what it means is never longer, so neither is its length
    const from = out.at + room
    out.at = from
    copyUnescaped(this.#line, start, end, out)
    const bytes = out.at - from
    out.at = from - room
    out.varint(bytes)
    out.bytes.copyWithin(out.at, from, from + bytes)
    out.at += bytes
  }

  /** AnyValue of an array, into the scratch. */
  #array(): void {
    const line = this.#line
    const items = this.#items
    items.at = 0
    this.#at++
    while (line[this.#at] !== CLOSE_ARRAY) {
      this.#scratch.at = 0
      this.#item(this.#scratch)
      items.reserve(this.#scratch.at + AROUND)
      items.byte(ITEM)
      items.varint(this.#scratch.at)
      items.copy(this.#scratch.bytes, 0, this.#scratch.at)
      if (line[this.#at] === COMMA) this.#at++
      else if (line[this.#at] !== CLOSE_ARRAY) throw new Malformed('not what stands there in a record')
    }
    this.#at++
    this.#scratch.at = 0
    this.#scratch.reserve(items.at + AROUND)
    this.#scratch.byte(ARRAY)
    this.#scratch.varint(items.at)
    this.#scratch.copy(items.bytes, 0, items.at)
  }

  #item(out: Output): void {
    const start = this.#at
    if (this.#line[start] !== QUOTE) return this.#bare(false, out)
    this.#at++
    const isPlain = this.#toQuote()
    this.#text(start + 1, this.#at - 1, isPlain, out)
  }

  /** AnyValue of a number, true or false; of null one without a value. */
  #bare(isDouble: boolean, out: Output): void {
    const line = this.#line
    const start = this.#at
    let at = start
    let [whole, digits, behind, isPoint, isOdd] = [0, 0, 0, false, false]
    for (; at < line.length; at++) {
      const byte = line[at] as number
      if (byte >= 0x30 && byte <= 0x39) {
        whole = whole * 10 + byte - 0x30
        digits++
        if (isPoint) behind++
      } else if (byte === COMMA || byte === CLOSE || byte === CLOSE_ARRAY) break
      else if (byte === DOT && !isPoint) isPoint = true
      else if (byte !== MINUS || at !== start) isOdd = true
    }
    this.#at = at
    out.reserve(AROUND + at - start)
    if (isOdd || digits === 0) return this.#word(start, at, out)
    const sign = line[start] === MINUS ? -1 : 1
    if (isPoint || isDouble) {
      out.byte(DOUBLE)
      // Both are exact, so the quotient is the double that is nearest to the text (Clinger).
      return out.double(digits <= EXACT_DIGITS ? sign * whole / (POWERS[behind] as number) : Number(line.toString('latin1', start, at)))
    }
    if (digits <= EXACT_DIGITS) {
      out.byte(INT)
      return out.int64(sign * whole)
    }
    const value = BigInt(line.toString('latin1', start, at))
    if (value > INT64_MAX || value < -INT64_MAX) return this.#text(start, at, true, out) // no number of OTLP holds it
    out.byte(INT)
    out.int64(value)
  }

  #word(start: number, end: number, out: Output): void {
    const word = this.#line.toString('latin1', start, end)
    if (word === 'null') return
    if (word === 'true' || word === 'false') {
      out.byte(BOOL)
      return out.byte(word === 'true' ? 1 : 0)
    }
    if (!/^-?\d+(?:\.\d+)?[eE][+-]?\d+$/.test(word)) throw new Malformed('no value of JSON that records have')
    out.byte(DOUBLE)
    out.double(Number(word))
  }
}

/** Negative when it is none. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -256
}
