import { isUtf8 } from 'node:buffer'
import { WEBSOCKET_ANOMALY } from './anomaly.ts'
import type { WebSocketAnomaly } from './anomaly.ts'

const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
const FIN = 0x80
const RSV1 = 0x40
const RESERVED = 0x70
const MASK = 0x80
/** RFC 6455 5.5: payload of a control frame. */
const CONTROL_BYTES_MAX = 125
/** 2 bytes, 8 of the length, 4 of the mask. */
const HEADER_BYTES_MAX = 14
/** The high half of a length from which on a double is not exact. */
const HIGH_MAX = 2 ** 21

/** How far a direction can be read. */
export const FRAMES = {
  /** Every frame so far was read. */
  whole: 'whole',
  /** Bytes are missing: the counts hold for what came before. */
  lost: 'lost',
  /** A frame's end cannot be known: the counts hold for what came before. */
  malformed: 'malformed',
} as const
export type FramesState = (typeof FRAMES)[keyof typeof FRAMES]

export interface WebSocketFramesOptions {
  /** The memory that `take` is given addresses of. */
  readonly u8: Uint8Array
  /** RFC 6455 5.1: a client masks every frame, a server none. */
  readonly isClient: boolean
  /** permessage-deflate was agreed on (RFC 7692): the first reserved bit marks a compressed message. */
  readonly mayCompress: boolean
  readonly anomaly: (name: WebSocketAnomaly) => void
}

/**
 * One direction of a WebSocket (RFC 6455 5): bytes → frames, counted. Knows nothing of the connection that carries it, so it serves
 * HTTP/1.1 and the DATA of HTTP/2 (RFC 8441) alike. Payloads are counted, never kept, but for the 125 bytes of a close frame.
 */
export class WebSocketFrames {
  readonly #options: WebSocketFramesOptions
  readonly #header = new Uint8Array(HEADER_BYTES_MAX)
  #have = 0
  #need = 2
  /** Payload bytes of the frame under way still to come. */
  #remaining = 0
  #opcode: number = OPCODE.continuation
  #isFinal = false
  #isInMessage = false
  #isCompressed = false
  #state: FramesState = FRAMES.whole
  #close: Uint8Array | undefined
  #closeLength = 0
  /** Whole messages; a fragmented one is one. */
  messages = 0
  /** Those of them that were compressed. */
  compressedMessages = 0
  /** Data frames: a message has one or more. */
  frames = 0
  /** Payload bytes of data frames, as sent (compressed ones are not inflated). */
  bytes = 0
  pings = 0
  pongs = 0
  /** A close frame has gone by. */
  isClosed = false
  /** Its code; undefined when it had none. */
  closeCode: number | undefined
  /** Its reason, not checked for UTF-8. */
  closeReason: Uint8Array | undefined
  /** The close frame was longer than one may be: its reason is cut. */
  isReasonCut = false

  constructor(options: WebSocketFramesOptions) {
    this.#options = options
  }

  get state(): FramesState {
    return this.#state
  }

  /** Payload bytes of the frame under way that are sure to come next and need not be seen. */
  get unneeded(): number {
    return this.#opcode === OPCODE.close || this.#state !== FRAMES.whole ? 0 : this.#remaining
  }

  /** Takes bytes from `at` up to `end`. */
  take(at: number, end: number): void {
    const { u8 } = this.#options
    while (at < end && this.#state === FRAMES.whole) {
      if (this.isClosed) return this.#report(WEBSOCKET_ANOMALY.afterClose)
      if (this.#remaining > 0) {
        const length = Math.min(this.#remaining, end - at)
        if (this.#opcode === OPCODE.close) this.#keepClose(at, length)
        this.pass(length)
        at += length
        continue
      }
      this.#header[this.#have++] = u8[at++]!
      if (this.#have === this.#need) this.#readHeader()
    }
  }

  /** Payload bytes went by unseen; at most `unneeded`. */
  pass(length: number): void {
    if (this.#opcode < OPCODE.close) this.bytes += length
    this.#remaining -= length
    if (this.#remaining === 0) this.#frameOver()
  }

  /** `length` bytes are missing, 0 = an unknown number. */
  lose(length: number): void {
    if (this.#state !== FRAMES.whole || this.isClosed) return
    if (length > 0 && length <= this.unneeded) return this.pass(length)
    this.#state = FRAMES.lost
    this.#report(WEBSOCKET_ANOMALY.framingLost)
  }

  #report(name: WebSocketAnomaly): void {
    this.#options.anomaly(name)
  }

  #malformed(name: WebSocketAnomaly): void {
    this.#state = FRAMES.malformed
    this.#report(name)
  }

  /** As much of the header is there as was asked for: more of it, or the payload, comes next. */
  #readHeader(): void {
    const header = this.#header
    const short = header[1]! & 0x7f
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
    if (this.#have === 2) {
      this.#need = 2 + lengthBytes + ((header[1]! & MASK) !== 0 ? 4 : 0)
      if (this.#need > 2) return
    }
    this.#have = 0
    this.#need = 2
    this.#begin(this.#lengthOf(short))
  }

  /** RFC 6455 5.2; -1 = longer than can be counted. */
  #lengthOf(short: number): number {
    const header = this.#header
    if (short < 126) return short
    const view = new DataView(header.buffer, header.byteOffset)
    if (short === 126) {
      const length = view.getUint16(2)
      if (length < 126) this.#report(WEBSOCKET_ANOMALY.lengthNotMinimal)
      return length
    }
    const high = view.getUint32(2)
    if (high >= HIGH_MAX) return -1
    const length = high * 2 ** 32 + view.getUint32(6)
    if (length < 65_536) this.#report(WEBSOCKET_ANOMALY.lengthNotMinimal)
    return length
  }

  #begin(length: number): void {
    const first = this.#header[0]!
    this.#opcode = first & 0x0f
    this.#isFinal = (first & FIN) !== 0
    const isMasked = (this.#header[1]! & MASK) !== 0
    if (this.#opcode > OPCODE.pong || (this.#opcode > OPCODE.binary && this.#opcode < OPCODE.close)) {
      return this.#malformed(WEBSOCKET_ANOMALY.opcode)
    }
    if (length < 0) return this.#malformed(WEBSOCKET_ANOMALY.length)
    if (isMasked !== this.#options.isClient) this.#report(isMasked ? WEBSOCKET_ANOMALY.masked : WEBSOCKET_ANOMALY.unmasked)
    this.#checkReserved(first)
    if (this.#opcode >= OPCODE.close) {
      if (!this.#isFinal || length > CONTROL_BYTES_MAX) this.#report(WEBSOCKET_ANOMALY.control)
    } else {
      this.#beginData((first & RSV1) !== 0)
    }
    this.#remaining = length
    if (length === 0) this.#frameOver()
  }

  #checkReserved(first: number): void {
    const isFirstOfMessage = this.#opcode === OPCODE.text || this.#opcode === OPCODE.binary
    const allowed = this.#options.mayCompress && isFirstOfMessage ? RSV1 : 0
    if ((first & RESERVED & ~allowed) !== 0) this.#report(WEBSOCKET_ANOMALY.reservedBits)
  }

  #beginData(isMarked: boolean): void {
    this.frames++
    if (this.#opcode === OPCODE.continuation) {
      if (!this.#isInMessage) this.#report(WEBSOCKET_ANOMALY.continuation)
    } else {
      if (this.#isInMessage) this.#report(WEBSOCKET_ANOMALY.interleaved)
      this.#isCompressed = isMarked && this.#options.mayCompress
    }
    this.#isInMessage = true
  }

  #frameOver(): void {
    switch (this.#opcode) {
      case OPCODE.ping:
        this.pings++
        return
      case OPCODE.pong:
        this.pongs++
        return
      case OPCODE.close: return this.#closed()
      default:
        if (!this.#isFinal) return
        this.#isInMessage = false
        this.messages++
        if (this.#isCompressed) this.compressedMessages++
        this.#isCompressed = false
    }
  }

  #keepClose(at: number, length: number): void {
    const close = this.#close ??= new Uint8Array(CONTROL_BYTES_MAX)
    const mask = (this.#header[1]! & MASK) === 0 ? -1 : (this.#header[1]! & 0x7f) === 126 ? 4 : (this.#header[1]! & 0x7f) === 127 ? 10 : 2
    if (this.#closeLength + length > CONTROL_BYTES_MAX) this.isReasonCut = true
    for (let index = 0; index < length && this.#closeLength < CONTROL_BYTES_MAX; index++) {
      const key = mask < 0 ? 0 : this.#header[mask + (this.#closeLength & 3)]!
      close[this.#closeLength++] = this.#options.u8[at + index]! ^ key
    }
  }

  #closed(): void {
    this.isClosed = true
    const close = this.#close
    if (close === undefined) return
    if (this.#closeLength < 2) return this.#report(WEBSOCKET_ANOMALY.closeCode)
    this.closeCode = close[0]! * 256 + close[1]!
    this.closeReason = close.subarray(2, this.#closeLength)
    if (!maySend(this.closeCode)) this.#report(WEBSOCKET_ANOMALY.closeCode)
    if (!isUtf8(this.closeReason)) this.#report(WEBSOCKET_ANOMALY.closeReason)
  }
}

/** RFC 6455 7.4: codes that may stand in a close frame, with those that IANA has added (1012 to 1014). */
function maySend(code: number): boolean {
  if (code >= 3000) return code < 5000
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006
}
