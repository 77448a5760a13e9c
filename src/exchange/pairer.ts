import type { ByteMemory } from '../../lib/bytes/mod.ts'
import type { FactsTable, RecordWriter } from '../../lib/record/mod.ts'
import type { End, Side, StreamControl } from '../connection/mod.ts'
import { MESSAGE, MESSAGE_END } from '../decode/mod.ts'
import type { Handshake, Message, MessageSink, ProxyHeader, Settlement, Unanswered, WebSocket } from '../decode/mod.ts'
import * as L from '../../wasm/layout.ts'
import { absorbResponse, closeBlock, mark, MARK_FIELD, openBlock } from './block.ts'
import type { MarkReason } from './fields.ts'
import { genAiCall, genAiGaps, writeGenAi } from './gen-ai-facts.ts'
import { writeProxy, writeTls } from './handshake-record.ts'
import { freeHead } from './head-block.ts'
import { addInterim, dropInterim } from './interim.ts'
import { closeReason, cutReason, resetReason, unansweredReason } from './end-reason.ts'
import { isWhole, Waiting } from './waiting.ts'
import type { Pending } from './waiting.ts'

/** Takes what the exchange stage yields. */
export interface ExchangeOutput {
  /** One exchange: an EXCHANGE block (wasm/layout.ts), valid during the call only. */
  exchange(block: number): void
  /** One exchange that could not be kept, for the reason given: it counts as seen and dropped. */
  dropped(reason: string): void
  /** A handshake was read; its facts hang on the connection by now. */
  handshake?(connection: StreamControl, handshake: Handshake): void
  /** An oddity of a connection, by its decoder's name. */
  anomaly(connection: StreamControl, side: Side, name: string, time: number): void
  /** A WebSocket is over; the connection's block is valid during the call. */
  webSocket(connection: StreamControl, webSocket: WebSocket): void
}

export interface PairerOptions {
  /**
   * False when the hook sees one direction only: a request is then given on without its response once the same
   * connection asks again, or after `oneDirectionMs`, unless a packet of the server was ever seen on it.
   */
  readonly seesBothDirections: boolean
  /** Nanoseconds that a one-direction request waits for a sign of its server. */
  readonly oneDirectionNs?: number
  /** Nanoseconds after which a held pair of a quiet connection is given on as likely. */
  readonly heldNs?: number
  /** Who keeps what exchanges point to by EXCHANGE_FACTS. */
  readonly facts: FactsTable
}

const LIKELY: MarkReason = 'likely, not proven: the client was not seen to wait for each response'
const VERSION_0_9 = 0x09
const RESET_BEFORE: MarkReason = 'the client had reset the stream before this response came'
const SIMPLE: MarkReason = 'an HTTP/0.9 response has no head'

/**
 * Pairs the messages of each connection by their exchange number (the decoder's word: it never guesses) and gives each
 * exchange on once, when both messages are over or the connection is; where asked for, once more before, while it is open.
 *
 * A response that may answer a request is held, with it, until the decoder says what becomes of them; when it has nothing to say
 * before the connection closes, or is quiet for `heldNs`, they are given on as one exchange that is marked as likely.
 *
 * Bound: what the decoder leaves outstanding (1,000 a connection) or holds (4 pairs a connection), and the shared memory's
 * limit; an exchange that the memory refuses is counted as dropped.
 */
export class Pairer implements MessageSink {
  readonly #memory: ByteMemory
  readonly #output: ExchangeOutput
  readonly #seesBoth: boolean
  readonly #oneDirectionNs: number
  readonly #facts: FactsTable
  /** Nanoseconds after which an exchange that is not over is told as it is, once; Infinity = never. For those that begin from now on. */
  openAfterNs = Infinity
  /** Exchanges that may have to be told while they are open, oldest first; empty where none are. */
  readonly #untold = new Set<Pending>()
  /** Connections whose server may be out of sight; empty where both directions are seen. */
  readonly #oneSided = new Set<Waiting>()
  readonly #heldNs: number
  /** Connections with a held pair of which both messages are over, by `heldTime`. */
  readonly #holding = new Set<Waiting>()

  /** Exchanges of TLS sessions by the block that they share with their wire connection; empty where none is read. */
  readonly #inside = new Map<number, number>()

  constructor(memory: ByteMemory, output: ExchangeOutput, options: PairerOptions) {
    this.#memory = memory
    this.#output = output
    this.#seesBoth = options.seesBothDirections
    this.#oneDirectionNs = options.oneDirectionNs ?? 2e9
    this.#heldNs = options.heldNs ?? 2e9
    this.#facts = options.facts
  }

  /** Exchanges begun on a connection that is not closed, those inside its TLS included. */
  exchangesOf(connection: StreamControl): number {
    const own = connection.companion instanceof Waiting ? connection.companion.depth : 0
    return own + (connection.isPlaintext === true ? 0 : this.#inside.get(connection.block) ?? 0)
  }

  /** A CONNECTION block is given back. */
  forget(block: number): void {
    this.#inside.delete(block)
  }

  head(connection: StreamControl, message: Message): void {
    const waiting = this.#waitingOf(connection)
    if (message.kind === MESSAGE.request) {
      if (!this.#seesBoth) this.#giveUpOnServer(waiting, Infinity)
      const pending = this.#begin(waiting, message)
      if (pending === undefined) return
      this.#memory.u32[(pending.block + L.EXCHANGE_REQUEST) >>> 2] = message.head
      this.#memory.f64[(pending.block + L.EXCHANGE_REQUEST_TIME) >>> 3] = message.startTime
      return
    }
    if (message.kind === MESSAGE.interim) this.#interim(waiting, message)
    else this.#response(waiting, message)
  }

  end(connection: StreamControl, message: Message): void {
    if (message.kind === MESSAGE.interim) return
    const waiting = connection.companion as Waiting | undefined
    const pending = waiting?.find(message.exchange)
    if (waiting === undefined || pending === undefined) {
      freeHead(this.#memory, message.trailer)
      return
    }
    if (message.kind === MESSAGE.request) this.#endRequest(pending, message)
    else this.#endResponse(pending, message)
    const odd = (pending.block + L.EXCHANGE_ODDITIES) >>> 2
    this.#memory.u32[odd] = this.#memory.u32[odd]! | message.oddities
    if (pending.isHeld) this.#endHeld(waiting, pending, message)
    else if (pending.requestOver && pending.responseOver) this.#give(waiting, pending)
  }

  settled(connection: StreamControl, settlement: Settlement): void {
    const waiting = connection.companion as Waiting | undefined
    if (waiting === undefined) return
    for (const response of [...waiting.held]) {
      if (response.isSettled) continue
      if (settlement === 'apart') this.#part(waiting, response)
      else this.#settle(waiting, response, settlement)
    }
    this.#holding.delete(waiting)
  }

  /** No response will come under this number: what answered it was lost, or cannot be told for certain. */
  unanswered(connection: StreamControl, exchange: number, _time?: number, why?: Unanswered): void {
    const waiting = connection.companion as Waiting | undefined
    const pending = waiting?.find(exchange)
    if (waiting === undefined || pending === undefined || pending.hasResponse) return
    const reason = why !== undefined ? unansweredReason(why)
      : this.#hasLost(connection) ? 'lost by the capture' : 'not known which response answers it'
    mark(this.#memory, pending.block, MARK_FIELD.response, this.#isSimple(pending) ? SIMPLE : reason)
    if (pending.hasLikelyInterim) dropInterim(this.#memory, pending.block)
    pending.responseOver = true
    if (pending.requestOver) this.#give(waiting, pending)
  }

  /** Its facts stand in every record of the connection from now on. */
  handshake(connection: StreamControl, handshake: Handshake): void {
    this.#keepFacts(connection, L.FACTS_TLS, (writer) => { writeTls(writer, handshake) })
    this.#output.handshake?.(connection, handshake)
  }

  proxied(connection: StreamControl, header: ProxyHeader): void {
    this.#keepFacts(connection, L.FACTS_PROXY, (writer) => { writeProxy(writer, header) })
  }

  anomaly(connection: StreamControl, side: Side, name: string, time: number): void {
    this.#output.anomaly(connection, side, name, time)
  }

  webSocketOpened(connection: StreamControl, webSocket: WebSocket): void {
    const waiting = this.#waitingOf(connection)
    const pending = waiting.find(webSocket.exchange)
    // A response to no known request is the next exchange.
    webSocket.depth = pending === undefined ? waiting.depth + 1 : this.#memory.u32[(pending.block + L.EXCHANGE_DEPTH) >>> 2]!
  }

  webSocketOver(connection: StreamControl, webSocket: WebSocket): void {
    this.#output.webSocket(connection, webSocket)
  }

  close(connection: StreamControl, cause: End, _time: number): void {
    const waiting = connection.companion as Waiting | undefined
    if (waiting === undefined) return
    this.settled(connection, 'likely')
    for (let oldest = waiting.oldest; oldest !== undefined; oldest = waiting.oldest) {
      this.#giveUnfinished(waiting, oldest, closeReason(cause))
    }
    this.#oneSided.delete(waiting)
  }

  isQuiet(connection: StreamControl): boolean {
    const waiting = connection.companion as Waiting | undefined
    return waiting !== undefined && waiting.count === 0 && waiting.held.length === 0
  }

  rest(connection: StreamControl): number {
    if (!this.isQuiet(connection) || !this.#seesBoth || this.openAfterNs !== Infinity) return -1
    return (connection.companion as Waiting).depth
  }

  passed(connection: StreamControl, count: number): void {
    this.#count(connection.companion as Waiting, count)
  }

  /**
   * Called now and then: gives on requests whose server is out of sight and what a quiet connection holds, tells what is open for
   * long. `time` is the source's present.
   */
  tick(time: number): void {
    for (const waiting of this.#oneSided) this.#giveUpOnServer(waiting, time - this.#oneDirectionNs)
    for (const waiting of this.#holding) {
      if (waiting.heldTime > time - this.#heldNs) break
      this.#giveHeld(waiting)
    }
    for (const pending of this.#untold) {
      if (pending.startTime > time - this.openAfterNs) break
      this.#untold.delete(pending)
      this.#tellOpen(pending)
    }
  }

  /** The exchange as it is; it stays pending. */
  #tellOpen({ block }: Pending): void {
    this.#markSocket(block)
    this.#memory.u8[block + L.EXCHANGE_FLAGS] = L.EXCHANGE_FLAG_OPEN
    this.#output.exchange(block)
    this.#memory.u8[block + L.EXCHANGE_FLAGS] = 0
  }

  /** What the bodies tell goes into the record. */
  #keepFindings({ block, asked, answered }: Pending): void {
    const call = genAiCall(asked, answered)
    for (const [field, reason] of genAiGaps(call, asked, answered)) mark(this.#memory, block, field, reason)
    if (call === undefined) return
    const facts = this.#facts.add((writer) => { writeGenAi(writer, call) })
    if (facts === 0) return
    this.#facts.setSlot(block + L.EXCHANGE_FACTS, facts)
    this.#facts.release(facts)
  }

  #keepFacts(connection: StreamControl, slot: number, write: (writer: RecordWriter) => void): void {
    const block = this.#facts.add(write)
    if (block === 0) return
    this.#facts.setSlot(connection.block + L.CONNECTION_FACTS + slot, block)
    this.#facts.release(block)
  }

  #waitingOf(connection: StreamControl): Waiting {
    const companion = connection.companion as Waiting | undefined
    if (companion !== undefined) return companion
    const waiting = new Waiting(connection)
    connection.companion = waiting
    if (!this.#seesBoth) this.#oneSided.add(waiting)
    return waiting
  }

  /** @returns the number of one more exchange on its connection, or of the last of `more` */
  #count(waiting: Waiting, more = 1): number {
    const { connection } = waiting
    if (connection.isPlaintext === true) this.#inside.set(connection.block, (this.#inside.get(connection.block) ?? 0) + more)
    return waiting.depth += more
  }

  /** `likely`: the request that the message may turn out to answer: it counts as no exchange of its own until then. */
  #begin(waiting: Waiting, message: Message, likely?: Pending): Pending | undefined {
    if (likely === undefined) this.#count(waiting)
    const connection = waiting.connection
    const block = message.head === 0 ? 0 : openBlock(this.#memory, connection.block, waiting.depth)
    if (block === 0) {
      freeHead(this.#memory, message.head)
      this.#output.dropped('memory_limit')
      return undefined
    }
    this.#memory.u8[block + L.EXCHANGE_PROTOCOL] = message.protocol ?? L.PROTOCOL_HTTP
    if (connection.isPlaintext === true) this.#memory.u8[block + L.EXCHANGE_TLS] = 1
    connection.retain()
    if (message.stream !== undefined) this.#memory.u32[(block + L.EXCHANGE_STREAM) >>> 2] = message.stream
    const pending = waiting.begin(message.exchange, block, message.startTime, likely)
    // A held response has no record of its own yet.
    if (this.openAfterNs !== Infinity && likely === undefined) this.#untold.add(pending)
    return pending
  }

  #interim(waiting: Waiting, message: Message): void {
    const pending = waiting.find(message.exchange)
    const status = message.head === 0 ? 0 : this.#memory.u16[(message.head + L.HEAD_STATUS) >>> 1]!
    if (status !== 0 && pending === undefined) waiting.keepInterim(message.exchange, status)
    else if (status !== 0 && pending !== undefined) {
      addInterim(this.#memory, pending.block, status, message.head)
      if (message.isLikely === true) pending.hasLikelyInterim = true
      return
    }
    freeHead(this.#memory, message.head)
  }

  #response(waiting: Waiting, message: Message): void {
    let pending = waiting.find(message.exchange)
    if (pending === undefined) {
      const { likely: number } = message
      const likely = number === undefined || number === 0 ? undefined : waiting.find(number)
      pending = this.#begin(waiting, message, likely)
      if (pending === undefined) return this.#refused(waiting, likely)
      pending.requestOver = true
      for (const status of waiting.interimOf(message.exchange)) addInterim(this.#memory, pending.block, status, 0)
      if (likely !== undefined) waiting.hold(pending, likely)
      else mark(this.#memory, pending.block, MARK_FIELD.request, this.#requestMissing(waiting.connection, message))
    }
    if (message.head === 0) mark(this.#memory, pending.block, MARK_FIELD.response, 'memory limit reached')
    if (message.isLikely === true || pending.hasLikelyInterim) mark(this.#memory, pending.block, MARK_FIELD.response, LIKELY)
    pending.hasResponse = true
    // An exchange that began in HTTP/1 and was upgraded has its stream from here on.
    if (message.stream !== undefined) this.#memory.u32[(pending.block + L.EXCHANGE_STREAM) >>> 2] = message.stream
    this.#memory.u32[(pending.block + L.EXCHANGE_RESPONSE) >>> 2] = message.head
    this.#memory.f64[(pending.block + L.EXCHANGE_RESPONSE_TIME) >>> 3] = message.startTime
  }

  /** The memory refused the response that may answer `request`. */
  #refused(waiting: Waiting, request: Pending | undefined): void {
    if (request === undefined) return
    mark(this.#memory, request.block, MARK_FIELD.response, 'memory limit reached')
    request.responseOver = true
    if (request.requestOver) this.#give(waiting, request)
  }

  /** Why a response stands alone: nothing was lost when the server spoke unasked, or the request could not be read. */
  #requestMissing(connection: StreamControl, { crossesReset }: Message): MarkReason {
    if (crossesReset === true) return RESET_BEFORE
    if (!connection.fromStart) return 'no request seen: the capture began inside the exchange'
    return this.#hasLost(connection) ? 'lost by the capture' : 'not known which request it answers'
  }

  #hasLost(connection: StreamControl): boolean {
    const lost = (connection.block + L.CONNECTION_SIDE + L.SIDE_LOST_BYTES) >>> 3
    return this.#memory.f64[lost]! + this.#memory.f64[lost + (L.CONNECTION_SIDE_BYTES >>> 3)]! > 0
  }

  #endRequest(pending: Pending, message: Message): void {
    const { block } = pending
    pending.requestOver = true
    pending.asked = message.findings
    this.#memory.u32[(block + L.EXCHANGE_REQUEST_TRAILER) >>> 2] = message.trailer
    this.#memory.f64[(block + L.EXCHANGE_REQUEST_END_TIME) >>> 3] = message.endTime
    this.#memory.f64[(block + L.EXCHANGE_REQUEST_BODY) >>> 3] = message.bodyBytes
    this.#memory.i32[(block + L.EXCHANGE_REQUEST_MESSAGES) >>> 2] = message.messages ?? -1
    this.#markEnd(block, MARK_FIELD.requestBody, message)
  }

  #endResponse(pending: Pending, message: Message): void {
    const { block } = pending
    pending.responseOver = true
    pending.answered = message.findings
    this.#memory.u32[(block + L.EXCHANGE_RESPONSE_TRAILER) >>> 2] = message.trailer
    this.#memory.f64[(block + L.EXCHANGE_RESPONSE_END_TIME) >>> 3] = message.endTime
    this.#memory.f64[(block + L.EXCHANGE_RESPONSE_BODY) >>> 3] = message.bodyBytes
    this.#memory.i32[(block + L.EXCHANGE_RESPONSE_MESSAGES) >>> 2] = message.messages ?? -1
    this.#markEnd(block, MARK_FIELD.responseBody, message)
  }

  #markEnd(block: number, field: number, message: Message): void {
    switch (message.ended) {
      case MESSAGE_END.cut:
        mark(this.#memory, block, field, cutReason(message.cutBy ?? 'fin'))
        break
      case MESSAGE_END.lost:
        mark(this.#memory, block, field, 'unknown: bytes are missing inside the message')
        break
      case MESSAGE_END.malformed:
        mark(this.#memory, block, field, 'malformed message')
        break
      case MESSAGE_END.overBound:
        mark(this.#memory, block, field, 'cut: more than the bound')
        break
      case MESSAGE_END.tunnel:
        mark(this.#memory, block, field, 'connection became a tunnel')
        break
      case MESSAGE_END.reset:
        mark(this.#memory, block, field, resetReason(message.resetCode ?? -1))
        break
      case MESSAGE_END.complete:
      case undefined:
        break
    }
  }

  /** Requests begun before `before`, whole, on a connection where no packet of the server was ever seen. */
  #giveUpOnServer(waiting: Waiting, before: number): void {
    const client = waiting.connection.client
    if (client === undefined) return
    const server = waiting.connection.block + L.CONNECTION_SIDE + (1 - client) * L.CONNECTION_SIDE_BYTES
    if (this.#memory.u32[(server + L.SIDE_PACKETS) >>> 2] !== 0) return
    for (;;) {
      const pending = waiting.oldest
      if (pending === undefined || !pending.requestOver || pending.startTime >= before) return
      this.#giveUnfinished(waiting, pending, 'hook sees one direction only')
    }
  }

  #giveUnfinished(waiting: Waiting, pending: Pending, reason: MarkReason): void {
    if (!pending.hasResponse) mark(this.#memory, pending.block, MARK_FIELD.response, this.#isSimple(pending) ? SIMPLE : reason)
    this.#give(waiting, pending)
  }

  /** RFC 1945 6: the response to a Simple-Request is its body alone. */
  #isSimple({ block }: Pending): boolean {
    const head = this.#memory.u32[(block + L.EXCHANGE_REQUEST) >>> 2]!
    return head !== 0 && this.#memory.u8[head + L.HEAD_VERSION] === VERSION_0_9
  }

  /** A message of a held pair is over. */
  #endHeld(waiting: Waiting, pending: Pending, message: Message): void {
    this.#joinOf(waiting, pending)
    const response = waiting.heldResponse(pending)
    if (response === undefined || !response.isHeld || !isWhole(response)) return
    waiting.heldTime = message.endTime < 0 ? message.startTime : message.endTime
    this.#holding.delete(waiting)
    this.#holding.add(waiting)
  }

  /** What is whole of what a quiet connection holds; the rest may still turn out to be no pair. */
  #giveHeld(waiting: Waiting): void {
    this.#holding.delete(waiting)
    for (const response of [...waiting.held]) if (isWhole(response)) this.#settle(waiting, response, 'likely')
  }

  #settle(waiting: Waiting, response: Pending, settlement: 'proven' | 'likely'): void {
    response.isSettled = true
    if (settlement === 'likely') mark(this.#memory, response.block, MARK_FIELD.response, LIKELY)
    this.#joinOf(waiting, response)
  }

  /** Joins the held pair to which `pending` belongs, once it is settled and both messages are over. */
  #joinOf(waiting: Waiting, pending: Pending): void {
    const response = waiting.heldResponse(pending)
    const request = response?.likely
    if (response === undefined || request === undefined || !response.isSettled || !isWhole(response)) return
    waiting.release(response)
    absorbResponse(this.#memory, request.block, response.block)
    request.answered = response.answered
    waiting.connection.release()
    waiting.take(response)
    this.#give(waiting, request)
  }

  /** It cannot be told whether `response` answers `request`. */
  #part(waiting: Waiting, response: Pending): void {
    const request = response.likely!
    waiting.release(response)
    request.responseOver = true
    this.#memory.u32[(response.block + L.EXCHANGE_DEPTH) >>> 2] = this.#count(waiting)
    mark(this.#memory, request.block, MARK_FIELD.response, 'not known which response answers it')
    mark(this.#memory, response.block, MARK_FIELD.request, 'not known which request it answers')
    for (const pending of [request, response]) if (pending.requestOver && pending.responseOver) this.#give(waiting, pending)
  }

  /** Why there are no addresses: plaintext of TLS whose socket could not be told. */
  #markSocket(block: number): void {
    const connection = this.#memory.u32[(block + L.EXCHANGE_CONNECTION) >>> 2]!
    if (this.#memory.u8[block + L.EXCHANGE_TLS] === 0 || this.#memory.u8[connection + L.CONNECTION_IP_VERSION] !== 0) return
    mark(this.#memory, block, MARK_FIELD.client, 'socket not known: the program keeps its TLS library away from it')
  }

  #give(waiting: Waiting, pending: Pending): void {
    const { block } = pending
    if (this.#untold.size > 0) this.#untold.delete(pending)
    this.#markSocket(block)
    if (pending.asked !== undefined || pending.answered !== undefined) this.#keepFindings(pending)
    this.#output.exchange(block)
    this.#facts.releaseSlots(block + L.EXCHANGE_FACTS, 1)
    closeBlock(this.#memory, block)
    waiting.connection.release()
    waiting.take(pending)
    if (waiting.count === 0) waiting.connection.rested?.()
  }
}
