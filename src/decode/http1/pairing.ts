/** Requests that may wait for a response on one connection; over it the oldest is given up. */
export const OUTSTANDING_MAX = 1000

/** Pairs without pipelining after which a client counts as one that waits for each response. */
const HISTORY_PAIRS = 4
/** Responses since the loss, each before the next request, that stand in for a history. */
const TURNS_WITHOUT_HISTORY = 2

export interface PairingOptions {
  /** The streams begin at their first byte. */
  readonly fromStart: boolean
  /** Numbers that the connection has given to exchanges before; default 0. */
  readonly numbersBefore?: number
  /** No response will carry this number any more. */
  readonly giveUp: (exchange: number) => void
}

/** What a response answers. */
export interface Answered {
  readonly exchange: number
  /** METHOD_* of the request; undefined when it is not known which request this answers. */
  readonly method: number | undefined
}

interface Outstanding {
  readonly exchange: number
  readonly method: number
  readonly time: number
}

/**
 * Gives requests and responses of one connection their exchange numbers. A pair is made only where it follows from what was
 * seen; everything else gets numbers of its own.
 *
 * The rule. Responses come in the order of their requests (RFC 9112 9.3.2).
 *
 * 1. *In step*: from the first byte on, while nothing is missing, the n-th final response answers the n-th request. A gap
 *    whose length lies within a body of known length changes nothing.
 * 2. *Client's framing lost* (a gap elsewhere, or bytes that cannot be read): requests already waiting keep their places,
 *    since their responses come first. Later ones are not paired: a lost request may come before them.
 * 3. *Server's framing lost*: every waiting request is given up, since its response may be what is missing.
 * 4. *A response that nothing waits for*: out of step, as if something had been lost.
 * 5. *Back in step*, by a request R, only when all of this holds:
 *    - nothing waits, no response is under way, and R's first byte is later than the last byte of the server;
 *    - the client was never seen to send a request before the response to the one before it was over;
 *    - no other request has begun since the last final response ended;
 *    - and one of
 *      a. the client's stream is whole and every request given up has been answered, by count: a response that began in
 *         the gap is one, each whole response since is one;
 *      b. at least HISTORY_PAIRS pairs were made before, and a response has ended since the loss;
 *      c. the client's stream was torn, and since then TURNS_WITHOUT_HISTORY responses ended, one before each request: the
 *         client is one that waits;
 *      d. nothing was lost: the capture began inside the connection and R is the first request since.
 *    Then the next response answers R, provided that it is the very next thing that the server sends.
 *
 * (b), (c) and (d) rest on the client being one that does not pipeline, which is what it has shown so far. A client that
 * pipelines for the first time inside missing bytes, or whose whole pipeline was on its way when the capture began, cannot
 * be told from it.
 *
 * Bound: OUTSTANDING_MAX waiting requests; those given up for it keep their place in the order by count.
 */
export class Pairing {
  readonly #giveUp: (exchange: number) => void
  #next: number
  readonly #waiting: Outstanding[] = []
  /** Given up at the front of the queue: their responses are still to come. */
  #passedOver = 0
  #inStep: boolean
  /** Out of step since the capture began, with nothing lost since. */
  #joined: boolean
  #clientWhole = true
  #pipelined = false
  #pairs = 0
  /** Requests given up or not paired that may still be answered; means something while the client is whole. */
  #unresolved = 0
  /** Final responses that ended with nothing unresolved: a request that is delivered late may be theirs. */
  #surplus = 0
  /** Just back in step: the first pair is still to be made. */
  #onProbation = false
  /** Final responses that ended since step was lost. */
  #turns = 0
  /** Out of step, every request had a response before it, and never did two wait when the server was lost. */
  #isOrderly = true
  /** A request that nothing can be paired with began since the last final response ended. */
  #unpairedOpen = false
  /** A response is under way. */
  #responding = false
  #respondingPaired = false
  /** Number of interim responses whose request is not known: the final one shares it. */
  #interim = 0
  /** Last byte of the server. */
  #serverTime = -Infinity

  constructor(options: PairingOptions) {
    this.#giveUp = options.giveUp
    this.#next = (options.numbersBefore ?? 0) + 1
    this.#inStep = options.fromStart
    this.#joined = !options.fromStart
  }

  /** Requests that wait for a response. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Whether pairs are being made. */
  get isInStep(): boolean {
    return this.#inStep
  }

  /**
   * A request begins. `sharesPacket`: its first byte came in the packet that held the end of the request before it.
   * Returns its number and whether the oldest request was given up for it.
   */
  request(time: number, method: number, sharesPacket: boolean): { exchange: number; paired: boolean; overBound: boolean } {
    const exchange = this.#next++
    if (sharesPacket) this.#pipelined = true
    // Back in step a moment ago, and the client does not wait: which request the next response answers cannot be told.
    if (this.#onProbation && this.#waiting.length > 0) {
      this.#pipelined = true
      this.serverLost(this.#serverTime, false)
    }
    if (!this.#inStep && this.#mayStepIn(time)) {
      this.#inStep = true
      this.#joined = false
      this.#clientWhole = true
      this.#onProbation = true
      this.#unresolved = 0
      this.#surplus = 0
      this.#turns = 0
    }
    if (!this.#inStep) {
      this.#noteUnpaired(time)
      return { exchange, paired: false, overBound: false }
    }
    const overBound = this.#waiting.length >= OUTSTANDING_MAX
    if (overBound) {
      this.#passedOver++
      this.#giveUp(this.#waiting.shift()!.exchange)
    }
    this.#waiting.push({ exchange, method, time })
    return { exchange, paired: true, overBound }
  }

  #mayStepIn(time: number): boolean {
    if (this.#pipelined || this.#responding || this.#waiting.length > 0 || this.#passedOver > 0) return false
    if (this.#unpairedOpen || this.#interim !== 0 || !(time > this.#serverTime)) return false
    if (this.#joined) return true
    if (this.#clientWhole && this.#unresolved === 0) return true
    if (this.#pairs >= HISTORY_PAIRS) return this.#turns > 0
    return !this.#clientWhole && this.#isOrderly && this.#turns >= TURNS_WITHOUT_HISTORY
  }

  #noteUnpaired(time: number): void {
    // Sent before the server's last byte, delivered after it: the response that ended meanwhile may have been its own.
    if (time < this.#serverTime && this.#surplus > 0) {
      this.#surplus--
      return
    }
    this.#unresolved++
    if (this.#turns === 0) this.#isOrderly = false
    if (this.#unpairedOpen && !this.#responding) this.#pipelined = true
    if (this.#responding) this.#isOrderly = false
    this.#unpairedOpen = true
  }

  /** A response begins. `unasked` = nothing waited for it although both sides were in step. */
  response(time: number, isInterim: boolean): Answered & { unasked: boolean } {
    this.#responding = true
    if (this.#passedOver > 0) return { ...this.#unpairedResponse(isInterim), unasked: false }
    const first = this.#waiting[0]
    // Back in step a moment ago: a response whose first byte came before that of the request is not its own.
    const tooEarly = this.#onProbation && first !== undefined && time < first.time
    if (first === undefined || tooEarly) {
      const unasked = this.#inStep
      if (tooEarly) this.serverLost(time, false)
      else if (unasked) this.#loseStep(false)
      this.#responding = true
      return { ...this.#unpairedResponse(isInterim), unasked }
    }
    this.#respondingPaired = true
    this.#interim = 0
    if (!isInterim) {
      this.#waiting.shift()
      this.#pairs++
      this.#onProbation = false
      if (this.#waiting.length > 0) this.#pipelined = true
    }
    return { exchange: first.exchange, method: first.method, unasked: false }
  }

  #unpairedResponse(isInterim: boolean): Answered {
    this.#respondingPaired = false
    const exchange = this.#interim === 0 ? this.#next++ : this.#interim
    this.#interim = isInterim ? exchange : 0
    return { exchange, method: undefined }
  }

  /** The response under way is over, with its last byte at `time`. */
  responseOver(time: number, isInterim: boolean): void {
    this.#responding = false
    this.#serverTime = Math.max(this.#serverTime, time)
    if (isInterim) return
    if (this.#respondingPaired) {
      if (this.#waiting.length > 0) this.#pipelined = true
      return
    }
    if (this.#passedOver > 0) this.#passedOver--
    if (this.#unresolved > 0) this.#unresolved--
    else this.#surplus++
    this.#turns++
    this.#unpairedOpen = false
  }

  /** What the client sends can no longer be told apart into requests. */
  clientLost(): void {
    this.#loseStep(true)
  }

  /**
   * What the server sends can no longer be told apart into responses. `responseBegan`: the missing bytes hold the first
   * byte of a response, or of one that was not yet counted.
   */
  serverLost(time: number, responseBegan: boolean): void {
    // Either a pipeline, or a response to each of them but the last is missing.
    if (this.#waiting.length > 1) this.#isOrderly = false
    this.#unresolved += this.#waiting.length + this.#passedOver
    if (responseBegan && this.#unresolved > 0) this.#unresolved--
    this.#loseStep(false)
    for (const { exchange } of this.#waiting) this.#giveUp(exchange)
    this.#waiting.length = 0
    this.#passedOver = 0
    this.#responding = false
    this.#interim = 0
    this.#serverTime = Math.max(this.#serverTime, time)
  }

  /** Bytes of the server that are no part of a message went by, while its next message start is waited for. */
  serverDropped(time: number): void {
    const first = this.#waiting[0]
    if (this.#onProbation && first !== undefined && time > first.time) this.serverLost(time, false)
    this.#serverTime = Math.max(this.#serverTime, time)
  }

  #loseStep(ofClient: boolean): void {
    // The response of a lost request may come before the gap is known: it keeps its turn.
    const hasTurn = ofClient && !this.#inStep && this.#isOrderly && this.#turns === 1
    this.#turns = hasTurn ? 1 : 0
    this.#inStep = false
    this.#joined = false
    this.#onProbation = false
    this.#surplus = 0
    if (ofClient) this.#clientWhole = false
    this.#unpairedOpen = false
  }
}
