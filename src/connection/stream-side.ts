import { CONNECTION_COUNT as COUNT } from './connection-counters.ts'
import type { Connection } from './connection.ts'
import { ABSENT, HeldSegments, OVERLAP } from './held-segments.ts'
import { HoleEvidence } from './hole-evidence.ts'
import type { ReassemblySpace } from './reassembly-space.ts'
import { TCP_ACK, TCP_PSH } from './segment.ts'
import type { Segment } from './segment.ts'
import { advance, distance, earlier, later, milliseconds } from './sequence.ts'
import { END, GAP } from './stream.ts'
import type { End, Gap, Side } from './stream.ts'
import { isBeyondWindow } from './window-reach.ts'

/** Remaining skips up to this are not worth a directive: the bytes are on their way. */
const SKIP_WORTH_BYTES = 4096
/** Furthest that one directive reaches: well under the 2^31 of modular comparison. */
const SKIP_STEP_BYTES = 2 ** 29

/**
 * One direction of a connection: segments in, the stream's bytes and its gaps out, in order.
 *
 * In order, the bytes of the record go straight to the handler. What comes early is held until the hole before it
 * fills or is explained: its record was lost, the peer has acknowledged it, a bound is reached, the stream ends.
 *
 * Bytes that acknowledge what has not come of the peer's stream wait for it too: a capture may show an answer before
 * what it answers.
 */
export class StreamSide {
  readonly side: Side
  connection: Connection // another one, once this one sleeps (side-rest.ts)
  readonly #space: ReassemblySpace
  /** `next` is known. */
  isStarted = false
  /** The SYN of this side was seen, or the SYN/ACK that answers it: `initial` is its sequence number. */
  hasSyn = false
  hasFin = false
  hasEnded = false
  endCause: End = END.shutdown
  /** Of the end, or of a FIN that waits for data before it. */
  endTime = 0
  isWaiting = false
  isSkipping = false
  isBlocked = false // the bytes at `next` are held: they answer what has not come
  /** Bytes that came in a SYN wait for the peer to take them (RFC 7413 3). */
  isSynDataOpen = false
  /** The peer has seen an acknowledgement from this side: it is no mere SYN. */
  hasAcknowledged = false
  answers = 0 // what the packet acknowledges whose bytes were given last
  initial = 0
  next = 0 // sequence of the next byte of the stream
  fin = 0
  /** What the peer acknowledged last; not the highest, so that one forged packet proves nothing. */
  acknowledged = 0
  isAcknowledged = false
  /** Window scale of this side's SYN, 255 = not known. */
  scale = 255
  homeInterface = -1
  homePath = -1
  /** Milliseconds, modulo 2^32 like a sequence number: no heap object per connection. */
  homeTime = 0
  /** End of what another path brought first, and when: its double at home is no retransmission. */
  hasOther = false
  otherEnd = 0
  otherTime = 0
  /** Up to there bytes may stay away, see StreamControl.mayStayAway; only while `hasAway`. */
  awayTo = 0
  hasAway = false
  #skipLeft = 0
  #directed = 0
  #isDirected = false
  passedTo = -1 // where an acknowledgement moved a skip to
  #held: HeldSegments | undefined
  #evidence: HoleEvidence | undefined
  #isHoleHeld = false
  mayBlock = true // bytes may be held although nothing before them is missing

  constructor(connection: Connection, space: ReassemblySpace, side: Side) {
    this.connection = connection
    this.#space = space
    this.side = side
  }

  /** The stream's first byte has this sequence number. */
  start(sequence: number): void {
    this.isStarted = true
    this.next = sequence
    this.initial = (sequence - 1) | 0
  }

  /** What explains this side's holes: made with the first hole or record number. */
  get evidence(): HoleEvidence {
    return (this.#evidence ??= new HoleEvidence(this.#space))
  }

  /** Another kernel entry follows this connection now: it counts anew, and knows no directive. */
  resetTag(): void {
    this.#evidence?.resetNumbers()
    this.#isDirected = false
  }

  get #peer(): StreamSide { return this.connection.sides[this.side === 0 ? 1 : 0] }

  /** True when a segment lies further away than any window reaches: not of this stream. */
  isFar(sequence: number, length: number): boolean {
    return isBeyondWindow(distance(sequence, this.next), length, this.#skipLeft, this.scale, this.#peer.scale)
  }

  /** Bytes after `next` that may have been sent already, as far as is known. */
  get reach(): number {
    const held = this.#held !== undefined && this.#held.count > 0 ? distance(this.#held.end, this.next) : 0
    const acknowledged = this.isAcknowledged ? distance(this.acknowledged, this.next) : 0
    return Math.max(0, held, acknowledged) + this.#skipLeft
  }

  /** True when the stream has all bytes `from` ... `to`. */
  has(from: number, to: number): boolean {
    if (distance(to, this.next) <= 0) return true
    return this.#held !== undefined && this.#held.covers(later(from, this.next), to)
  }

  /** Payload of one segment, which is not far; `isEarly`: it acknowledges what the peer's stream lacks. */
  payload(segment: Segment, isEarly = false): void {
    const { length } = segment
    if (segment.sequence === this.next && segment.captured === length && !isEarly && this.isPlain) {
      this.next = (this.next + length) | 0
      this.answers = segment.acknowledgement
      this.#evidence?.reach(segment.record)
      this.#space.counters.add(COUNT.bytes_delivered, length)
      const handler = this.connection.handler ?? this.connection.begin(segment.time)
      handler.data(this.side, segment.pointer, length, segment.time)
      return
    }
    this.#irregular(segment, isEarly)
  }

  /** True when `acknowledgement` shows that bytes of this stream which are still to come were sent. */
  lacks(acknowledgement: number): boolean {
    // One more may be a FIN; a side that was never seen will not be seen now.
    return distance(acknowledgement, this.#expected) > 1 && this.isStarted && this.homePath >= 0 && !this.hasEnded &&
      !this.isSkipping && !this.isBlocked && !this.isSynDataOpen && !this.connection.isIgnored &&
      !this.isFar(acknowledgement, 0)
  }

  /** Sequence of the next byte that has to come. */
  get #expected(): number { return this.hasAway ? later(this.awayTo, this.next) : this.next }

  /** The next bytes go straight to the handler. */
  get isPlain(): boolean {
    return this.isStarted && !this.isWaiting && !this.isSkipping && !this.hasFin && !this.isSynDataOpen &&
      !this.connection.isIgnored
  }

  #irregular(segment: Segment, isEarly: boolean): void {
    const { time } = segment
    let from = segment.sequence
    let to = advance(from, segment.length)
    if (!this.isStarted && !this.#startMidway(segment)) return
    if (this.connection.isIgnored) {
      if (distance(to, this.next) > 0) this.next = to // (what was not acknowledged may fill a hole, unless it is the last that was sent)
      else if (to === this.next || (this.isAcknowledged && distance(to, this.acknowledged) <= 0)) this.repeated(to, segment)
      return
    }
    if (this.hasFin && distance(to, this.fin) > 0) {
      this.#space.counters.add(COUNT.data_after_fin, 1)
      to = this.fin
      if (distance(to, from) <= 0) return
    }
    if (distance(to, this.next) <= 0) return this.repeated(to, segment)
    while (this.isSkipping && distance(from, this.next) > 0) {
      this.#pass(Math.min(distance(from, this.next), this.#skipLeft), time)
    }
    if (distance(from, this.next) < 0) {
      if (distance(to, this.next) <= 0) return
      from = this.next
      this.#space.counters.add(COUNT.trimmed, 1)
    }
    const held = this.#held
    const isFree = held === undefined || held.count === 0 || distance(held.sequence, to) >= 0
    const bytesFrom = advance(segment.sequence, segment.skipped)
    const bytesTo = advance(bytesFrom, segment.captured)
    if (from === this.next && isFree && !isEarly && !this.isSynDataOpen) {
      this.answers = segment.acknowledgement
      this.#give(earlier(bytesFrom, to), segment.absent, time, segment.record)
      this.#give(earlier(bytesTo, to), segment.pointer + distance(this.next, bytesFrom), time, segment.record)
      this.#give(to, ABSENT.cut, time, segment.record)
    } else {
      this.#hold(from, to, bytesFrom, bytesTo, segment)
    }
    this.drain(time)
  }

  /** Without a SYN the first bytes seen begin the stream. */
  #startMidway(segment: Segment): boolean {
    // A keep-alive probe repeats one byte, and nobody pushes it (RFC 9293 3.8.4); a packet without its bytes says nothing.
    const isProbe = segment.length === 1 && ((segment.tcpFlags & TCP_PSH) === 0 ||
      (this.isAcknowledged && distance(advance(segment.sequence, 1), this.acknowledged) <= 0))
    if (isProbe) this.#space.counters.add(COUNT.retransmitted, 1)
    if (isProbe || (segment.captured === 0 && !this.connection.isIgnored)) return false
    this.start(segment.sequence)
    return true
  }

  /** Counts a segment that brings no new byte. */
  repeated(end: number, segment: Segment): void {
    const { counters, limits } = this.#space
    const isDouble = this.hasOther && distance(end, this.otherEnd) <= 0 &&
      distance(milliseconds(segment.time), this.otherTime) < limits.homeSilentMsMax
    if (isDouble) {
      counters.add(COUNT.duplicates_other_path, 1)
      return
    }
    counters.add(COUNT.retransmitted, 1)
    this.connection.noteRetransmission(this.side)
  }

  /** Gives the handler what lies up to `to`. `bytes`: where the byte at `next` is, or a value of ABSENT. */
  #give(to: number, bytes: number, time: number, record: number): void {
    let left = distance(to, this.next)
    if (left <= 0) return
    let at = bytes
    this.#evidence?.reach(record)
    while (left > 0) {
      if (this.isSkipping) {
        const passed = Math.min(left, this.#skipLeft)
        this.#pass(passed, time)
        left -= passed
        if (at > 0) at += passed
        continue
      }
      const length = left
      left = 0
      if (at <= 0) {
        this.#absent(length, at === ABSENT.cut ? GAP.cut : GAP.leftOut, time)
        continue
      }
      this.next = advance(this.next, length)
      if (this.connection.isIgnored) continue
      this.#space.counters.add(COUNT.bytes_delivered, length)
      const handler = this.connection.handler ?? this.connection.begin(time)
      handler.data(this.side, at, length, time)
    }
    if (this.isSkipping && this.#skipLeft === 0) this.#pass(0, time)
  }

  /** Says that the next `length` bytes are missing. */
  #absent(length: number, cause: Gap, time: number): void {
    this.next = advance(this.next, length)
    if (this.connection.isIgnored) return
    this.connection.noteAbsent(this.side, length, cause)
    const handler = this.connection.handler ?? this.connection.begin(time)
    handler.gap(this.side, length, cause, time)
  }

  /** Lets `length` unwanted bytes go by. */
  #pass(length: number, time: number): void {
    this.next = advance(this.next, length)
    this.#skipLeft -= length
    this.#space.counters.add(COUNT.bytes_skipped, length)
    if (this.#skipLeft > 0) return
    this.#stopSkipping()
    if (!this.connection.isIgnored) this.connection.handler?.skipped(this.side, time)
  }

  #stopSkipping(): void {
    this.isSkipping = false
    this.#skipLeft = 0
    this.#isDirected = false
    this.connection.noteSkipping(this.side, false)
  }

  /** The handler's wish: see StreamControl.skip. */
  skip(length: number): void {
    if (this.hasEnded || this.isSkipping || this.connection.isIgnored || !(length >= 0)) return
    this.isSkipping = true
    this.#skipLeft = length
    this.connection.noteSkipping(this.side, true)
  }

  /** Keeps the bytes that came early; what is already held wins over what comes now. */
  #hold(from: number, to: number, bytesFrom: number, bytesTo: number, segment: Segment): void {
    const { counters } = this.#space
    const held = (this.#held ??= new HeldSegments(this.#space))
    const isRepeated = held.count > 0 && held.covers(from, to)
    if (!isRepeated && from !== this.next) counters.add(COUNT.out_of_order, 1)
    const first = earlier(later(bytesFrom, from), to)
    const last = earlier(later(bytesTo, from), to)
    const overlap = Math.max(
      this.#holdRun(from, first, segment.absent, segment),
      this.#holdRun(first, last, segment.pointer + distance(first, bytesFrom), segment),
      this.#holdRun(last, to, ABSENT.cut, segment))
    if (overlap === OVERLAP.same) counters.add(COUNT.overlap_same, 1)
    if (overlap === OVERLAP.differs) counters.add(COUNT.overlap_differs, 1)
    if (isRepeated) this.repeated(to, segment)
  }

  /** @returns the worst overlap met: a value of OVERLAP */
  #holdRun(start: number, to: number, bytes: number, segment: Segment): number {
    const held = this.#held!
    const { time, record } = segment
    const answered = (segment.tcpFlags & TCP_ACK) !== 0 ? segment.acknowledgement : this.#peer.next
    let from = start
    let overlap: number = OVERLAP.none
    while (distance(to, from) > 0 && !this.hasEnded) {
      if (distance(this.next, from) > 0) from = earlier(this.next, to)
      if (from === to) break
      const stop = held.insert(from, to, bytes <= 0 ? bytes : bytes + distance(from, start), time, record, answered)
      overlap = Math.max(overlap, held.overlap)
      from = stop
      if (stop === to) break
      // Bytes that others hold give way first, the oldest first; then this side's own hole.
      if (!held.isFull && this.#space.relieve(time)) continue
      if (held.count > 0) this.force(time)
      else {
        const hole = distance(from, this.next)
        if (hole > 0) this.#absent(hole, this.#causeNow(hole), time)
        this.answers = answered
        this.#give(to, bytes <= 0 ? bytes : bytes + distance(this.next, start), time, record)
        from = to
      }
    }
    return overlap
  }

  /** Gives up the first hole: a bound is reached. */
  force(time: number): void {
    this.isSynDataOpen = false
    this.mayBlock = false
    const hole = this.#hole()
    if (hole > 0) this.#resolve(hole, this.#causeNow(hole), time)
    else this.drain(time)
    this.mayBlock = !this.hasEnded
  }

  /** No data come after `fin`. */
  finish(fin: number, time: number): void {
    if (this.hasEnded) return
    if (this.connection.isIgnored) {
      this.#end(END.fin, time)
      return
    }
    if (!this.isStarted) this.start(fin)
    const { counters } = this.#space
    if (this.hasFin) return distance(fin, this.fin) > 0 ? counters.add(COUNT.data_after_fin, 1) : undefined
    if (this.isFar(fin, 0)) return counters.add(COUNT.sequence_implausible, 1)
    // An acknowledgement counts the FIN as a byte: a skip that it moved on may have gone one too far.
    const ahead = distance(fin, this.next)
    if (ahead < 0 && !(ahead === -1 && this.next === this.passedTo)) return
    this.hasFin = true
    this.fin = fin
    this.endTime = time
    const beyond = this.#held === undefined ? 0 : this.#held.truncate(fin)
    if (beyond > 0) counters.add(COUNT.data_after_fin, 1)
    this.drain(time)
  }

  /** The peer has acknowledged beyond `next`. */
  acknowledge(time: number): void {
    if (this.hasEnded || !this.isStarted || this.connection.isIgnored) return
    let beyond = distance(this.acknowledged, this.next)
    if (beyond <= 0 || this.isFar(this.acknowledged, 0)) return
    while (this.isSkipping && beyond > 0 && !(this.#held !== undefined && this.#held.count > 0)) {
      this.passedTo = advance(this.next, Math.min(beyond, this.#skipLeft))
      this.#pass(Math.min(beyond, this.#skipLeft), time)
      beyond = distance(this.acknowledged, this.next)
    }
    this.drain(time)
  }

  /** The peer has answered a SYN with data: `taken` bytes of them count. */
  answerSynData(taken: number, time: number): void {
    if (!this.isSynDataOpen) return
    this.isSynDataOpen = false
    if (taken <= 0) {
      this.#held?.clear()
      this.#space.counters.add(COUNT.syn_data_refused, 1)
    }
    this.drain(time)
  }

  /** Gives the handler everything up to the next hole. */
  drain(time: number): void {
    this.isBlocked = false
    while (!this.hasEnded && !this.isSynDataOpen) {
      const held = this.#held
      const isHeld = held !== undefined && held.count > 0
      if (!isHeld && !this.hasFin) break
      const hole = distance(isHeld ? held.sequence : this.fin, this.next)
      if (hole > 0 && !this.isSkipping) break
      if (hole > 0) {
        this.#pass(Math.min(hole, this.#skipLeft), isHeld ? held.time : this.endTime)
      } else if (isHeld) {
        // What these bytes answer may itself have waited for what was given, or found missing, just now.
        const isAhead = this.#peer.isBlocked && distance(held.acknowledgement, this.#peer.next) > 0
        if (isAhead) this.#peer.drain(time)
        if (isAhead && !this.#peer.isBlocked) continue
        this.isBlocked = this.mayBlock && this.#peer.lacks(held.acknowledgement)
        if (this.isBlocked) break
        this.answers = held.acknowledgement
        this.#give(advance(held.sequence, held.length), held.pointer, held.time, held.record)
        held.shift()
      } else {
        this.next = advance(this.fin, 1)
        this.#end(END.fin, this.endTime)
      }
    }
    if (this.connection.isIgnored) this.#held?.clear()
    this.#watch(time)
  }

  /** Bytes missing at `next`, 0 = no hole is known. */
  #hole(): number {
    if (this.hasEnded || !this.isStarted || this.isSynDataOpen || this.connection.isIgnored) return 0
    if (this.#held !== undefined && this.#held.count > 0) return distance(this.#held.sequence, this.next)
    if (this.hasFin) return distance(this.fin, this.next)
    if (!this.isAcknowledged || this.isFar(this.acknowledged, 0)) return 0
    // The last number that is acknowledged may be a FIN that was not captured: never a phantom gap.
    const beyond = distance(this.acknowledged, this.next) - 1
    return beyond >= distance(this.#expected, this.next) ? Math.max(0, beyond) : 0
  }

  #watch(time: number): void {
    const isHole = this.#hole() > 0
    if (!isHole && !this.isWaiting) return
    const holdsBytes = this.#held !== undefined && this.#held.count > 0
    const isSame = isHole && this.isWaiting && this.evidence.next === this.next
    if (isSame && holdsBytes === this.#isHoleHeld) return
    const entry = this.connection.slot * 2 + this.side
    if (this.isWaiting) this.#space.waiting.remove(entry)
    this.isWaiting = isHole
    this.connection.noteWaiting(this.side, isHole)
    if (!isHole) return
    this.#space.waiting.append(holdsBytes ? 0 : 1, entry)
    this.#isHoleHeld = holdsBytes
    if (!isSame) this.evidence.begin(this.next, time)
  }

  /** Gives up the holes that are explained, or too old. */
  settle(time: number): void {
    while (this.isWaiting) {
      const hole = this.#hole()
      if (hole === 0) return this.#watch(time)
      const acknowledged = this.isAcknowledged ? this.acknowledged : undefined
      const { packets } = this.connection
      const cause = this.evidence.explain(advance(this.next, hole), acknowledged, packets, time)
      if (cause === undefined) return
      this.#resolve(hole, cause, time)
    }
  }

  /** Why a hole is given up now: a bound is reached, or the stream ends. */
  #causeNow(hole: number): Gap {
    return this.evidence.causeNow(this.isAcknowledged && distance(this.acknowledged, advance(this.next, hole)) >= 0)
  }

  #resolve(hole: number, cause: Gap, time: number): void {
    const held = this.#held
    const isHeld = held !== undefined && held.count > 0
    if (this.isSkipping) this.#pass(Math.min(hole, this.#skipLeft), time)
    else this.#absent(hole, cause, isHeld ? held.time : this.hasFin ? this.endTime : time)
    this.drain(time)
  }

  /** Tells the source what need not be delivered, if that is worth a system call. */
  direct(time: number): void {
    this.drain(time)
    if (this.isSkipping && this.#skipLeft === 0) this.#pass(0, time)
    const { tag } = this.connection
    if (!this.isSkipping || tag === 0 || this.#skipLeft <= SKIP_WORTH_BYTES) return
    if (this.#isDirected && distance(this.#directed, this.next) > 0) return
    this.#directed = advance(this.next, Math.min(this.#skipLeft, SKIP_STEP_BYTES))
    this.#isDirected = true
    this.#space.source.skip(tag >>> 0, this.side, this.#directed >>> 0)
  }

  /** The stream ends here: what is held goes out with its gaps. */
  end(cause: End, time: number): void {
    this.isSynDataOpen = false
    this.mayBlock = false
    this.#evidence?.expireNumbers()
    this.drain(time)
    for (let hole = this.#hole(); hole > 0; hole = this.#hole()) this.#resolve(hole, this.#causeNow(hole), time)
    if (!this.hasEnded) this.#end(cause, time)
  }

  /** Bytes of a SYN that nobody answered are no part of a stream. */
  dropSynData(): void {
    if (this.isSynDataOpen) this.#held?.clear()
    this.isSynDataOpen = false
  }

  #end(cause: End, time: number): void {
    this.hasEnded = true
    this.endCause = cause
    this.endTime = time
    if (this.isSkipping) this.#stopSkipping()
    this.#held?.clear()
    this.#watch(time)
    this.connection.handler?.end(this.side, cause, time)
  }
}
