/** Requests that may wait for a response on one connection; over it the oldest is given up. */
export const OUTSTANDING_MAX = 1000

/** Pairs without pipelining after which a client counts as one that waits for each response. */
const HISTORY_PAIRS = 4

export interface PairingOptions {
  /** The streams begin at their first byte. */
  readonly fromStart: boolean
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
}

/**
 * Gives requests and responses of one connection their exchange numbers. A pair is made only where it follows from what was
 * seen; everything else gets numbers of its own.
 *
 * The rule. Responses come in the order of their requests (RFC 9112 9.3.2).
 *
 * 1. *Counted*: from the first byte on, while nothing is missing, the n-th final response answers the n-th request. A gap
 *    whose length lies within a body of known length changes nothing, nor does a response sent before its request was whole.
 * 2. *Client's framing lost* (a gap elsewhere, or bytes that cannot be read) while counting: requests already waiting keep
 *    their places, since their responses come first. Later ones are not paired: a lost request may come before them.
 * 3. *Server's framing lost*: every waiting request is given up, since its response may be what is missing.
 * 4. *A response that nothing waits for*: out of step, as if something had been lost.
 * 5. *Out of step* (also from the start when the capture began inside the connection) only what TCP's acknowledgements prove
 *    is paired, one exchange at a time. For a request R and the response P all of this holds:
 *    - nothing waits when R begins;
 *    - *turn*: the last final response was seen from its first byte to its last, had acknowledged exactly the bytes before R
 *      and R's first packet acknowledges exactly the bytes up to that response's end: R is the very next thing said;
 *    - *exact*: P's first packet acknowledges exactly the bytes up to R's end, and P is the very next thing said;
 *    - the client was never seen to pipeline: to send a request before the response to the one before it was over, or to get
 *      two responses without having sent a byte between them. Missing bytes that may hold a request or a response of a
 *      pipeline (bytes of the client while a request waits or right before one, of the server while two wait) count as that,
 *      unless HISTORY_PAIRS pairs were made before.
 *    The first request that fails this ends it, and what waits is given up.
 *
 * What this cannot tell: a client that keeps a constant number of requests under way, joined so late or torn so that none of
 * its earlier ones is seen, each new one sent only once the server has fallen silent, looks in every number like a client that
 * waits.
 *
 * Bound: OUTSTANDING_MAX waiting requests; those given up for it keep their place in the order by count.
 */
export class Pairing {
  readonly #giveUp: (exchange: number) => void
  #next = 1
  readonly #waiting: Outstanding[] = []
  /** Given up at the front of the queue: their responses are still to come. */
  #passedOver = 0
  #inStep: boolean
  /** In step since the first byte: no proof but the count is needed. */
  #counted: boolean
  #pipelined = false
  #pairs = 0
  /** Bytes of the client are missing, and neither a request nor a response has begun since. */
  #isTorn = false
  /** A request that nothing can be paired with began since the last final response ended. */
  #unpairedOpen = false
  /** A response is under way. */
  #responding = false
  #respondingPaired = false
  /** Number of interim responses whose request is not known: the final one shares it. */
  #interim = 0

  constructor(options: PairingOptions) {
    this.#giveUp = options.giveUp
    this.#inStep = options.fromStart
    this.#counted = options.fromStart
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
   * A request begins. `sharesPacket`: its first byte came in the packet that held the end of the request before it. `isTurn`:
   * rule 5. Returns its number and whether the oldest request was given up for it.
   */
  request(method: number, sharesPacket: boolean, isTurn: boolean): { exchange: number; paired: boolean; overBound: boolean } {
    const exchange = this.#next++
    if (sharesPacket) this.#pipelined = true
    if (this.#isTorn && this.#pairs < HISTORY_PAIRS) this.#pipelined = true
    this.#isTorn = false
    if (!this.#counted) {
      if (this.#isProving && this.#waiting.length > 0) {
        this.#pipelined = true
        this.#giveUpAll()
      }
      this.#inStep = isTurn && this.#mayStepIn()
    }
    if (!this.#inStep) {
      if (this.#unpairedOpen && !this.#responding) this.#pipelined = true
      this.#unpairedOpen = true
      return { exchange, paired: false, overBound: false }
    }
    const overBound = this.#waiting.length >= OUTSTANDING_MAX
    if (overBound) {
      this.#passedOver++
      this.#giveUp(this.#waiting.shift()!.exchange)
    }
    this.#waiting.push({ exchange, method })
    return { exchange, paired: true, overBound }
  }

  #mayStepIn(): boolean {
    return !this.#pipelined && !this.#responding && !this.#unpairedOpen && this.#interim === 0 &&
      this.#waiting.length === 0 && this.#passedOver === 0
  }

  /** A response begins. `isExact`: rule 5. `unasked` = nothing waited for it although both sides were in step. */
  response(isInterim: boolean, isExact: boolean): Answered & { unasked: boolean } {
    if (!isExact) this.#stopProving()
    this.#responding = true
    this.#isTorn = false
    const first = this.#waiting[0]
    if (this.#passedOver > 0 || first === undefined) {
      const unasked = this.#inStep && this.#passedOver === 0
      if (unasked) this.#loseStep()
      return { ...this.#unpairedResponse(isInterim), unasked }
    }
    this.#respondingPaired = true
    this.#interim = 0
    if (!isInterim) {
      this.#waiting.shift()
      this.#pairs++
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

  /** The response under way is over. */
  responseOver(isInterim: boolean): void {
    this.#responding = false
    if (isInterim) return
    if (this.#respondingPaired) {
      if (this.#waiting.length > 0) this.#pipelined = true
      return
    }
    if (this.#passedOver > 0) this.#passedOver--
    this.#unpairedOpen = false
  }

  /** Two final responses began with no byte of the client between them. */
  answeredTwice(): void {
    this.#pipelined = true
  }

  /** What the client sends can no longer be told apart into requests. */
  clientLost(): void {
    // What is missing may hold a request that was sent while another waited.
    if (this.#waiting.length > 0 && this.#pairs < HISTORY_PAIRS) this.#pipelined = true
    this.#stopProving()
    this.#loseStep()
    this.#isTorn = true
  }

  /** What the server sends can no longer be told apart into responses. */
  serverLost(): void {
    // Either a pipeline, or a response to each of them but the last is missing.
    if (this.#waiting.length > 1 && this.#pairs < HISTORY_PAIRS) this.#pipelined = true
    this.#loseStep()
    this.#giveUpAll()
    this.#passedOver = 0
    this.#responding = false
    this.#interim = 0
  }

  /** The first bytes of the server that were seen may not be its first: the only request there is may be answered by proof. */
  serverUncertain(): void {
    const isSole = this.#inStep && this.#waiting.length === 1 && this.#passedOver === 0
    if (!isSole) return this.serverLost()
    this.#counted = false
  }

  /** Bytes of the server that are no part of a message went by, while its next message start is waited for. */
  serverDropped(): void {
    this.#stopProving()
  }

  get #isProving(): boolean {
    return this.#inStep && !this.#counted
  }

  /** What waits by proof alone is not known to be answered by what comes next. */
  #stopProving(): void {
    if (!this.#isProving) return
    this.#inStep = false
    this.#giveUpAll()
  }

  #giveUpAll(): void {
    for (const { exchange } of this.#waiting) this.#giveUp(exchange)
    this.#waiting.length = 0
  }

  #loseStep(): void {
    this.#inStep = false
    this.#counted = false
    this.#unpairedOpen = false
  }
}
