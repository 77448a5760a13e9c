import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { METHOD_CONNECT, METHOD_HEAD } from '../../../wasm/head-contract.ts'
import { HEADER_EXPECT, HEADER_UPGRADE } from '../../../wasm/header-ids.ts'
import {
  BODY_CHUNKED, BODY_LENGTH, BODY_NONE, HEAD_CONNECTION_CLOSE, HEAD_CONNECTION_KEEP_ALIVE, HEAD_CONNECTION_UPGRADE,
  HEAD_KIND_REQUEST, HEAD_KIND_RESPONSE, ODDITY_LENGTH_DIFFERS, ODDITY_LENGTH_INVALID,
} from '../../../wasm/layout.ts'
import { END } from '../../connection/mod.ts'
import type { End, Gap, Side, StreamControl, StreamHandler, Turns } from '../../connection/mod.ts'
import type { BodyFields } from '../body/mod.ts'
import { headValue } from '../head-value.ts'
import { MESSAGE, MESSAGE_END } from '../message.ts'
import type { MessageEnd, MessageSink } from '../message.ts'
import type { OpenTunnel } from '../tunnel.ts'
import { HTTP1_ANOMALY } from './anomaly.ts'
import type { Http1Anomaly } from './anomaly.ts'
import type { HeadScanner } from './head-scanner.ts'
import type { Http1Message } from './http1-message.ts'
import { Http1Side } from './http1-side.ts'
import { behindEmptyLines } from './message-start.ts'
import { Pairing } from './pairing.ts'
import * as R from './rest-row.ts'
import type { BodyPlan, SideOwner } from './side-owner.ts'
import type { Http1Dormitory } from './sleeping-http1.ts'

const VERSION_1_1 = 0x11
const VERSION_0_9 = 0x09
/** Requests under way whose response's body is read. */
const AWAITED_MAX = 1000

export interface Http1Options {
  readonly memory: ByteMemory
  readonly scanner: HeadScanner
  readonly control: StreamControl
  readonly sink: MessageSink
  /**
   * Takes the bytes of both sides from where the connection stops to be HTTP/1 (CONNECT, 101) on; undefined = nothing does,
   * and the connection is ignored from there.
   */
  readonly tunnel?: OpenTunnel
  /** Whose bodies are read; undefined = nobody's. */
  readonly bodies?: BodyFields | undefined
  /** Where it sleeps; undefined = it never does. */
  readonly dormitory?: Http1Dormitory
}

/**
 * One HTTP/1 connection: its two sides, and which response answers which request. While it sleeps (Http1Dormitory) its parts are
 * another one's.
 */
export class Http1Connection implements StreamHandler, SideOwner {
  control: StreamControl
  readonly #openTunnelOf: OpenTunnel | undefined
  readonly #dormitory: Http1Dormitory | undefined
  readonly #bodies: BodyFields | undefined
  /** Exchanges of which the request's body was read, and the response's is to be. */
  #awaited: Set<number> | undefined
  #sink: MessageSink
  readonly #memory: ByteMemory
  readonly #scanner: HeadScanner
  readonly #pairing: Pairing
  readonly #sides: readonly [Http1Side, Http1Side]
  readonly #ended: [boolean, boolean] = [false, false]
  /** The first bytes of the side could not be read. */
  readonly #isRefused: [boolean, boolean] = [false, false]
  #rolesKnown: boolean
  #messages = 0
  #isSimple = false
  #isTunnel = false
  #tunnel: StreamHandler | undefined
  #now = -1
  /** Exchange of the request that what is held depends on; 0 = its response will not be known. */
  #heldFor = 0
  readonly #isHeard: [boolean, boolean] = [false, false]
  /** Exchange of the last request that asks for leave to send its body, -1 = it has it; and whether it was answered without. */
  #asksLeave = -1
  #isRefusedLeave = false

  constructor(options: Http1Options) {
    const { memory, scanner, control } = options
    this.#openTunnelOf = options.tunnel
    this.#dormitory = options.dormitory
    this.#bodies = options.bodies
    this.control = control
    this.#sink = options.sink
    this.#memory = memory
    this.#scanner = scanner
    this.#pairing = new Pairing({
      fromStart: control.fromStart,
      numbersBefore: options.sink.exchangesBefore ?? 0,
      giveUp: (exchange) => this.#giveUp(exchange),
      settle: (settlement) => { this.#sink.settled?.(this.control, settlement, this.#now) },
    })
    const client = control.client ?? 0
    this.#rolesKnown = control.client !== undefined
    const make = (side: Side): Http1Side =>
      new Http1Side(this, memory, scanner, side, side === client ? HEAD_KIND_REQUEST : HEAD_KIND_RESPONSE)
    this.#sides = [make(0), make(1)]
  }

  data(side: Side, pointer: number, length: number, time: number): void {
    this.#now = time
    if (this.#isTunnel) {
      this.#tunnel?.data(side, pointer, length, time)
      return
    }
    if (this.#messages === 0) this.#findRoles(side, pointer, length, time)
    if (!this.#isHeard[side]) this.#hearFirst(side)
    const taken = this.#sides[side].data(pointer, length, time) - pointer
    if (this.#isTunnel && taken < length) this.#tunnel?.data(side, pointer + taken, length - taken, time)
  }

  /** The handshake may have been seen in part only. */
  #hearFirst(side: Side): void {
    this.#isHeard[side] = true
    if (!this.control.fromStart || this.control.hasStart(side)) return
    if (this.#sides[side].isRequester) this.#pairing.clientLost()
    else if (this.#pairing.serverUncertain()) this.#heldFor = 0
  }

  gap(side: Side, length: number, cause: Gap, time: number): void {
    this.#now = time
    if (this.#isTunnel) this.#tunnel?.gap(side, length, cause, time)
    else this.#sides[side].gap(length, time)
  }

  skipped(side: Side, time: number): void {
    this.#now = time
    if (this.#isTunnel) this.#tunnel?.skipped(side, time)
    else this.#sides[side].skipped(time)
  }

  end(side: Side, cause: End, time: number): void {
    if (this.#ended[side]) return
    this.#now = time
    this.#ended[side] = true
    if (this.#isTunnel) this.#tunnel?.end(side, cause, time)
    else this.#sides[side].end(cause, time)
    if (!this.#ended[0] || !this.#ended[1]) return
    this.#sink.close(this.control, cause, time)
    this.#dormitory?.give(this)
  }

  /** Both sides and the pairs have nothing under way: what it knows then fits into a row. */
  get #isQuiet(): boolean {
    return this.#rolesKnown && this.#messages > 0 && !this.#isTunnel && !this.#isSimple && this.#isHeard[0] && this.#isHeard[1] &&
      !this.#ended[0] && !this.#ended[1] && this.#sides[0].isAtRest && this.#sides[1].isAtRest && this.#pairing.isQuiet
  }

  /** Exchanges so far, when both sides, the pairs and the sink have nothing under way; else -1. */
  rest(): number {
    return this.#isQuiet && this.#pairing.isAtRest ? this.#sink.rest?.(this.control) ?? -1 : -1
  }

  sleep(): StreamHandler | undefined {
    if (this.#dormitory === undefined || !this.#isQuiet || this.#sink.isQuiet?.(this.control) !== true) return undefined
    return this.#dormitory.put(this, this.control, this.#sink)
  }

  /** Writes what it knows into a row (rest-row.ts) at `at`; only while it is quiet. */
  save(view: DataView, at: number): void {
    view.setUint8(at + R.REST_CLIENT, this.#requester.side)
    this.#pairing.sleep(view, at)
  }

  /** Is from now on a new connection; only one that sleeps, or is over. */
  renew(control: StreamControl, sink: MessageSink): void {
    this.#isSimple = false
    this.#isTunnel = false
    this.#tunnel = undefined
    this.control = control
    this.#sink = sink
    this.#now = -1
    this.#heldFor = 0
    this.#awaited = undefined
    this.#messages = 0
    this.#rolesKnown = control.client !== undefined
    for (const side of [0, 1] as const) {
      this.#isHeard[side] = false
      this.#isRefused[side] = false
      this.#ended[side] = false
      this.#sides[side].renew(side === (control.client ?? 0))
    }
    this.#pairing.renew(control.fromStart, sink.exchangesBefore ?? 0)
  }

  /** Is from now on the connection that wrote the row: one that is new, or that slept itself. */
  load(control: StreamControl, sink: MessageSink, view: DataView, at: number): void {
    this.control = control
    this.#sink = sink
    const client = view.getUint8(at + R.REST_CLIENT)
    // What `#isQuiet` says; of messages only whether there was one is asked.
    this.#messages = 1
    this.#rolesKnown = true
    for (const side of [0, 1] as const) {
      this.#isHeard[side] = true
      this.#sides[side].rest(side === client)
    }
    this.#pairing.wake(view, at)
  }

  passed(turns: Turns): void {
    this.#now = turns.responseTime
    this.#messages += 2 * turns.count
    this.#pairing.passed(turns, this.control.position(this.#requester.side === 0 ? 1 : 0))
    this.#sink.passed!(this.control, turns.count)
  }

  head(side: Http1Side, startTime: number, message: Http1Message, plan: BodyPlan, isCut = false): void {
    this.#messages++
    if (side.isRequester) this.#request(side, startTime, message, plan)
    else this.#response(side, startTime, message, plan, isCut)
  }

  over(side: Http1Side, message: Http1Message, ended: MessageEnd): void {
    message.ended = ended
    if (ended !== MESSAGE_END.lost && ended !== MESSAGE_END.malformed && ended !== MESSAGE_END.overBound) {
      if (side.isRequester) this.#pairing.requestOver()
      else this.#settle(message)
    }
    message.findings = message.reader?.end()
    message.reader = undefined
    this.#sink.end(this.control, message)
    if (ended === MESSAGE_END.tunnel && !side.isRequester && !this.#isTunnel) this.#startTunnel()
    else if (message.kind === MESSAGE.response) this.#answerHeld(message)
  }

  lost(side: Http1Side): void {
    if (side.isRequester) {
      this.#pairing.clientLost()
      return
    }
    this.#pairing.serverLost()
    // The answer to a request to upgrade may be what is missing: what the client sends is read as HTTP/1 again.
    this.#heldFor = 0
    this.#requester.resume()
  }

  dropped(side: Http1Side, position: number, mayBegin: boolean): void {
    if (!side.isRequester) this.#pairing.serverDropped(position, mayBegin)
  }

  /** A client that asked for leave and has its final response may keep the body (RFC 9110 10.1.1); with 100, or without an answer, it sends it. */
  mayLackBody({ kind, exchange }: Http1Message): boolean {
    return kind !== MESSAGE.request || (exchange === this.#asksLeave && this.#isRefusedLeave)
  }

  #noteLeave(status: number): void {
    if (status === 100) this.#asksLeave = -1
    else if (status >= 200) this.#isRefusedLeave = true
  }

  anomaly(side: Http1Side, name: Http1Anomaly, time: number): void {
    this.#sink.anomaly(this.control, side.side, name, time)
  }

  refused(side: Http1Side, anomaly: Http1Anomaly, time: number): boolean {
    if (this.#isSimple && !side.isRequester) {
      this.anomaly(side, HTTP1_ANOMALY.simpleResponse, time)
      return true
    }
    this.#isRefused[side.side] = true
    const isHttp = this.#messages > 0 || !this.#isRefused[side.side === 0 ? 1 : 0]
    if (isHttp || !this.control.fromStart) return false
    // Nothing on this connection was ever HTTP/1, on either side.
    this.anomaly(side, anomaly, time)
    this.control.ignore()
    this.#sides[0].stop()
    this.#sides[1].stop()
    return true
  }

  get #requester(): Http1Side {
    return this.#sides[this.#sides[0].isRequester ? 0 : 1]
  }

  #giveUp(exchange: number): void {
    this.#awaited?.delete(exchange)
    this.#sink.unanswered?.(this.control, exchange, this.#now)
  }

  /** Which side asks: the handshake's word, unless the very first bytes say otherwise. */
  #findRoles(side: Side, pointer: number, length: number, time: number): void {
    const { scanStart } = this.#scanner.exports
    const self = this.#sides[side]
    const expected = self.isRequester ? HEAD_KIND_REQUEST : HEAD_KIND_RESPONSE
    const other = self.isRequester ? HEAD_KIND_RESPONSE : HEAD_KIND_REQUEST
    const at = behindEmptyLines(this.#memory.u8, pointer, pointer + length)
    const rest = pointer + length - at
    const isOther = scanStart(at, rest, other) === 1
    if (isOther) {
      this.#sides[0].setRequester(!this.#sides[0].isRequester)
      this.#sides[1].setRequester(!this.#sides[1].isRequester)
      if (this.#rolesKnown) this.anomaly(self, HTTP1_ANOMALY.rolesReversed, time)
    }
    if (isOther || (!this.#rolesKnown && scanStart(at, rest, expected) === 1)) {
      this.#rolesKnown = true
      this.control.setClient(this.#requester.side)
    }
  }

  /** Counts a response as over. */
  #settle(message: Http1Message): void {
    if (message.isSettled) return
    message.isSettled = true
    const time = message.endTime < 0 ? this.#now : message.endTime
    this.#pairing.responseOver(time, message.kind === MESSAGE.interim, this.control.position(message.side))
  }

  #request(side: Http1Side, startTime: number, message: Http1Message, plan: BodyPlan): void {
    const scanner = this.#scanner
    // A request while a body is awaited that may not exist: for the client that response is over.
    const doubtful = this.#sides[side.side === 0 ? 1 : 0].doubtful
    if (doubtful !== undefined) this.#settle(doubtful)
    const { method, version, connection, oddities } = scanner
    const { startPosition, startAcknowledgement, endedInCall } = side
    const serverPosition = this.control.position(side.side === 0 ? 1 : 0)
    const { exchange, state, overBound } =
      this.#pairing.request(startTime, method, endedInCall, startPosition, startAcknowledgement, serverPosition)
    message.begin(MESSAGE.request, exchange, scanner.block, startTime, oddities)
    message.reader = this.#bodies?.request(scanner.block)
    if (message.reader !== undefined) this.#await(exchange)
    const body = bodyOf(scanner)
    const hold = method === METHOD_CONNECT ? 'connect' : (connection & HEAD_CONNECTION_UPGRADE) !== 0 ? 'upgrade' : 'no'
    plan.body = method === METHOD_CONNECT || (body === 'until close' && scanner.body === BODY_NONE) ? 'none' : body
    plan.length = scanner.contentLength
    plan.isUnsure = plan.body !== 'none' && headValue(this.#memory, scanner.block, HEADER_EXPECT)?.toLowerCase() === '100-continue'
    if (plan.isUnsure) {
      this.#asksLeave = exchange
      this.#isRefusedLeave = false
    }
    plan.hold = hold
    plan.isLast = isLast(version, connection)
    if (hold !== 'no') this.#heldFor = state === 'paired' ? exchange : 0
    if (version === VERSION_0_9) this.#isSimple = true
    this.#sink.head(this.control, message)
    if (overBound) this.anomaly(side, HTTP1_ANOMALY.outstanding, startTime)
    if (state === 'alone') this.#giveUp(exchange)
  }

  #await(exchange: number): void {
    this.#awaited ??= new Set()
    if (this.#awaited.size < AWAITED_MAX) this.#awaited.add(exchange)
  }

  #response(side: Http1Side, startTime: number, message: Http1Message, plan: BodyPlan, isCut: boolean): void {
    const scanner = this.#scanner
    const { status, version, connection, oddities } = scanner
    // RFC 7540 3.2: the response to the request itself comes in HTTP/2, and the 101 is one of 1xx before it.
    const isUpgrade = status === 101 && headValue(this.#memory, scanner.block, HEADER_UPGRADE)?.toLowerCase() === 'h2c'
    const isInterim = status < 200 && (status !== 101 || isUpgrade)
    const { exchange, method, isLikely, likely, unasked } =
      this.#pairing.response(startTime, isInterim, side.startPosition, side.startAcknowledgement, status === 101)
    const kind = isInterim ? MESSAGE.interim : MESSAGE.response
    message.begin(kind, exchange, scanner.block, startTime, oddities)
    message.likely = likely
    message.isLikely = isLikely
    message.status = status
    if (!isInterim && this.#awaited?.delete(likely === 0 ? exchange : likely) === true) message.reader = this.#bodies!.response(scanner.block)
    if (exchange === this.#asksLeave && isLikely !== true) this.#noteLeave(status)
    const isEmpty = status < 200 || status === 204 || status === 304 || method === METHOD_HEAD
    const isTunnel = !isCut && (status === 101 || (method === METHOD_CONNECT && status >= 200 && status < 300))
    plan.body = isTunnel ? 'tunnel' : isEmpty ? 'none' : bodyOf(scanner)
    plan.length = scanner.contentLength
    plan.isUnsure = method === undefined
    plan.hold = 'no'
    plan.isLast = isLast(version, connection)
    if (isTunnel) this.#openTunnel(message)
    this.#sink.head(this.control, message)
    if (unasked) this.anomaly(side, HTTP1_ANOMALY.responseUnasked, startTime)
  }

  /** A final response tells what the bytes after a request to upgrade are. */
  #answerHeld(message: Http1Message): void {
    const requester = this.#requester
    const holding = requester.holding
    if (holding === 'no') return
    if (this.#heldFor === 0) {
      // It is not known which response answers CONNECT: a 2xx may.
      if (holding === 'connect' && message.status >= 200 && message.status < 300) this.#startTunnel()
      else requester.resume()
    } else if (this.#heldFor === message.exchange) {
      requester.resume()
    }
  }

  /** Before the sink has the head: it may be read here. */
  #openTunnel({ side, exchange, status, head, startTime }: Http1Message): void {
    this.#tunnel = this.#openTunnelOf?.({
      control: this.control,
      sink: this.#sink,
      exchange,
      client: side === 0 ? 1 : 0,
      status,
      response: head,
      time: startTime,
    })
  }

  /** The one place where HTTP/1 hands the connection over. */
  #startTunnel(): void {
    this.#isTunnel = true
    const tunnel = this.#tunnel
    for (const side of this.#sides) {
      side.handOver((pointer, length, time) => tunnel?.data(side.side, pointer, length, time))
    }
    if (tunnel === undefined) this.control.ignore()
    for (const side of [0, 1] as const) if (this.#ended[side]) tunnel?.end(side, END.fin, this.#now)
  }
}

/** RFC 9112 6.3, as far as the head alone tells. */
function bodyOf(scanner: HeadScanner): BodyPlan['body'] {
  switch (scanner.body) {
    case BODY_CHUNKED: return 'chunked'
    case BODY_LENGTH:
    case BODY_NONE:
      if ((scanner.oddities & (ODDITY_LENGTH_INVALID | ODDITY_LENGTH_DIFFERS)) !== 0) return 'malformed'
      return scanner.body === BODY_LENGTH ? 'length' : 'until close'
    default: return 'until close'
  }
}

/** RFC 9112 9.3: whether the connection ends after the message. */
function isLast(version: number, connection: number): boolean {
  if ((connection & HEAD_CONNECTION_CLOSE) !== 0) return true
  return version < VERSION_1_1 && (connection & HEAD_CONNECTION_KEEP_ALIVE) === 0
}
