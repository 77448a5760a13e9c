import type { ByteMemory } from '../../lib/bytes/mod.ts'
import type { FactsTable, RecordWriter } from '../../lib/record/mod.ts'
import type { End, Side, StreamControl } from '../connection/mod.ts'
import { MESSAGE, MESSAGE_END } from '../decode/mod.ts'
import type { Handshake, Message, MessageSink, ProxyHeader, Unanswered, WebSocket } from '../decode/mod.ts'
import * as L from '../../wasm/layout.ts'
import { addInterim, closeBlock, freeHead, mark, MARK_FIELD, openBlock } from './block.ts'
import type { MarkReason } from './fields.ts'
import { writeProxy, writeTls } from './handshake-record.ts'
import { resetReason, unansweredReason } from './reset-reason.ts'

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
  /** Who keeps what exchanges point to by EXCHANGE_FACTS. */
  readonly facts: FactsTable
}

/** An exchange that is not yet over. */
interface Pending {
  readonly number: number
  readonly block: number
  readonly startTime: number
  requestOver: boolean
  responseOver: boolean
  hasResponse: boolean
}

/** What the pairer keeps of one connection, as its companion. */
class Waiting {
  readonly connection: StreamControl
  /** Exchanges that are not over, oldest first. */
  readonly #few: Pending[] = []
  depth = 0

  constructor(connection: StreamControl) {
    this.connection = connection
  }

  /** The same by number, once there are more than FEW; undefined = there are not. */
  #byNumber: Map<number, Pending> | undefined

  get count(): number {
    return this.#byNumber?.size ?? this.#few.length
  }

  /** The one that began first. */
  get oldest(): Pending | undefined {
    return this.#byNumber === undefined ? this.#few[0] : this.#byNumber.values().next().value
  }

  /** Usually one is pending; a pipeline holds a few, the streams of HTTP/2 may be thousands. */
  find(number: number): Pending | undefined {
    if (this.#byNumber !== undefined) return this.#byNumber.get(number)
    for (let index = 0; index < this.#few.length; index++) {
      const candidate = this.#few[index]!
      if (candidate.number === number) return candidate
    }
    return undefined
  }

  add(pending: Pending): void {
    if (this.#byNumber !== undefined) {
      this.#byNumber.set(pending.number, pending)
      return
    }
    this.#few.push(pending)
    if (this.#few.length <= FEW) return
    this.#byNumber = new Map(this.#few.map((each) => [each.number, each]))
    this.#few.length = 0
  }

  take(pending: Pending): void {
    if (this.#byNumber !== undefined) {
      this.#byNumber.delete(pending.number)
      if (this.#byNumber.size === 0) this.#byNumber = undefined
      return
    }
    if (this.#few.length === 1) this.#few.pop()
    else this.#few.splice(this.#few.indexOf(pending), 1)
  }
}

/** Pending exchanges that are looked through one by one. */
const FEW = 8

const CLOSE_REASON: Readonly<Record<End, MarkReason>> = {
  fin: 'no response before the connection closed',
  reset: 'no response before the connection was reset',
  idle: 'connection was idle for too long',
  evicted: 'connection table full',
  replaced: 'no response before the connection closed',
  shutdown: 'no response before the capture ended',
}

const VERSION_0_9 = 0x09
const SIMPLE: MarkReason = 'an HTTP/0.9 response has no head'

/**
 * Pairs the messages of each connection by their exchange number (the decoder's word: it never guesses) and gives each
 * exchange on once, when both messages are over or the connection is; where asked for, once more before, while it is open.
 *
 * Bound: what the decoder leaves outstanding (1,000 a connection) and the shared memory's limit; an exchange that the
 * memory refuses is counted as dropped.
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

  constructor(memory: ByteMemory, output: ExchangeOutput, options: PairerOptions) {
    this.#memory = memory
    this.#output = output
    this.#seesBoth = options.seesBothDirections
    this.#oneDirectionNs = options.oneDirectionNs ?? 2e9
    this.#facts = options.facts
  }

  /** Exchanges begun on a connection that is not closed. */
  exchangesOf(connection: StreamControl): number {
    return connection.companion instanceof Waiting ? connection.companion.depth : 0
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
    if (pending.requestOver && pending.responseOver) this.#give(waiting, pending)
  }

  /** No response will come under this number: what answered it was lost, or cannot be told for certain. */
  unanswered(connection: StreamControl, exchange: number, _time?: number, why?: Unanswered): void {
    const waiting = connection.companion as Waiting | undefined
    const pending = waiting?.find(exchange)
    if (waiting === undefined || pending === undefined || pending.hasResponse) return
    const reason = why !== undefined ? unansweredReason(why)
      : this.#hasLost(connection) ? 'lost by the capture' : 'not known which response answers it'
    mark(this.#memory, pending.block, MARK_FIELD.response, this.#isSimple(pending) ? SIMPLE : reason)
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
    for (let oldest = waiting.oldest; oldest !== undefined; oldest = waiting.oldest) {
      this.#giveUnfinished(waiting, oldest, CLOSE_REASON[cause])
    }
    this.#oneSided.delete(waiting)
  }

  /** Called now and then: gives on requests whose server is out of sight, tells what is open for long. `time` is the source's present. */
  tick(time: number): void {
    for (const waiting of this.#oneSided) this.#giveUpOnServer(waiting, time - this.#oneDirectionNs)
    for (const pending of this.#untold) {
      if (pending.startTime > time - this.openAfterNs) break
      this.#untold.delete(pending)
      this.#tellOpen(pending.block)
    }
  }

  /** The exchange as it is; it stays pending. */
  #tellOpen(block: number): void {
    this.#memory.u8[block + L.EXCHANGE_FLAGS] = L.EXCHANGE_FLAG_OPEN
    this.#output.exchange(block)
    this.#memory.u8[block + L.EXCHANGE_FLAGS] = 0
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

  #begin(waiting: Waiting, message: Message): Pending | undefined {
    waiting.depth++
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
    const pending: Pending = {
      number: message.exchange,
      block,
      startTime: message.startTime,
      requestOver: false,
      responseOver: false,
      hasResponse: false,
    }
    waiting.add(pending)
    if (this.openAfterNs !== Infinity) this.#untold.add(pending)
    return pending
  }

  #interim(waiting: Waiting, message: Message): void {
    const pending = waiting.find(message.exchange)
    if (pending !== undefined && message.head !== 0) {
      addInterim(this.#memory, pending.block, this.#memory.u16[(message.head + L.HEAD_STATUS) >>> 1]!)
    }
    freeHead(this.#memory, message.head)
  }

  #response(waiting: Waiting, message: Message): void {
    let pending = waiting.find(message.exchange)
    if (pending === undefined) {
      pending = this.#begin(waiting, message)
      if (pending === undefined) return
      pending.requestOver = true
      mark(this.#memory, pending.block, MARK_FIELD.request, this.#requestMissing(waiting.connection))
    }
    if (message.head === 0) mark(this.#memory, pending.block, MARK_FIELD.response, 'memory limit reached')
    pending.hasResponse = true
    // An exchange that began in HTTP/1 and was upgraded has its stream from here on.
    if (message.stream !== undefined) this.#memory.u32[(pending.block + L.EXCHANGE_STREAM) >>> 2] = message.stream
    this.#memory.u32[(pending.block + L.EXCHANGE_RESPONSE) >>> 2] = message.head
    this.#memory.f64[(pending.block + L.EXCHANGE_RESPONSE_TIME) >>> 3] = message.startTime
  }

  /** Why a response stands alone: nothing was lost when the server spoke unasked, or the request could not be read. */
  #requestMissing(connection: StreamControl): MarkReason {
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
    this.#memory.u32[(block + L.EXCHANGE_REQUEST_TRAILER) >>> 2] = message.trailer
    this.#memory.f64[(block + L.EXCHANGE_REQUEST_END_TIME) >>> 3] = message.endTime
    this.#memory.f64[(block + L.EXCHANGE_REQUEST_BODY) >>> 3] = message.bodyBytes
    this.#memory.i32[(block + L.EXCHANGE_REQUEST_MESSAGES) >>> 2] = message.messages ?? -1
    this.#markEnd(block, MARK_FIELD.requestBody, message)
  }

  #endResponse(pending: Pending, message: Message): void {
    const { block } = pending
    pending.responseOver = true
    this.#memory.u32[(block + L.EXCHANGE_RESPONSE_TRAILER) >>> 2] = message.trailer
    this.#memory.f64[(block + L.EXCHANGE_RESPONSE_END_TIME) >>> 3] = message.endTime
    this.#memory.f64[(block + L.EXCHANGE_RESPONSE_BODY) >>> 3] = message.bodyBytes
    this.#memory.i32[(block + L.EXCHANGE_RESPONSE_MESSAGES) >>> 2] = message.messages ?? -1
    this.#markEnd(block, MARK_FIELD.responseBody, message)
  }

  #markEnd(block: number, field: number, message: Message): void {
    switch (message.ended) {
      case MESSAGE_END.cut:
        mark(this.#memory, block, field, 'cut short: the connection closed inside the message')
        break
      case MESSAGE_END.lost:
        mark(this.#memory, block, field, 'unknown: bytes are missing inside the message')
        break
      case MESSAGE_END.malformed:
        mark(this.#memory, block, field, 'malformed message')
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

  #give(waiting: Waiting, pending: Pending): void {
    const { block } = pending
    this.#untold.delete(pending)
    const { block: connection, isPlaintext } = waiting.connection
    if (isPlaintext === true && this.#memory.u8[connection + L.CONNECTION_IP_VERSION] === 0) {
      mark(this.#memory, block, MARK_FIELD.client, 'socket not known: the program keeps its TLS library away from it')
    }
    this.#output.exchange(block)
    this.#facts.releaseSlots(block + L.EXCHANGE_FACTS, 1)
    closeBlock(this.#memory, block)
    waiting.connection.release()
    waiting.take(pending)
  }
}
