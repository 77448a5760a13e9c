import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import {
  HEAD_BYTES_MAX, HEAD_ERROR_CUT, HEAD_ERROR_START_LINE, SCAN_SIMPLE,
} from '../../../wasm/head-contract.ts'
import { HEAD_COUNT, HEAD_KIND_REQUEST, HEAD_KIND_RESPONSE, HEAD_KIND_TRAILER } from '../../../wasm/layout.ts'
import { advance } from '../../connection/mod.ts'
import type { End, Side } from '../../connection/mod.ts'
import { Carry } from '../carry.ts'
import { MESSAGE, MESSAGE_END } from '../message.ts'
import type { MessageEnd } from '../message.ts'
import { anomalyOf, HTTP1_ANOMALY } from './anomaly.ts'
import type { Http1Anomaly } from './anomaly.ts'
import { ChunkFraming } from './chunk-framing.ts'
import type { HeadScanner } from './head-scanner.ts'
import { Http1Message } from './http1-message.ts'
import { behindEmptyLines, hasLineFeed, isMessageStart, mayBeFirstLine } from './message-start.ts'
import type { BodyPlan, SideOwner } from './side-owner.ts'

/** A rest of a body shorter than this is awaited, a longer one skipped. */
const SKIP_BYTES_MIN = 2048

const CR = 0x0d
const LF = 0x0a

type State = 'start' | 'head' | 'length' | 'chunked' | 'trailer' | 'until close' | 'resync' | 'hold' | 'done'

/**
 * One direction of an HTTP/1 connection: bytes → heads, bodies, trailers. Knows nothing of pairs.
 *
 * Holds at most HEAD_BYTES_MAX bytes: a head in parts, or what follows an upgrade request.
 */
export class Http1Side {
  readonly side: Side
  /** Where the first byte of the message at hand stands in the stream, and what the packet of that byte acknowledges. */
  startPosition = 0
  startAcknowledgement = 0
  readonly #owner: SideOwner
  readonly #memory: ByteMemory
  readonly #scanner: HeadScanner
  #kind: number
  #state: State
  #carry: Carry
  /** Bytes of the carry that were scanned. */
  #seen = 0
  #lineSeen = false
  #allowSimple: boolean
  #startTime = -1
  #isResuming = false
  #message: Http1Message | undefined
  readonly #plan: BodyPlan = { body: 'none', length: 0, isUnsure: false, hold: 'no', isLast: false }
  /** A message that is over: the next one's object. */
  #spare: Http1Message | undefined
  #remaining = 0
  #chunks: ChunkFraming | undefined
  /** Bytes asked to be skipped that have not all gone by. */
  #skipping = 0
  #skipIsStale = false
  #isUnsure = false
  #afterLast = false
  /** The next byte may begin a message, although no segment begins with it. */
  #mayStartHere = false
  #endedInCall = false
  #hold: BodyPlan['hold'] = 'no'

  constructor(owner: SideOwner, memory: ByteMemory, scanner: HeadScanner, side: Side, kind: number) {
    this.#owner = owner
    this.#memory = memory
    this.#scanner = scanner
    this.side = side
    this.#kind = kind
    this.#state = owner.control.fromStart ? 'start' : 'resync'
    this.#allowSimple = owner.control.fromStart
    this.#carry = new Carry(memory, HEAD_BYTES_MAX)
  }

  get isRequester(): boolean {
    return this.#kind === HEAD_KIND_REQUEST
  }

  /** Swaps the roles before anything was read. */
  setRequester(isRequester: boolean): void {
    this.#kind = isRequester ? HEAD_KIND_REQUEST : HEAD_KIND_RESPONSE
  }

  /** A message ended in the packet under way, before the one that begins now. */
  get endedInCall(): boolean {
    return this.#endedInCall
  }

  /** A message with a head that speaks of a body which may not come (the request may have been HEAD), and has not yet. */
  get doubtful(): Http1Message | undefined {
    return this.#isUnsure ? this.#message : undefined
  }

  /** Between two messages, with nothing held, and the next one may begin with the next byte. */
  get isAtRest(): boolean {
    return this.#state === 'start' && this.#carry.length === 0 && this.#skipping === 0 && !this.#afterLast && !this.#allowSimple
  }

  /** One at rest, or a new one, becomes one at rest that asks, or answers. */
  rest(isRequester: boolean): void {
    this.setRequester(isRequester)
    this.#state = 'start'
    this.#allowSimple = false
  }

  /** One at rest, or one that has ended, becomes a new one. */
  renew(isRequester: boolean): void {
    this.setRequester(isRequester)
    this.#state = this.#owner.control.fromStart ? 'start' : 'resync'
    this.#allowSimple = this.#owner.control.fromStart
    this.#skipping = 0
    this.#skipIsStale = this.#isUnsure = this.#afterLast = this.#mayStartHere = this.#isResuming = false
    this.#hold = 'no'
  }

  /** What its bytes are held for. */
  get holding(): BodyPlan['hold'] {
    return this.#state === 'hold' ? this.#hold : 'no'
  }

  /** Returns where it stopped: `pointer + length`, or earlier when the connection became a tunnel. */
  data(pointer: number, length: number, time: number): number {
    this.#endedInCall = false
    const end = pointer + length
    let at = pointer
    while (at < end) {
      switch (this.#state) {
        case 'start':
          at = this.#start(at, end, time)
          break
        case 'head':
        case 'trailer':
          at = this.#carried(at, end, time)
          break
        case 'length':
        case 'chunked':
        case 'until close':
          at = this.#body(at, end, time)
          break
        case 'resync':
          at = this.#resync(at, end, at === pointer)
          break
        case 'hold':
          this.#holdBytes(at, end, time)
          return end
        case 'done': return at
      }
    }
    this.#askSkip()
    return end
  }

  gap(length: number, time: number): void {
    const message = this.#message
    if (this.#state === 'done') return
    if (this.isRequester) this.#isUnsure = false
    if (this.#skipping > 0 && !this.#skipIsStale) return this.#lose(time)
    if (message !== undefined && this.#state === 'until close' && !this.#isUnsure) {
      message.bodyBytes = length === 0 || message.bodyBytes < 0 ? -1 : message.bodyBytes + length
      message.reader?.lose()
      return
    }
    if (message !== undefined && length > 0 && !this.#isUnsure && length <= this.#bodyRemaining()) {
      message.reader?.lose()
      this.#pass(length, time)
      return this.#askSkip()
    }
    this.#lose(time)
  }

  skipped(time: number): void {
    const length = this.#skipping
    this.#skipping = 0
    // When framing was lost while they went by, they belong to no message any more.
    if (length > 0 && !this.#skipIsStale) this.#pass(length, time)
    this.#skipIsStale = false
  }

  end(cause: End, time: number): void {
    if (this.#state === 'hold') this.resume()
    if (this.#state === 'head') this.#owner.anomaly(this, HTTP1_ANOMALY.headCut, time)
    if (this.#message !== undefined) {
      const whole = this.#state === 'until close' && cause === 'fin'
      if (this.#skipping > 0) this.#message.bodyBytes = -1
      if (whole) this.#finish(MESSAGE_END.complete, this.#message.endTime < 0 ? time : this.#message.endTime)
      else {
        this.#message.cutBy = cause
        this.#finish(MESSAGE_END.cut, -1)
      }
    }
    this.stop()
  }

  /** Reads on with what was held: it belongs to this protocol after all. */
  resume(): void {
    if (this.#state !== 'hold') return
    this.#hold = 'no'
    this.#state = 'start'
    const held = this.#carry
    if (held.length === 0) return
    this.#carry = new Carry(this.#memory, HEAD_BYTES_MAX)
    this.#isResuming = true
    this.data(held.pointer, held.length, this.#startTime)
    this.#isResuming = false
    held.clear()
  }

  /** Gives what was held to `take` and stops. */
  handOver(take: (pointer: number, length: number, time: number) => void): void {
    if (this.#message !== undefined) this.#finish(MESSAGE_END.tunnel, -1)
    if (this.#state === 'hold' && this.#carry.length > 0) take(this.#carry.pointer, this.#carry.length, this.#startTime)
    this.stop()
  }

  /** Takes no more. */
  stop(): void {
    this.#state = 'done'
    this.#carry.clear()
  }

  #start(at: number, end: number, time: number): number {
    at = behindEmptyLines(this.#memory.u8, at, end)
    if (at === end) return end
    if (this.#afterLast) {
      this.#afterLast = false
      this.#owner.anomaly(this, HTTP1_ANOMALY.dataAfterClose, time)
      if (!mayBeFirstLine(this.#scanner, at, end - at, this.#kind)) {
        this.#drop(MESSAGE_END.lost, time)
        this.#owner.lost(this)
        return end
      }
    }
    this.#startTime = time
    this.#noteStart(end - at)
    const kind = this.#kind === HEAD_KIND_REQUEST && this.#allowSimple ? this.#kind | SCAN_SIMPLE : this.#kind
    const result = this.#scanner.scan(at, end - at, 0, kind)
    if (result > 0) {
      this.#begin(time)
      return at + result
    }
    if (result < 0) return this.#refuse(result, time, end)
    this.#state = 'head'
    this.#lineSeen = hasLineFeed(this.#memory.u8, at, end)
    if (!this.#lineSeen && !mayBeFirstLine(this.#scanner, at, end - at, kind)) {
      return this.#refuse(HEAD_ERROR_START_LINE, time, end)
    }
    this.#seen = end - at
    if (!this.#carry.append(at, end - at)) this.#outOfMemory(time)
    return end
  }

  /** The next message, or what is held, begins `length` bytes before the end of the present call. */
  #noteStart(length: number): void {
    const { control } = this.#owner
    this.startPosition = advance(control.position(this.side), -length)
    // Of what was held: the packet of its first byte, as noted then.
    if (!this.#isResuming) this.startAcknowledgement = control.acknowledgement(this.side)
  }

  /** A head or trailer in parts: appends what came and looks again. */
  #carried(at: number, end: number, time: number): number {
    const carry = this.#carry
    const before = carry.length
    const length = Math.min(end - at, carry.room)
    if (!carry.append(at, length)) {
      this.#outOfMemory(time)
      return end
    }
    let kind = HEAD_KIND_TRAILER
    if (this.#state === 'head') {
      kind = this.#kind === HEAD_KIND_REQUEST && this.#allowSimple ? this.#kind | SCAN_SIMPLE : this.#kind
      // The first line is judged once, as soon as it is there.
      if (!this.#lineSeen && hasLineFeed(this.#memory.u8, at, at + length)) {
        this.#lineSeen = true
        this.#seen = 0
      }
    }
    const result = this.#scanner.scan(carry.pointer, carry.length, this.#seen, kind)
    if (result < 0) return this.#refuse(result, time, end)
    if (result === 0) {
      this.#seen = carry.length
      return at + length
    }
    carry.clear()
    this.#seen = 0
    if (kind === HEAD_KIND_TRAILER) this.#trailer(time)
    else this.#begin(time)
    return at + result - before
  }

  #outOfMemory(time: number): void {
    this.#owner.anomaly(this, HTTP1_ANOMALY.memoryLimit, time)
    this.#lose(time)
  }

  /** The message of the head that was scanned. */
  #open(isCut: boolean): Http1Message {
    const message = this.#spare ?? new Http1Message(this.side)
    this.#spare = undefined
    this.#owner.head(this, this.#startTime, message, this.#plan, isCut)
    this.#message = message
    return message
  }

  #begin(time: number): void {
    this.#allowSimple = false
    const plan = this.#plan
    const message = this.#open(false)
    this.#isUnsure = plan.isUnsure
    message.endTime = time
    switch (plan.body) {
      case 'none': return this.#finish(MESSAGE_END.complete, time)
      case 'length':
        this.#remaining = plan.length
        this.#state = 'length'
        if (plan.length === 0) this.#finish(MESSAGE_END.complete, time)
        return
      case 'chunked':
        this.#chunks = new ChunkFraming(this.#memory, message.reader)
        this.#state = 'chunked'
        return
      case 'until close':
        this.#state = 'until close'
        return
      case 'malformed':
        this.#malformed(HTTP1_ANOMALY.length, time)
        // Some servers take the request for one without a body: one smuggled behind it must not stay unseen.
        this.#mayStartHere = this.isRequester
        return
      case 'tunnel': return this.#finish(MESSAGE_END.tunnel, time)
    }
  }

  #body(at: number, end: number, time: number): number {
    if (this.#isUnsure) {
      this.#isUnsure = false
      // Where the body should begin there is the next head: the request was HEAD, or the client was answered without its body.
      if (this.#owner.mayLackBody(this.#message!) && this.#scanner.exports.scanStart(at, end - at, this.#kind) === 1) {
        this.#finish(MESSAGE_END.complete, this.#message!.endTime)
        this.#endedInCall = false
        return at
      }
    }
    const message = this.#message!
    if (this.#state === 'until close') {
      if (message.bodyBytes >= 0) message.bodyBytes += end - at
      message.reader?.take(at, end - at)
      message.endTime = time
      return end
    }
    if (this.#state === 'length') {
      const length = Math.min(this.#remaining, end - at)
      message.reader?.take(at, length)
      this.#pass(length, time)
      return at + length
    }
    const chunks = this.#chunks!
    at = chunks.take(at, end)
    message.bodyBytes = chunks.dataBytes
    message.oddities |= chunks.oddities
    if (chunks.anomaly !== undefined) {
      this.#malformed(chunks.anomaly, time)
      return end
    }
    if (!chunks.isOver) return at
    this.#chunks = undefined
    this.#state = 'trailer'
    this.#seen = 0
    const u8 = this.#memory.u8
    if (end - at < 2 || u8[at] !== CR || u8[at + 1] !== LF) return at
    // The usual end: no trailer.
    this.#finish(MESSAGE_END.complete, time)
    return at + 2
  }

  #trailer(time: number): void {
    const block = this.#scanner.block
    const message = this.#message!
    message.oddities |= this.#scanner.oddities
    if (block !== 0 && this.#memory.u32[(block + HEAD_COUNT) >>> 2] === 0) this.#scanner.free(block)
    else message.trailer = block
    this.#finish(MESSAGE_END.complete, time)
  }

  /** Body bytes that are sure to come next. */
  #bodyRemaining(): number {
    if (this.#state === 'length') return this.#remaining
    return this.#state === 'chunked' ? this.#chunks!.remaining : 0
  }

  #pass(length: number, time: number): void {
    const message = this.#message!
    if (this.#state === 'chunked') {
      this.#chunks!.pass(length)
      message.bodyBytes = this.#chunks!.dataBytes
      return
    }
    message.bodyBytes += length
    this.#remaining -= length
    if (this.#remaining === 0) this.#finish(MESSAGE_END.complete, time)
  }

  /** Asks for a long rest to be left out. Only at the end of a call, from where the stream counts. */
  #askSkip(): void {
    const isWanted = this.#message?.reader?.skippable === 0
    const length = this.#skipping > 0 || this.#isUnsure || isWanted ? 0 : this.#bodyRemaining()
    if (length < SKIP_BYTES_MIN) return
    this.#skipping = length
    this.#owner.control.skip(this.side, length)
  }

  #finish(ended: MessageEnd, time: number): void {
    const message = this.#message!
    const plan = this.#plan
    message.endTime = time
    this.#message = undefined
    this.#chunks = undefined
    this.#remaining = 0
    this.#isUnsure = false
    this.#endedInCall = true
    this.#afterLast = plan.isLast && message.kind !== MESSAGE.interim
    this.#hold = ended === MESSAGE_END.complete ? plan.hold : 'no'
    this.#state = this.#hold === 'no' ? 'start' : 'hold'
    this.#owner.over(this, message, ended)
    this.#spare = message
  }

  #holdBytes(at: number, end: number, time: number): void {
    if (this.#carry.length === 0) {
      this.#startTime = time
      this.#noteStart(end - at)
    }
    if (!this.#carry.append(at, end - at)) {
      this.#owner.anomaly(this, HTTP1_ANOMALY.heldTooLong, time)
      return this.#lose(time)
    }
    if (this.#hold === 'connect' || !hasLineFeed(this.#memory.u8, at, end)) return
    // A plain request after one to upgrade: pipelined by a client that stays with HTTP/1.
    const result = this.#scanner.exports.scanStart(this.#carry.pointer, this.#carry.length, this.#kind)
    if (result === 1) this.resume()
  }

  #resync(at: number, end: number, isSegmentStart: boolean): number {
    const isChance = isSegmentStart || this.#mayStartHere
    this.#mayStartHere = false
    const from = isChance ? behindEmptyLines(this.#memory.u8, at, end) : at
    if (isChance && isMessageStart(this.#scanner, from, end - from, this.#kind)) {
      this.#state = 'start'
      return at
    }
    const position = advance(this.#owner.control.position(this.side), at - end)
    this.#owner.dropped(this, position, mayBeFirstLine(this.#scanner, at, end - at, this.#kind))
    return end
  }

  #refuse(result: number, time: number, end: number): number {
    if (this.#state === 'trailer') this.#malformed(HTTP1_ANOMALY.headTooLong, time)
    else {
      const anomaly = anomalyOf(result)
      this.#carry.clear()
      if (result === HEAD_ERROR_CUT) return this.#giveCut(time, end)
      if (this.#owner.refused(this, anomaly, time)) this.stop()
      else this.#malformed(anomaly, time)
    }
    return end
  }

  /** A response whose head is too long has its status all the same. */
  #giveCut(time: number, end: number): number {
    this.#open(true).bodyBytes = -1
    this.#owner.anomaly(this, HTTP1_ANOMALY.headTooLong, time)
    this.#drop(MESSAGE_END.overBound, time)
    this.#owner.lost(this)
    return end
  }

  #malformed(anomaly: Http1Anomaly, time: number): void {
    this.#owner.anomaly(this, anomaly, time)
    this.#drop(MESSAGE_END.malformed, time)
    this.#owner.lost(this)
  }

  #lose(time: number): void {
    if (this.#state !== 'resync') this.#owner.anomaly(this, HTTP1_ANOMALY.framingLost, time)
    this.#drop(MESSAGE_END.lost, time)
    this.#owner.lost(this)
  }

  #drop(ended: MessageEnd, time: number): void {
    if (this.#message !== undefined) this.#finish(ended, ended === MESSAGE_END.lost ? -1 : time)
    this.#carry.clear()
    this.#skipIsStale = this.#skipping > 0
    this.#afterLast = false
    this.#hold = 'no'
    this.#allowSimple = false
    this.#state = 'resync'
  }
}
