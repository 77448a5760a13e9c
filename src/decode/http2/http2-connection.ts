import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { HPACK_INFO_INDEX, HPACK_INFO_UPDATE, HPACK_OK } from '../../../wasm/hpack-contract.ts'
import { PSEUDO_STATUS } from '../../../wasm/layout.ts'
import type { End, Gap, Side, StreamControl, StreamHandler } from '../../connection/mod.ts'
import type { HeadScanner } from '../http1/mod.ts'
import type { BodyFields, BodyReader } from '../body/mod.ts'
import { MESSAGE, MESSAGE_END } from '../message.ts'
import type { CutBy, MessageEnd, MessageKind, MessageSink, Unanswered } from '../message.ts'
import { HTTP2_ANOMALY } from './anomaly.ts'
import type { Http2Anomaly } from './anomaly.ts'
import { SETTING_HEADER_TABLE_SIZE, SETTING_MAX_FRAME_SIZE } from './frame.ts'
import { GrpcBody } from './grpc-body.ts'
import type { HpackDecoder } from './hpack-decoder.ts'
import { HpackTable } from './hpack-decoder.ts'
import { Http2Message } from './http2-message.ts'
import type { Http2Options } from './http2-options.ts'
import { Http2Side } from './http2-side.ts'
import type { Http2SideOwner } from './http2-side.ts'
import type { Http2Stream } from './http2-stream.ts'
import { STREAMS_MAX, StreamTable } from './stream-table.ts'

/** Resets before any response that a connection may have without a word: clients cancel now and then. */
const RESETS_MAX = 100
/** Responses to later requests after which one that may have been lost is not awaited any more. */
const LATER_RESPONSES_MAX = 256
/** Requests whose identifier was taken already, and those behind an upgrade, have numbers from here on. */
const OTHER_NUMBERS = 2 ** 32

/**
 * One HTTP/2 connection: its two sides, their tables, and the streams that pair requests with responses.
 *
 * A stream's identifier is its exchange's number, so a pair never has to be guessed; after a loss only what was lost is missing.
 */
export class Http2Connection implements StreamHandler, Http2SideOwner {
  readonly control: StreamControl
  readonly #memory: ByteMemory
  readonly #decoder: HpackDecoder
  readonly #scanner: HeadScanner
  readonly #sink: MessageSink
  readonly #bodies: BodyFields | undefined
  readonly #sides: readonly [Http2Side, Http2Side]
  readonly #tables: [HpackTable, HpackTable]
  readonly #streams: StreamTable
  readonly #ended: [boolean, boolean] = [false, false]
  /** Every byte of the side since the connection's first was seen. */
  readonly #isWhole: [boolean, boolean]
  #client: Side | undefined
  #now = -1
  #resets = 0
  /** Largest stream that a response opened. */
  #unasked = 0
  #repeated = 0
  readonly #upgraded: number
  #needsBodies = false
  leavesOut = false
  /** Responses that ended since bytes of the server were lost while requests waited; -1 = none waits. */
  #laterResponses = -1

  constructor(options: Http2Options) {
    const { memory, decoder, control, upgraded } = options
    this.control = control
    this.#memory = memory
    this.#decoder = decoder
    this.#scanner = options.scanner
    this.#sink = options.sink
    this.#bodies = options.bodies
    this.#client = control.client
    const isNew = upgraded !== undefined || control.fromStart
    this.#isWhole = [isNew, isNew]
    this.#tables = [new HpackTable(decoder, isNew), new HpackTable(decoder, isNew)]
    const first = (side: Side): 'first' | 'preface' | 'header' =>
      control.client === undefined ? 'first' : side === control.client ? 'preface' : 'header'
    const make = (side: Side): Http2Side => new Http2Side(this, memory, options.search, side, isNew ? first(side) : 'resync')
    this.#sides = [make(0), make(1)]
    this.#upgraded = upgraded ?? 0
    // Numbers that were taken before must not come again.
    const offset = upgraded === undefined && (options.sink.exchangesBefore ?? 0) === 0 ? 0 : OTHER_NUMBERS
    this.#streams = new StreamTable((id) => id + offset)
    if (upgraded !== undefined) this.#takeOver(upgraded)
  }

  data(side: Side, pointer: number, length: number, time: number): void {
    this.#now = time
    this.#sides[side].data(pointer, length, time)
  }

  gap(side: Side, length: number, cause: Gap, time: number): void {
    this.#now = time
    this.#sides[side].gap(length, cause, time)
  }

  skipped(side: Side, time: number): void {
    this.#now = time
    this.#sides[side].skipped(time)
  }

  end(side: Side, cause: End, time: number): void {
    if (this.#ended[side]) return
    this.#now = time
    this.#ended[side] = true
    this.#sides[side].end(cause, time)
    const isLast = this.#ended[0] && this.#ended[1]
    for (const stream of this.#streams.all()) {
      if (isLast || side === this.#client) this.#finishRequest(stream, MESSAGE_END.cut, -1, cause)
      if (isLast || side !== this.#client) this.#finishResponse(stream, MESSAGE_END.cut, -1, cause)
    }
    this.#tables[side].close()
    // What was upgraded is closed by the one that upgraded it.
    if (isLast && this.#upgraded === 0) this.#sink.close(this.control, cause, time)
  }

  setting(side: Side, identifier: number, value: number): void {
    const other = side === 0 ? 1 : 0
    if (identifier === SETTING_HEADER_TABLE_SIZE) this.#tables[other].announce(value)
    if (identifier === SETTING_MAX_FRAME_SIZE) this.#sides[other].allow(value)
  }

  block(side: Side, stream: number, promised: number, pointer: number, length: number, endsStream: boolean, time: number): void {
    const decoder = this.#decoder
    const result = this.#tables[side].decode(pointer, length)
    if (result === undefined) {
      this.anomaly(side, HTTP2_ANOMALY.memoryLimit, this.#now)
      return this.#noBlock(side, stream, this.#now)
    }
    if ((decoder.flags & HPACK_INFO_INDEX) !== 0) this.anomaly(side, HTTP2_ANOMALY.tableIndex, this.#now)
    if ((decoder.flags & HPACK_INFO_UPDATE) !== 0) this.anomaly(side, HTTP2_ANOMALY.tableSize, this.#now)
    if (result !== HPACK_OK) this.anomaly(side, HTTP2_ANOMALY.compression, this.#now)
    else if (decoder.unknown > 0) this.anomaly(side, HTTP2_ANOMALY.fieldUnknown, this.#now)
    this.#findRoles(side, promised)
    if (this.#client === undefined) {
      this.anomaly(side, HTTP2_ANOMALY.blockUnclear, this.#now)
      return decoder.free(decoder.block)
    }
    const isMalformed = result !== HPACK_OK
    if (promised !== 0) this.#promise(side, promised, time)
    else if (side === this.#client) this.#requestBlock(stream, endsStream, isMalformed, time)
    else this.#responseBlock(side, stream, endsStream, isMalformed, time)
  }

  blockLost(side: Side, stream: number, time: number): void {
    this.#tables[side].lose()
    this.#noBlock(side, stream, time)
  }

  body(side: Side, id: number, pointer: number, length: number, time: number): void {
    const stream = this.#streams.find(id)
    if (stream === undefined) return
    if (stream.held !== undefined && side !== this.#client) this.#giveHeld(stream)
    const message = side === this.#client ? stream.request : stream.response
    if (message === undefined) return
    if (message.bodyBytes >= 0) message.bodyBytes += length
    message.endTime = time
    message.reader?.take(pointer, length)
  }

  bodyUnknown(side: Side, id: number): void {
    const stream = this.#streams.find(id)
    const message = side === this.#client ? stream?.request : stream?.response
    if (message === undefined) return
    message.bodyBytes = -1
    message.reader?.lose()
  }

  skippable(side: Side, id: number, length: number): number {
    const stream = this.#streams.find(id)
    const message = side === this.#client ? stream?.request : stream?.response
    return Math.min(length, message?.reader?.skippable ?? length)
  }

  endStream(side: Side, id: number, time: number): void {
    const stream = this.#streams.find(id)
    if (stream === undefined) return
    if (side === this.#client) this.#finishRequest(stream, MESSAGE_END.complete, time)
    else this.#finishResponse(stream, MESSAGE_END.complete, time)
  }

  reset(side: Side, id: number, code: number, time: number): void {
    const stream = this.#streams.find(id)
    if (stream === undefined) return
    const isUnanswered = stream.response === undefined && stream.held === undefined
    if (side === this.#client && !stream.responseOver) this.#streams.noteReset(id)
    if (side === this.#client && isUnanswered && ++this.#resets > RESETS_MAX) this.anomaly(side, HTTP2_ANOMALY.rapidReset, time)
    this.#finishRequest(stream, MESSAGE_END.reset, time, code)
    this.#finishResponse(stream, MESSAGE_END.reset, time, code)
    if (isUnanswered) this.#giveUp(stream, code)
  }

  goaway(side: Side, lastStream: number, code: number, time: number): void {
    if (code !== 0) this.anomaly(side, HTTP2_ANOMALY.goaway, time)
    if (side === this.#client || this.#client === undefined) return
    // RFC 9113 6.8: the server did not look at requests above it.
    for (const stream of this.#streams.all()) {
      if (stream.id <= lastStream || stream.id % 2 === 0 || stream.response !== undefined || stream.held !== undefined) continue
      this.#finishRequest(stream, MESSAGE_END.cut, -1, 'goaway')
      this.#giveUp(stream, 'goaway')
    }
  }

  lost(side: Side, time: number): void {
    this.#tables[side].lose()
    this.#isWhole[side] = false
    const isClient = side === this.#client
    for (const stream of this.#streams.all()) {
      if (isClient) this.#finishRequest(stream, MESSAGE_END.lost, -1)
      else if (stream.response !== undefined || stream.held !== undefined) this.#finishResponse(stream, MESSAGE_END.lost, -1)
      else if (!stream.responseOver) {
        stream.mayBeAnswered = true
        this.#laterResponses = 0
      }
    }
    this.#now = time
  }

  begun(side: Side, time: number): void {
    this.#tables[side].close()
    this.#tables[side] = new HpackTable(this.#decoder, true)
    this.#now = time
    this.#setClient(side)
  }

  /** RFC 9113 3.4: the client begins with the preface, the server with SETTINGS. */
  opens(side: Side, asClient: boolean): 'preface' | 'header' {
    if (this.#client === undefined) this.#setClient(asClient ? side : side === 0 ? 1 : 0)
    return side === this.#client ? 'preface' : 'header'
  }

  anomaly(side: Side, name: Http2Anomaly, time: number): void {
    this.#sink.anomaly(this.control, side, name, time)
  }

  /** RFC 9113 3.2: the request that asked for the upgrade is stream 1, half closed. */
  #takeOver(exchange: number): void {
    for (const table of this.#tables) table.announce(2 ** 32 - 1)
    this.#streams.note(1)
    const stream = this.#streams.add(1, exchange)
    stream.requestOver = true
  }

  /** Which side asks: whoever sends a request, or is promised one. */
  #findRoles(side: Side, promised: number): void {
    const { pseudo } = this.#decoder
    const other: Side = side === 0 ? 1 : 0
    const isRequest = (pseudo & ~PSEUDO_STATUS) !== 0 && (pseudo & PSEUDO_STATUS) === 0
    if (this.#client !== undefined && this.control.fromStart) return
    if (promised !== 0) this.#setClient(other)
    else if (isRequest) this.#setClient(side)
    else if ((pseudo & PSEUDO_STATUS) !== 0) this.#setClient(other)
  }

  #setClient(side: Side): void {
    if (this.#client === side) return
    this.#client = side
    if (this.control.client !== side) this.control.setClient(side)
  }

  /** The block that the decoder holds as a message. */
  #message(kind: MessageKind, side: Side, stream: Http2Stream, time: number): Http2Message {
    const decoder = this.#decoder
    const message = new Http2Message(kind, side, stream.exchange, stream.id, decoder.block, time, decoder.oddities)
    const isGrpc = decoder.block !== 0 && kind !== MESSAGE.interim && decoder.isGrpc(decoder.block)
    if (isGrpc) message.grpc = new GrpcBody(this.#memory, this.#scanner)
    else message.fields = this.#fieldsOf(kind, stream)
    const needsBodies = isGrpc || (kind === MESSAGE.request && this.#bodies?.mayWant(decoder.block) === true)
    if (needsBodies || kind === MESSAGE.request) this.#leaveOut(!needsBodies)
    return message
  }

  /** Reader of the body whose head the decoder holds; undefined = it is not read. */
  #fieldsOf(kind: MessageKind, { request }: Http2Stream): BodyReader | undefined {
    if (kind === MESSAGE.request) return this.#bodies?.request(this.#decoder.block)
    return kind === MESSAGE.response && request?.fields !== undefined ? this.#bodies?.response(this.#decoder.block) : undefined
  }

  /** Bodies may be left out from the first request on that needs none (those of gRPC are counted), until one does. */
  #leaveOut(isAllowed: boolean): void {
    if (this.#needsBodies || (isAllowed && this.leavesOut)) return
    this.#needsBodies = !isAllowed
    this.leavesOut = this.control.leaveOut?.(isAllowed) ?? false
  }

  contradicted(side: Side): void {
    this.#leaveOut(false)
    this.anomaly(side, HTTP2_ANOMALY.leftOut, this.#now)
  }

  #misplaced(side: Side, name: Http2Anomaly): void {
    this.anomaly(side, name, this.#now)
    this.#decoder.free(this.#decoder.block)
  }

  #requestBlock(id: number, endsStream: boolean, isMalformed: boolean, time: number): void {
    const side = this.#client!
    const { pseudo, unknown } = this.#decoder
    const isRequest = (pseudo & ~PSEUDO_STATUS) !== 0
    const existing = this.#streams.find(id)
    if (existing?.request !== undefined && !existing.requestOver) {
      if (isRequest) this.#misplaced(side, HTTP2_ANOMALY.blockMisplaced)
      else this.#trailer(existing.request)
      if (isMalformed) this.#finishRequest(existing, MESSAGE_END.malformed, this.#now)
      else if (endsStream) this.#finishRequest(existing, MESSAGE_END.complete, this.#now)
      return
    }
    if (id % 2 === 0 || id <= this.#streams.newest) {
      const isLate = id % 2 === 1 && !isRequest && !this.#isWhole[side]
      return this.#misplaced(side, isLate ? HTTP2_ANOMALY.blockUnclear : HTTP2_ANOMALY.streamIdentifier)
    }
    // Trailers of a request that began before the capture look the same when nothing of them is known.
    const isCertain = isRequest || !endsStream || (this.#streams.newest > 0 && this.#isWhole[side])
    if (!isRequest && unknown === 0 && !isMalformed) return this.#misplaced(side, HTTP2_ANOMALY.blockMisplaced)
    if (!isCertain) return this.#misplaced(side, HTTP2_ANOMALY.blockUnclear)
    this.#openRequest(id, existing, endsStream, isMalformed, time)
  }

  #openRequest(id: number, existing: Http2Stream | undefined, endsStream: boolean, isMalformed: boolean, time: number): void {
    this.#makeRoom()
    this.#streams.note(id)
    // A response came first under this number: the request can have it no more.
    if (existing !== undefined) this.#finishResponse(existing, MESSAGE_END.lost, -1)
    const stream = existing === undefined ? this.#streams.add(id) : this.#streams.add(id, OTHER_NUMBERS * 2 + ++this.#repeated)
    const message = this.#message(MESSAGE.request, this.#client!, stream, time)
    stream.request = message
    this.#sink.head(this.control, message)
    if (isMalformed) this.#finishRequest(stream, MESSAGE_END.malformed, this.#now)
    else if (endsStream) this.#finishRequest(stream, MESSAGE_END.complete, this.#now)
    if (existing !== undefined) this.#giveUp(stream, undefined)
  }

  #promise(side: Side, id: number, time: number): void {
    if (side === this.#client || this.#streams.find(id) !== undefined) {
      return this.#misplaced(side, HTTP2_ANOMALY.streamIdentifier)
    }
    this.#makeRoom()
    const stream = this.#streams.add(id)
    const message = this.#message(MESSAGE.request, side, stream, time)
    stream.request = message
    this.#sink.head(this.control, message)
    this.#finishRequest(stream, MESSAGE_END.complete, this.#now)
  }

  #responseBlock(side: Side, id: number, endsStream: boolean, isMalformed: boolean, time: number): void {
    const { pseudo, status, unknown } = this.#decoder
    const hasStatus = (pseudo & PSEUDO_STATUS) !== 0
    const found = this.#streams.find(id)
    if (found?.held !== undefined && !hasStatus && unknown > 0) {
      // Behind a head that may be of 1xx: trailers, or the final head. Without its end it is a head.
      this.#dropHeld(found)
      if (endsStream) {
        this.#misplaced(side, HTTP2_ANOMALY.blockUnclear)
        return this.#giveUp(found, undefined)
      }
    }
    if (found?.response !== undefined || (found?.held !== undefined && !hasStatus)) {
      if (found.held !== undefined) this.#giveHeld(found)
      if (hasStatus) this.#misplaced(side, HTTP2_ANOMALY.blockMisplaced)
      else this.#trailer(found.response!)
      if (isMalformed) this.#finishResponse(found, MESSAGE_END.malformed, this.#now)
      else if (endsStream) this.#finishResponse(found, MESSAGE_END.complete, this.#now)
      return
    }
    if (found?.held !== undefined) this.#dropHeld(found)
    const crossesReset = found === undefined && this.#streams.mayCrossReset(id)
    // Trailers of a response that was told as reset.
    if (crossesReset && !hasStatus) return this.#decoder.free(this.#decoder.block)
    // Opened and over: nothing more may come on it.
    const isFinished = id % 2 === 1 && id <= this.#streams.newest && this.#isWhole[this.#client!]
    if (found === undefined && isFinished && !crossesReset) {
      return this.#misplaced(side, this.#isWhole[side] ? HTTP2_ANOMALY.streamIdentifier : HTTP2_ANOMALY.blockUnclear)
    }
    if (!hasStatus && unknown === 0 && !isMalformed) {
      this.#misplaced(side, this.#isWhole[side] ? HTTP2_ANOMALY.blockMisplaced : HTTP2_ANOMALY.blockUnclear)
      if (endsStream && found !== undefined) this.#giveUp(found, undefined)
      return
    }
    // Trailers of a response whose head was not seen look the same when nothing of them is known.
    const isCertain = hasStatus || !endsStream || (found !== undefined && !found.mayBeAnswered)
    if (!isCertain) {
      this.#misplaced(side, HTTP2_ANOMALY.blockUnclear)
      if (found !== undefined) this.#giveUp(found, undefined)
      return
    }
    const stream = found ?? this.#openUnasked(id)
    const isInterim = hasStatus && status >= 100 && status < 200 && !endsStream
    const message = this.#message(isInterim ? MESSAGE.interim : MESSAGE.response, side, stream, time)
    message.crossesReset = crossesReset
    if (isInterim) return this.#interim(message)
    // Of a 1xx response the final one is still to come: which this is tells what follows.
    if (status === 0 && !endsStream && !isMalformed) {
      stream.held = message
      return
    }
    this.#give(stream, message)
    if (isMalformed) this.#finishResponse(stream, MESSAGE_END.malformed, this.#now)
    else if (endsStream) this.#finishResponse(stream, MESSAGE_END.complete, this.#now)
  }

  /** A response whose request was not seen; where bytes are lost, its stream may have been over once, and its number used. */
  #openUnasked(id: number): Http2Stream {
    this.#makeRoom()
    const isFresh = id > this.#streams.newest && id > this.#unasked
    const stream = isFresh ? this.#streams.add(id) : this.#streams.add(id, OTHER_NUMBERS * 2 + ++this.#repeated)
    this.#unasked = Math.max(this.#unasked, id)
    stream.requestOver = true
    return stream
  }

  #interim(message: Http2Message): void {
    this.#sink.head(this.control, message)
    message.endTime = this.#now
    message.ended = MESSAGE_END.complete
    this.#sink.end(this.control, message)
  }

  #give(stream: Http2Stream, message: Http2Message): void {
    stream.response = message
    stream.mayBeAnswered = false
    this.#sink.head(this.control, message)
  }

  #giveHeld(stream: Http2Stream): void {
    const message = stream.held!
    stream.held = undefined
    this.#give(stream, message)
  }

  #dropHeld(stream: Http2Stream): void {
    this.#decoder.free(stream.held!.head)
    stream.held!.fields?.end()
    stream.held = undefined
  }

  #trailer(message: Http2Message): void {
    const decoder = this.#decoder
    message.oddities |= decoder.oddities
    if (message.trailer !== 0 || message.ended !== undefined) return decoder.free(decoder.block)
    message.trailer = decoder.block
  }

  /** `why`: what cut it, or the error code of the reset. */
  #finishRequest(stream: Http2Stream, ended: MessageEnd, time: number, why?: CutBy | number): void {
    if (stream.requestOver) return
    stream.requestOver = true
    if (stream.request !== undefined) this.#finish(stream.request, ended, time, why)
    if (stream.isOver) this.#streams.remove(stream)
  }

  #finishResponse(stream: Http2Stream, ended: MessageEnd, time: number, why?: CutBy | number): void {
    if (stream.held !== undefined) this.#giveHeld(stream)
    if (stream.responseOver || stream.response === undefined) return
    stream.responseOver = true
    this.#finish(stream.response, ended, time, why)
    if (stream.isOver) this.#streams.remove(stream)
    if (this.#laterResponses >= 0 && ++this.#laterResponses > LATER_RESPONSES_MAX) this.#stopWaiting()
  }

  #finish(message: Http2Message, ended: MessageEnd, time: number, why: CutBy | number | undefined): void {
    message.finish(ended, time, why, this.#decoder)
    this.#sink.end(this.control, message)
  }

  /** No response will come on the stream. */
  #giveUp(stream: Http2Stream, why: Unanswered | undefined): void {
    if (stream.responseOver) return
    stream.responseOver = true
    if (stream.isOver) this.#streams.remove(stream)
    // A request that came by HTTP/1 has the number that it had there.
    const isUpgraded = stream.exchange === this.#upgraded
    if (stream.request !== undefined || isUpgraded) this.#sink.unanswered?.(this.control, stream.exchange, this.#now, why)
  }

  #makeRoom(): void {
    if (this.#streams.size < STREAMS_MAX) return
    const oldest = this.#streams.oldest!
    this.anomaly(this.#client!, HTTP2_ANOMALY.streams, this.#now)
    this.#finishRequest(oldest, MESSAGE_END.cut, -1, 'streams')
    this.#finishResponse(oldest, MESSAGE_END.cut, -1, 'streams')
    this.#giveUp(oldest, 'streams')
    this.#streams.remove(oldest)
  }

  /** Requests that were waiting when bytes of the server were lost have had their time. */
  #stopWaiting(): void {
    this.#laterResponses = -1
    for (const stream of this.#streams.all()) {
      if (!stream.mayBeAnswered || stream.response !== undefined || stream.held !== undefined) continue
      this.#giveUp(stream, undefined)
    }
  }

  /** A header block that opened or ended something is not known. */
  #noBlock(side: Side, id: number, _time: number): void {
    this.#isWhole[side] = false
    const stream = this.#streams.find(id)
    if (stream === undefined) return
    if (side === this.#client) return this.#finishRequest(stream, MESSAGE_END.malformed, this.#now)
    const hasResponse = stream.response !== undefined || stream.held !== undefined
    if (hasResponse) this.#finishResponse(stream, MESSAGE_END.malformed, this.#now)
    else this.#giveUp(stream, undefined)
  }
}
