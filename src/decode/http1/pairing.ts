import { distance } from '../../connection/mod.ts'
import type { Turns } from '../../connection/mod.ts'
import type { Settlement } from '../message.ts'
import { ClientHabit } from './client-habit.ts'
import { newOutstanding, OutstandingQueue } from './outstanding.ts'
import type { Outstanding } from './outstanding.ts'
import * as R from './rest-row.ts'

/** Requests that may wait for a response on one connection; over it the oldest is given up. */
export const OUTSTANDING_MAX = 1000
/** Turns without a sign of a pipeline after which pairs are likely enough to be given on without proof; no more are held. */
export const LIKELY_TURNS = 4

export interface PairingOptions {
  /** The streams begin at their first byte. */
  readonly fromStart: boolean
  /** Numbers that the connection has given to exchanges before; default 0. */
  readonly numbersBefore?: number
  /** No response will carry this number any more. */
  readonly giveUp: (exchange: number) => void
  /** What becomes of every held pair. */
  readonly settle: (settlement: Settlement) => void
}

/**
 * What becomes of a request: `paired` with its response, `unproven` (held with it, or given on as likely), or `alone`. One object
 * serves a connection: it holds until the next request.
 */
export interface Asked {
  exchange: number
  state: 'paired' | 'unproven' | 'alone'
  /** The oldest request was given up for it. */
  overBound: boolean
}

/** What a response answers. One object serves a connection: it holds until the next response. */
export interface Answered {
  exchange: number
  /** METHOD_* of the request; undefined when it is not known for certain which request this answers. */
  method: number | undefined
  /** It shares the number of its request, and only likely answers it. */
  isLikely: boolean
  /** Number of the request that it answers if the held pairs turn out to be right, or likely; 0 = none. */
  likely: number
  /** Nothing waited for it although both sides were in step. */
  unasked: boolean
}

/**
 * Gives requests and responses of one connection their exchange numbers. A pair is made only where it follows from what was
 * seen, or is likely and said to be no more; everything else gets numbers of its own.
 *
 * The rule. Responses come in the order of their requests (RFC 9112 9.3.2).
 *
 * 1. *By count*: from the first byte on, while nothing is missing, the n-th final response answers the n-th request. A gap
 *    whose length lies within a body of known length changes nothing.
 * 2. *Client's framing lost* (a gap elsewhere, or bytes that cannot be read): requests already waiting keep their places,
 *    since their responses come first. Later ones are not counted: a lost request may come before them.
 * 3. *Server's framing lost*: every waiting request is given up, since its response may be what is missing.
 * 4. *A response that nothing waits for*: no count any more, as if something had been lost.
 * 5. *By turns*: from the first loss on, and from the first byte where the capture began inside the connection. Response P
 *    answers request R when the client waits for each response, and P is what the server said next:
 *    - P begins exactly where R's first packet acknowledges the server's stream to (or follows interim responses that do), and
 *    - P's first packet acknowledges R's first byte.
 *    When R was sent nothing was owed, since the client waits; so what the server sends from there on, having received R, is
 *    R's answer. What is missing elsewhere does not matter: each pair stands for itself. (Of the client's very first request
 *    this holds whatever the client does: where the server's first bytes are not known.)
 * 6. Whether the client waits, ClientHabit tells. While it does not know (again), a pair is *unproven*. The first ones are
 *    *held*: the response has a number of its own, and the sink learns later what becomes of all that are held. They are
 *    - *proven* once the client is known to wait;
 *    - *apart* once it is known to pipeline: no more pairs by turns are made then;
 *    - *likely* when neither was seen in LIKELY_TURNS turns and one more, or before the connection ended (the sink's part). A
 *      pipeline that shows no sign for so long is rare, but possible: one that always keeps two under way, before a slow server.
 *    From there on pairs are given on at once, as likely, until the client is known. A loss starts the hold anew. A response that
 *    switches to another protocol is given on at once, too.
 *
 * Bound: OUTSTANDING_MAX waiting requests; those given up for it keep their place in the order by count. LIKELY_TURNS held pairs.
 */
export class Pairing {
  readonly #options: PairingOptions
  readonly #habit: ClientHabit
  #next: number
  readonly #waiting = new OutstandingQueue()
  readonly #asked: Asked = { exchange: 0, state: 'paired', overBound: false }
  readonly #answered: Answered = { exchange: 0, method: undefined, isLikely: false, likely: 0, unasked: false }
  /** Given up at the front of the queue: their responses are still to come. */
  #passedOver = 0
  #isCounted: boolean
  /** The last request, while pairs are made by turns. */
  #turn: Outstanding | undefined
  #held = 0
  /** Turns since the last loss, with no sign of a pipeline. */
  #clean = 0
  #respondingPaired = false
  /** Number of interim responses whose request is not known: the final one shares it. */
  #interim = 0

  constructor(options: PairingOptions) {
    this.#options = options
    this.#next = (options.numbersBefore ?? 0) + 1
    this.#isCounted = options.fromStart
    this.#habit = new ClientHabit(options.fromStart)
  }

  /**
   * A request begins.
   *
   * @param sharesPacket    its first byte came in the packet that held the end of the request before it
   * @param position        where that byte stands in the client's stream
   * @param acknowledgement of its packet: where the server's stream stood for the client
   * @param serverPosition  where it stands here
   */
  request(
    time: number, method: number, sharesPacket: boolean, position: number, acknowledgement: number, serverPosition: number,
  ): Asked {
    const { isNew } = this.#habit
    this.#habit.request(time, sharesPacket, position, acknowledgement, serverPosition)
    const asked = this.#asked
    asked.exchange = this.#next++
    asked.state = 'paired'
    asked.overBound = this.#isCounted && this.#waiting.length >= OUTSTANDING_MAX
    if (asked.overBound) {
      this.#passedOver++
      this.#options.giveUp(this.#waiting.shift().exchange)
    }
    const request = this.#isCounted ? this.#waiting.push() : newOutstanding()
    request.exchange = asked.exchange
    request.method = method
    request.position = position
    request.acknowledgement = acknowledgement
    request.isFollowed = false
    request.isFirst = isNew
    if (!this.#isCounted) asked.state = this.#takeTurn(request)
    return asked
  }

  #takeTurn(request: Outstanding): Asked['state'] {
    this.#giveUpTurn()
    this.#heedHabit()
    const { verdict } = this.#habit
    if (verdict === 'pipelines') return 'alone'
    this.#turn = request
    return verdict === 'waits' ? 'paired' : 'unproven'
  }

  /** The last request was read to its end. */
  requestOver(): void {
    this.#habit.requestOver()
  }

  /**
   * A response begins, its first byte at `position`; `acknowledgement`: what its packet acknowledges of the client's stream.
   *
   * @param isSwitch no request after this one is answered in HTTP/1 (101): nothing more can be learnt of what is held
   */
  response(time: number, isInterim: boolean, position: number, acknowledgement: number, isSwitch = false): Answered {
    this.#habit.response(acknowledgement, isInterim)
    const { first } = this.#waiting
    if (this.#passedOver > 0) return this.#unpaired(isInterim, 0, false)
    if (first === undefined && this.#isCounted) {
      this.#isCounted = false
      return this.#unpaired(isInterim, 0, true)
    }
    if (first === undefined) return this.#answerTurn(time, isInterim, position, acknowledgement, isSwitch)
    if (!isInterim) this.#waiting.shift()
    return this.#paired(first)
  }

  #answerTurn(time: number, isInterim: boolean, position: number, acknowledgement: number, isSwitch: boolean): Answered {
    this.#heedHabit()
    const turn = this.#turn
    if (turn === undefined) return this.#unpaired(isInterim, 0, false)
    const isNext = turn.isFollowed || position === turn.acknowledgement
    const hasReceived = distance(acknowledgement, turn.position) > 0
    if (isNext && !hasReceived) this.#habit.notReceived()
    else if (isNext && isInterim) turn.isFollowed = true
    else if (isNext) this.#habit.answered(time)
    this.#heedHabit()
    const { verdict } = this.#habit
    if (!isNext || verdict === 'pipelines') {
      this.#giveUpTurn()
      return this.#unpaired(isInterim, 0, false)
    }
    if (!isInterim) this.#turn = undefined
    // A final response has the number of its interim ones, which is one of its own when they were held.
    const isHeld = this.#interim !== 0
    if (!isHeld && (verdict === 'waits' || turn.isFirst)) return this.#paired(turn)
    return this.#unproven(turn, isInterim, isSwitch)
  }

  #unproven(turn: Outstanding, isInterim: boolean, isSwitch: boolean): Answered {
    const isLikely = isSwitch || this.#clean >= LIKELY_TURNS
    if (isLikely || this.#held >= LIKELY_TURNS) this.#settleHeld('likely')
    if (!isInterim) this.#clean++
    if (isLikely) return this.#paired(turn, true)
    if (isInterim) return this.#unpaired(true, 0, false)
    this.#held++
    return this.#unpaired(false, turn.exchange, false)
  }

  #paired({ exchange, method }: Outstanding, isLikely = false): Answered {
    this.#respondingPaired = true
    this.#interim = 0
    return this.#answer(exchange, isLikely ? undefined : method, isLikely, 0, false)
  }

  #unpaired(isInterim: boolean, likely: number, unasked: boolean): Answered {
    this.#respondingPaired = false
    const exchange = this.#interim === 0 ? this.#next++ : this.#interim
    this.#interim = isInterim ? exchange : 0
    return this.#answer(exchange, undefined, false, likely, unasked)
  }

  #answer(exchange: number, method: number | undefined, isLikely: boolean, likely: number, unasked: boolean): Answered {
    const answered = this.#answered
    answered.exchange = exchange
    answered.method = method
    answered.isLikely = isLikely
    answered.likely = likely
    answered.unasked = unasked
    return answered
  }

  /** The response under way is over. `position`: where the server's stream stands. */
  responseOver(time: number, isInterim: boolean, position: number): void {
    this.#habit.responseOver(time, isInterim, position)
    if (!isInterim && !this.#respondingPaired && this.#passedOver > 0) this.#passedOver--
  }

  /** Nothing is outstanding, and a turn like those so far would make a pair. */
  get isAtRest(): boolean {
    return this.isQuiet && (this.#isCounted || this.#habit.verdict === 'waits')
  }

  /** Turns went by at rest, each a pair. `position`: where the server's stream stands. */
  passed(turns: Turns, position: number): void {
    this.#next += turns.count
    this.#respondingPaired = true
    this.#habit.passed(turns, position)
  }

  /** Nothing is outstanding: all it knows can go into a row (rest-row.ts), and `wake` makes any pairing this one. */
  get isQuiet(): boolean {
    return this.#waiting.length === 0 && this.#passedOver === 0 && this.#interim === 0 && this.#held === 0 && this.#turn === undefined &&
      this.#habit.isAtRest
  }

  sleep(view: DataView, at: number): void {
    view.setUint8(at + R.REST_IS_COUNTED, this.#isCounted ? 1 : 0)
    view.setUint32(at + R.REST_NEXT, this.#next, true)
    view.setUint32(at + R.REST_CLEAN, this.#clean, true)
    this.#habit.sleep(view, at)
  }

  /** Any pairing becomes a new one. */
  renew(fromStart: boolean, numbersBefore: number): void {
    this.#waiting.clear()
    this.#passedOver = 0
    this.#turn = undefined
    this.#held = 0
    this.#interim = 0
    this.#next = numbersBefore + 1
    this.#isCounted = fromStart
    this.#clean = 0
    this.#respondingPaired = false
    this.#habit.renew(fromStart)
  }

  wake(view: DataView, at: number): void {
    this.#isCounted = view.getUint8(at + R.REST_IS_COUNTED) !== 0
    this.#next = view.getUint32(at + R.REST_NEXT, true)
    this.#clean = view.getUint32(at + R.REST_CLEAN, true)
    this.#habit.wake(view, at)
  }

  /** What the client sends can no longer be told apart into requests. */
  clientLost(): void {
    this.#habit.clientLost()
    this.#clean = 0
    this.#isCounted = false
  }

  /** What the server sends can no longer be told apart into responses. */
  serverLost(): void {
    this.#habit.serverLost()
    this.#clean = 0
    this.#isCounted = false
    for (const { exchange } of this.#waiting) this.#options.giveUp(exchange)
    this.#waiting.clear()
    this.#passedOver = 0
    this.#interim = 0
    if (this.#turn?.isFollowed === true) this.#giveUpTurn()
  }

  /**
   * The first bytes of the server that were seen may not be its first. Only a first request can be paired with them, by its
   * turn; @returns whether one may be
   */
  serverUncertain(): boolean {
    const sole = this.#waiting.length === 1 && this.#passedOver === 0 ? this.#waiting.shift() : undefined
    this.serverLost()
    this.#turn = sole === undefined ? undefined : { ...sole }
    return sole !== undefined
  }

  /**
   * Bytes of the server from `position` on are no part of a message, while its next message start is waited for. `mayBegin`:
   * they could be a piece of one.
   */
  serverDropped(position: number, mayBegin: boolean): void {
    this.#habit.serverLost()
    if (mayBegin || this.#turn === undefined || position !== this.#turn.acknowledgement) return
    this.#habit.continued()
    this.#heedHabit()
  }

  /** Tells what is held, as soon as it is known what the client does. */
  #heedHabit(): void {
    const { verdict } = this.#habit
    if (verdict === 'pipelines') this.#giveUpTurn()
    if (verdict !== 'unknown') this.#settleHeld(verdict === 'waits' ? 'proven' : 'apart')
  }

  #settleHeld(settlement: Settlement): void {
    if (this.#held === 0) return
    this.#held = 0
    this.#options.settle(settlement)
  }

  #giveUpTurn(): void {
    if (this.#turn !== undefined) this.#options.giveUp(this.#turn.exchange)
    this.#turn = undefined
  }
}
