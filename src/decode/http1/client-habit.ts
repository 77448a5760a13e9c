import { distance } from '../../connection/mod.ts'
import type { Turns } from '../../connection/mod.ts'
import * as R from './rest-row.ts'

/** Requests in a row, from the client's first byte on, each sent after an answer: then the client is one that waits. */
const TURNS = 4
/** Turns after which a client that waits is believed to have done so in bytes of its own that are missing, too. */
const DOUBT = 2
/** A pause tells something when it was this many times as long as the answer that then came at once. */
const PAUSE_PER_ANSWER = 4
/** And this many times as long as the client's shortest one, which may be the way to it and back ... */
const PAUSE_PER_SHORTEST = 4
/** ... or as long as no way is, in nanoseconds (RFC 6298 2: what a round trip is taken for until it is known). */
const PAUSE_NS = 1e9
/** One pause is worth this much at most: two are the least that settle it. */
const PAUSE_ODDS_MAX = 1000
/** Turns over which pauses are counted together, so that chance coincidences do not add up for ever. */
export const PAUSE_TURNS = 32
/** Odds against a server that owes something answering by mere chance only after each of the pauses. */
const ODDS = 1e6

const HABITS = ['unknown', 'waits', 'pipelines'] as const

/**
 * Whether a client waits for each response before it sends the next request, or pipelines: as far as its requests, the
 * server's responses and the acknowledgements of both tell.
 *
 * *Pipelines*, for good, by any one sign of a request that was sent while a response was owed:
 * - it came in the packet of the one before, or acknowledges no more than that one did, or less than the whole response before
 *   it, which had not received it;
 * - a response is under way, or fewer final responses than requests have begun, with no byte of the server missing;
 * - bytes of the client are missing between two requests, and the server answered one only;
 * - a response had not received the request that came before it (`notReceived`), or no more of the client than the one before it
 *   had, or the server went on with something else than a response (`continued`).
 *
 * *Waits*, by either of
 * - *turns*: TURNS requests in a row from the client's first byte on, none of its bytes missing and no sign among them. A
 *   client that keeps several under way shows it with its second one;
 * - *pauses*: where the client's first bytes are not known, several requests may have been under way all the time, each answer
 *   being that of an earlier one: a client that always keeps two under way, before a slow server, shows the very same packets as
 *   one that waits, up to their sequence numbers. Only time tells them apart: a server sends what it owes when it has it, and
 *   does not know when the next request comes. When again and again the server is silent in a long pause of the client, and
 *   answers shortly after its end, then nothing was owed. A pause of `p` before an answer that took `a` is such a coincidence
 *   with a chance of 1 in 1 + p / a; pauses within PAUSE_TURNS turns that together stand 1 to ODDS against it settle the matter.
 *   Pauses that may be no more than the way to the client and back count for nothing, since that way and a server's time are the
 *   same again and again.
 *
 * What it rests on: a client that was seen to wait does not begin to pipeline inside missing bytes (unless it shows itself within
 * DOUBT turns more), and a server's work does not end, by chance, just after the client's pauses.
 */
export class ClientHabit {
  #habit: typeof HABITS[number] = 'unknown'
  /** Turns without a sign that are still to come before a client that waits is believed again. */
  #doubt = 0
  /** From its first byte on, nothing of the client is missing. */
  #isWhole: boolean
  #turns = 0
  #hasRequest = false
  #requestAcknowledgement = 0
  #requestTime = 0
  #isRequestOpen = false
  /** The response to it was the next thing that the server said. */
  #isAnswered = false
  /** Bytes of the client are missing after the end of its last request. */
  #isTorn = false
  /** Bytes of the server are missing since the last request. */
  #isServerTorn = true
  /** Final responses that began since the last request. */
  #finals = 0
  #hasResponse = false
  #responseAcknowledgement = 0
  #isResponding = false
  /** Where, and when, the last final response ended; known only while `#hasEnd`. */
  #hasEnd = false
  #end = 0
  #endTime = 0
  /** Of the request at hand, -1 = not known. */
  #pause = -1
  #shortest = Infinity
  #odds = 1
  /** Turns over which these are counted. */
  #oddsTurns = 0

  constructor(isWhole: boolean) {
    this.#isWhole = isWhole
  }

  /** 'unknown' as well while bytes of a client that waits were lost a moment ago. */
  get verdict(): typeof HABITS[number] {
    return this.#doubt > 0 && this.#habit === 'waits' ? 'unknown' : this.#habit
  }

  /** No request was seen, and nothing of the client is missing. */
  get isNew(): boolean {
    return this.#isWhole && !this.#hasRequest
  }

  /**
   * A request begins.
   *
   * @param sharesPacket    its first byte came in the packet that held the end of the request before it
   * @param position        where that byte stands in the client's stream
   * @param acknowledgement of its packet
   * @param serverPosition  where the server's stream stands
   */
  request(time: number, sharesPacket: boolean, position: number, acknowledgement: number, serverPosition: number): void {
    // The client has received what is missing here, though that was not told yet.
    if (distance(acknowledgement, serverPosition) > 0) this.#isServerTorn = true
    if (sharesPacket || this.#isOwed(position, acknowledgement)) this.#habit = 'pipelines'
    else if (this.#isWhole && this.#hasRequest && ++this.#turns >= TURNS) this.#settle()
    const isTurn = this.#hasEnd && acknowledgement === this.#end
    this.#pause = isTurn ? time - this.#endTime : -1
    if (isTurn && this.#isAnswered && this.#doubt > 0) this.#doubt--
    this.#isAnswered = false
    this.#hasRequest = true
    this.#requestAcknowledgement = acknowledgement
    this.#requestTime = time
    this.#isRequestOpen = true
    this.#isTorn = false
    // One gap may hold the answers to this request and to others.
    this.#isServerTorn = acknowledgement !== serverPosition
    this.#finals = 0
  }

  #isOwed(position: number, acknowledgement: number): boolean {
    // A capture may show the answer before what it answers: then it acknowledges that.
    const isLate = this.#hasEnd && distance(acknowledgement, this.#end) < 0
    if (isLate && distance(this.#responseAcknowledgement, position) <= 0) return true
    if (this.#hasRequest && acknowledgement === this.#requestAcknowledgement) return true
    if (this.#isServerTorn) return false
    return this.#isResponding || (this.#hasRequest && this.#finals < (this.#isTorn ? 2 : 1))
  }

  #settle(): void {
    if (this.#habit === 'unknown') this.#habit = 'waits'
  }

  /** The last request was read to its end. */
  requestOver(): void {
    this.#isRequestOpen = false
  }

  /** A response begins. `acknowledgement`: of the packet of its first byte. */
  response(acknowledgement: number, isInterim: boolean): void {
    this.#isResponding = true
    if (isInterim) return
    if (this.#hasResponse && acknowledgement === this.#responseAcknowledgement) this.#habit = 'pipelines'
    this.#hasResponse = true
    this.#responseAcknowledgement = acknowledgement
    this.#hasEnd = false
    this.#finals++
  }

  /** The response that began last is the next thing that the server said after the last request. */
  answered(time: number): void {
    this.#isAnswered = true
    const pause = this.#pause
    const answer = Math.max(1, time - this.#requestTime)
    this.#pause = -1
    if (++this.#oddsTurns > PAUSE_TURNS) this.#countPausesAnew()
    if (!(pause > 0)) return
    if (pause < this.#shortest) this.#shortest = pause
    if (pause < PAUSE_PER_ANSWER * answer || pause < Math.min(PAUSE_NS, PAUSE_PER_SHORTEST * this.#shortest)) return
    this.#odds *= Math.min(PAUSE_ODDS_MAX, 1 + pause / answer)
    if (this.#odds >= ODDS) this.#settle()
  }

  #countPausesAnew(): void {
    this.#odds = 1
    this.#oddsTurns = 1
  }

  /** The response under way is over. `position`: where the server's stream stands. */
  responseOver(time: number, isInterim: boolean, position: number): void {
    this.#isResponding = false
    if (isInterim) return
    this.#hasEnd = true
    this.#end = position
    this.#endTime = time
  }

  /** A response began whose sender had not received the last request. */
  notReceived(): void {
    this.#habit = 'pipelines'
  }

  /** What the server sent right after the last request was no beginning of a response. */
  continued(): void {
    this.#habit = 'pipelines'
  }

  /** The last request was answered, all of both was seen, and nothing that was lost leaves a doubt. */
  get isAtRest(): boolean {
    return this.#hasRequest && !this.#isRequestOpen && !this.#isResponding && this.#hasEnd && this.#doubt === 0 && !this.#isTorn
  }

  /**
   * Turns without any sign of a pipeline: each request acknowledges all of the response before it, each response all of its
   * request. `position`: where the server's stream stands after the last one.
   */
  passed(turns: Turns, position: number): void {
    if (this.#isWhole && (this.#turns += turns.count) >= TURNS) this.#settle()
    this.#pause = -1
    this.#isAnswered = false
    this.#requestAcknowledgement = turns.requestAcknowledgement
    this.#requestTime = turns.requestTime
    this.#isServerTorn = false
    this.#finals = 1
    this.#hasResponse = true
    this.#responseAcknowledgement = turns.responseAcknowledgement
    this.#end = position
    this.#endTime = turns.responseTime
  }

  /** Writes into a row (rest-row.ts) what it knows at rest; `wake` makes any habit this one. */
  sleep(view: DataView, at: number): void {
    view.setUint8(at + R.REST_HABIT, HABITS.indexOf(this.#habit))
    view.setUint8(at + R.REST_FLAGS, (this.#isWhole ? R.REST_FLAG.isWhole : 0) | (this.#isServerTorn ? R.REST_FLAG.isServerTorn : 0))
    view.setUint32(at + R.REST_TURNS, this.#turns, true)
    view.setUint32(at + R.REST_FINALS, this.#finals, true)
    view.setUint32(at + R.REST_ODDS_TURNS, this.#oddsTurns, true)
    view.setInt32(at + R.REST_REQUEST_ACKNOWLEDGEMENT, this.#requestAcknowledgement, true)
    view.setInt32(at + R.REST_RESPONSE_ACKNOWLEDGEMENT, this.#responseAcknowledgement, true)
    view.setInt32(at + R.REST_END, this.#end, true)
    view.setFloat64(at + R.REST_END_TIME, this.#endTime, true)
    view.setFloat64(at + R.REST_SHORTEST, this.#shortest, true)
    view.setFloat64(at + R.REST_ODDS, this.#odds, true)
  }

  /** Any habit becomes a new one. */
  renew(isWhole: boolean): void {
    this.#habit = 'unknown'
    this.#doubt = 0
    this.#isWhole = isWhole
    this.#turns = 0
    this.#hasRequest = false
    this.#requestAcknowledgement = 0
    this.#requestTime = 0
    this.#isRequestOpen = false
    this.#isAnswered = false
    this.#isTorn = false
    this.#isServerTorn = true
    this.#finals = 0
    this.#hasResponse = false
    this.#responseAcknowledgement = 0
    this.#isResponding = false
    this.#hasEnd = false
    this.#end = 0
    this.#endTime = 0
    this.#pause = -1
    this.#shortest = Infinity
    this.#odds = 1
    this.#oddsTurns = 0
  }

  wake(view: DataView, at: number): void {
    const flags = view.getUint8(at + R.REST_FLAGS)
    this.#habit = HABITS[view.getUint8(at + R.REST_HABIT)]!
    this.#isWhole = (flags & R.REST_FLAG.isWhole) !== 0
    this.#isServerTorn = (flags & R.REST_FLAG.isServerTorn) !== 0
    this.#turns = view.getUint32(at + R.REST_TURNS, true)
    this.#finals = view.getUint32(at + R.REST_FINALS, true)
    this.#oddsTurns = view.getUint32(at + R.REST_ODDS_TURNS, true)
    this.#requestAcknowledgement = view.getInt32(at + R.REST_REQUEST_ACKNOWLEDGEMENT, true)
    this.#responseAcknowledgement = view.getInt32(at + R.REST_RESPONSE_ACKNOWLEDGEMENT, true)
    this.#end = view.getInt32(at + R.REST_END, true)
    this.#endTime = view.getFloat64(at + R.REST_END_TIME, true)
    this.#shortest = view.getFloat64(at + R.REST_SHORTEST, true)
    this.#odds = view.getFloat64(at + R.REST_ODDS, true)
    // What `isAtRest` says.
    this.#hasRequest = true
    this.#hasResponse = true
    this.#hasEnd = true
    this.#isRequestOpen = false
    this.#isResponding = false
    this.#isTorn = false
    this.#doubt = 0
  }

  clientLost(): void {
    this.#isWhole = false
    this.#doubt = DOUBT
    this.#isAnswered = false
    if (!this.#isRequestOpen) this.#isTorn = true
    this.#isRequestOpen = false
  }

  serverLost(): void {
    this.#isServerTorn = true
    this.#isResponding = false
    this.#hasEnd = false
  }
}
