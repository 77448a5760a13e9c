import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { ODDITY_BARE_CR, ODDITY_BARE_LF, ODDITY_CHUNK_SIZE } from '../../../wasm/layout.ts'
import { HTTP1_ANOMALY } from './anomaly.ts'
import type { BodyReader } from '../body/mod.ts'
import type { Http1Anomaly } from './anomaly.ts'

/** Bytes of one chunk-size line with its extensions. */
export const CHUNK_LINE_BYTES_MAX = 16384

const STATE = {
  sizeFirst: 0, size: 1, space: 2, nameFirst: 3, name: 4, valueFirst: 5, value: 6, quoted: 7, escaped: 8, quotedEnd: 9,
  odd: 10, lineFeed: 11, data: 12, dataEnd: 13, dataLineFeed: 14, over: 15, broken: 16,
} as const
type State = (typeof STATE)[keyof typeof STATE]

const CR = 0x0d
const LF = 0x0a
const SEMICOLON = 0x3b
const QUOTE = 0x22

/**
 * Framing of a chunked body (RFC 9112 7.1), byte by byte: chunk-size lines with extensions, data counted and given to who reads it,
 * until the last chunk's line is past. Trailers are the caller's business.
 *
 * What the grammar forbids but a lenient recipient takes becomes an oddity; what leaves the next chunk's place unknown
 * breaks the framing.
 */
export class ChunkFraming {
  readonly #u8: Uint8Array
  readonly #reader: BodyReader | undefined
  #state: State = STATE.sizeFirst
  #size = 0
  #lineBytes = 0
  #oddities = 0
  #dataBytes = 0
  #anomaly: Http1Anomaly | undefined

  constructor(memory: ByteMemory, reader?: BodyReader) {
    this.#u8 = memory.u8
    this.#reader = reader
  }

  /** Bytes of data so far. */
  get dataBytes(): number {
    return this.#dataBytes
  }

  /** Data bytes of the chunk under way that are still to come. */
  get remaining(): number {
    return this.#state === STATE.data ? this.#size : 0
  }

  get oddities(): number {
    return this.#oddities
  }

  /** True once the line of the last chunk is past. */
  get isOver(): boolean {
    return this.#state === STATE.over
  }

  /** Why the framing cannot be followed any further. */
  get anomaly(): Http1Anomaly | undefined {
    return this.#anomaly
  }

  /** Counts `length` data bytes that were not given; at most `remaining`. */
  pass(length: number): void {
    this.#size -= length
    this.#dataBytes += length
    if (this.#size === 0) this.#state = STATE.dataEnd
  }

  /** Takes bytes from `at` on. Returns the first byte not taken: `end`, or where the body is over or broken. */
  take(at: number, end: number): number {
    while (at < end && this.#state < STATE.over) {
      if (this.#state === STATE.data) {
        const length = Math.min(this.#size, end - at)
        this.#reader?.take(at, length)
        this.pass(length)
        at += length
      } else {
        this.#step(this.#u8[at]!)
        at++
      }
    }
    return at
  }

  #step(byte: number): void {
    if (this.#state < STATE.data && ++this.#lineBytes > CHUNK_LINE_BYTES_MAX) return this.#break(HTTP1_ANOMALY.chunkSize)
    switch (this.#state) {
      case STATE.sizeFirst:
        if (hexDigit(byte) < 0) return this.#break(HTTP1_ANOMALY.chunkSize)
        this.#size = hexDigit(byte)
        this.#state = STATE.size
        return
      case STATE.size: return this.#inSize(byte)
      case STATE.lineFeed:
        if (byte === LF) return this.#lineOver()
        // A CR alone ends no line (RFC 9112 2.2): it belongs to an odd extension.
        this.#odd(ODDITY_BARE_CR)
        if (byte === CR) this.#state = STATE.lineFeed
        return
      case STATE.dataEnd: return this.#afterData(byte)
      case STATE.dataLineFeed:
        if (byte !== LF) return this.#break(HTTP1_ANOMALY.chunkEnd)
        return this.#nextChunk()
      default: return this.#inExtension(byte)
    }
  }

  #inSize(byte: number): void {
    const digit = hexDigit(byte)
    if (digit >= 0) {
      this.#size = this.#size * 16 + digit
      if (this.#size > Number.MAX_SAFE_INTEGER) this.#break(HTTP1_ANOMALY.chunkSize)
      return
    }
    if (byte === CR) this.#state = STATE.lineFeed
    else if (byte === LF) this.#bareLineFeed()
    else if (byte === SEMICOLON) this.#state = STATE.nameFirst
    else if (byte === 0x20 || byte === 0x09) {
      this.#oddities |= ODDITY_CHUNK_SIZE
      this.#state = STATE.space
    } else this.#break(HTTP1_ANOMALY.chunkSize) // "0x10", "5 5", signs: no two recipients agree
  }

  /** chunk-ext = *( ";" name [ "=" ( token / quoted-string ) ] ) */
  #inExtension(byte: number): void {
    if (byte === LF) return this.#bareLineFeed()
    if (byte === CR) {
      const whole = this.#state === STATE.name || this.#state === STATE.value || this.#state === STATE.quotedEnd
      if (!whole) this.#oddities |= ODDITY_CHUNK_SIZE
      this.#state = STATE.lineFeed
      return
    }
    switch (this.#state) {
      case STATE.space:
        if (byte === SEMICOLON) this.#state = STATE.nameFirst
        else if (byte !== 0x20 && byte !== 0x09) this.#odd(0)
        return
      case STATE.nameFirst:
        if (isToken(byte)) this.#state = STATE.name
        else this.#odd(0)
        return
      case STATE.name:
        if (byte === 0x3d) this.#state = STATE.valueFirst
        else if (byte === SEMICOLON) this.#state = STATE.nameFirst
        else if (!isToken(byte)) this.#odd(0)
        return
      case STATE.valueFirst:
        if (byte === QUOTE) this.#state = STATE.quoted
        else if (isToken(byte)) this.#state = STATE.value
        else this.#odd(0)
        return
      case STATE.value:
      case STATE.quotedEnd:
        if (byte === SEMICOLON) this.#state = STATE.nameFirst
        else if (this.#state === STATE.quotedEnd || !isToken(byte)) this.#odd(0)
        return
      case STATE.quoted:
        if (byte === QUOTE) this.#state = STATE.quotedEnd
        else if (byte === 0x5c) this.#state = STATE.escaped
        else if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f) this.#odd(0)
        return
      case STATE.escaped:
        this.#state = STATE.quoted
        return
      default: // odd: everything up to the line's end
    }
  }

  #odd(more: number): void {
    this.#oddities |= ODDITY_CHUNK_SIZE | more
    this.#state = STATE.odd
  }

  #bareLineFeed(): void {
    this.#oddities |= ODDITY_BARE_LF
    this.#lineOver()
  }

  #lineOver(): void {
    this.#lineBytes = 0
    this.#state = this.#size === 0 ? STATE.over : STATE.data
  }

  #afterData(byte: number): void {
    if (byte === CR) {
      this.#state = STATE.dataLineFeed
    } else if (byte === LF) {
      this.#oddities |= ODDITY_BARE_LF
      this.#nextChunk()
    } else if (hexDigit(byte) >= 0) {
      // The line end after the data is missing: some recipients go on with the next size.
      this.#oddities |= ODDITY_CHUNK_SIZE
      this.#nextChunk()
      this.#step(byte)
    } else {
      this.#break(HTTP1_ANOMALY.chunkEnd)
    }
  }

  #nextChunk(): void {
    this.#size = 0
    this.#state = STATE.sizeFirst
  }

  #break(anomaly: Http1Anomaly): void {
    this.#oddities |= ODDITY_CHUNK_SIZE
    this.#anomaly = anomaly
    this.#state = STATE.broken
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** RFC 9110 5.6.2. */
function isToken(byte: number): boolean {
  const letter = byte | 0x20
  if ((letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39)) return true
  return byte === 0x21 || (byte >= 0x23 && byte <= 0x27) || byte === 0x2a || byte === 0x2b || byte === 0x2d || byte === 0x2e
    || byte === 0x5e || byte === 0x5f || byte === 0x60 || byte === 0x7c || byte === 0x7e
}
