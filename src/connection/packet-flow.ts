import * as L from '../../wasm/layout.ts'
import { FLAG_COUNTED, FLAG_NOT_HTTP, HOOK_FILE, PACKET_EVENT } from '../capture/mod.ts'
import { noteBlock, sideBlock } from './connection-block.ts'
import { CONNECTION_COUNT as COUNT } from './connection-counters.ts'
import type { ConnectionTable } from './connection-table.ts'
import { ATTENTION, ATTENTION_AFTER, LINGER } from './connection.ts'
import type { Connection } from './connection.ts'
import { Handshake } from './handshake.ts'
import { isEcho } from './home-path.ts'
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN } from './segment.ts'
import type { Segment } from './segment.ts'
import { advance, distance, milliseconds } from './sequence.ts'
import { END } from './stream.ts'
import type { Side } from './stream.ts'
import type { StreamSide } from './stream-side.ts'

/** Segments in a row that fit each other, but not the stream, until they count as a new connection. */
const FAR_COUNT_MAX = 4
/** Window that is assumed when its scale was not seen (RFC 7323 2.2), as the exponent most kernels use. */
const SCALE_ASSUMED = 7

/** What one TCP packet does to its connection. */
export class PacketFlow {
  readonly #table: ConnectionTable
  readonly #handshake: Handshake

  constructor(table: ConnectionTable) {
    this.#table = table
    this.#handshake = new Handshake(table, this)
  }

  /** A packet of no connection in the table. */
  meet(side: Side, segment: Segment): void {
    const { tcpFlags, marks } = segment
    const { counters } = this.#table
    if ((tcpFlags & TCP_RST) !== 0 || ((tcpFlags & TCP_SYN) === 0 && !isStart(segment))) {
      counters.add(COUNT.stray, 1)
      return
    }
    if ((marks & FLAG_NOT_HTTP) !== 0) {
      counters.add(COUNT.not_http, 1)
      return
    }
    const isSyn = (tcpFlags & TCP_SYN) !== 0
    const list = isSyn && (tcpFlags & TCP_ACK) === 0 ? LINGER.halfOpen : LINGER.unconfirmed
    const connection = this.#table.create(segment, side, list, isSyn)
    if (connection !== undefined) this.packet(connection, side, segment)
  }

  /** A packet of `side`. */
  packet(connection: Connection, side: Side, segment: Segment): void {
    const me = connection.sides[side]
    const peer = connection.sides[side === 0 ? 1 : 0]
    const { tcpFlags, time } = segment
    const { space, counters } = this.#table
    if ((connection.attention & (ATTENTION.closed | ATTENTION.challenged)) !== 0) {
      if (!this.#handshake.admit(connection, me, segment)) return
    }
    const isHome = segment.interfaceIndex === me.homeInterface && segment.path === me.homePath
    if (isHome) me.homeTime = milliseconds(time)
    else if (isEcho(me, peer, segment, space.limits.homeSilentMsMax, counters)) return
    if ((tcpFlags & (TCP_SYN | TCP_RST)) !== 0) {
      if ((tcpFlags & TCP_RST) !== 0) return this.#reset(connection, me, peer, segment)
      if (!this.#handshake.synchronise(connection, me, peer, segment)) return
    } else if (segment.length > 0 && me.isStarted && me.isFar(segment.sequence, segment.length)) {
      // Where an ignored stream is by now, nobody follows.
      if (!connection.isIgnored) return this.far(connection, me, segment)
    }
    this.#note(connection, me, segment)
    if ((tcpFlags & TCP_ACK) !== 0) this.#acknowledge(connection, me, peer, segment)
    if ((segment.marks & FLAG_NOT_HTTP) !== 0 && !connection.isIgnored) this.#reject(connection)
    // The SYN/ACK was missed: that its data are sent again tells that they were not taken.
    if (me.isSynDataOpen && (tcpFlags & TCP_SYN) === 0) {
      me.answerSynData(segment.length > 0 && segment.sequence === me.next ? 0 : 1, time)
    }
    if (segment.length > 0) me.payload(segment, (tcpFlags & TCP_ACK) !== 0 && peer.lacks(segment.acknowledgement))
    if (connection.list === LINGER.silent && hasSpoken(me) && hasSpoken(peer)) this.#table.move(connection, LINGER.open)
    if ((tcpFlags & TCP_FIN) !== 0) {
      // With bytes it is counted by them.
      if (segment.length === 0 && (me.hasFin || me.hasEnded)) connection.noteRetransmission(side)
      me.finish(advance(segment.sequence, segment.length), time)
    }
    if ((connection.attention & ATTENTION_AFTER) !== 0) this.#settle(connection, time)
    if (peer.isBlocked) peer.drain(time)
    if (me.hasEnded && peer.hasEnded) this.#table.settleFins(connection, time)
    if ((connection.attention & ATTENTION.rested) !== 0) {
      connection.attention &= ~ATTENTION.rested
      this.#table.steady.lend(connection)
    }
  }

  /**
   * A segment from far outside of the stream: forged, or of a new connection on the same ports whose SYN was
   * missed.
   */
  far(connection: Connection, me: StreamSide, segment: Segment): void {
    this.#table.counters.add(COUNT.sequence_implausible, 1)
    connection.farCount = segment.sequence === connection.farNext ? connection.farCount + 1 : 1
    connection.farNext = advance(segment.sequence, segment.length)
    const isOtherTag = segment.tag !== 0 && connection.tag !== 0 && segment.tag !== connection.tag
    if (connection.farCount >= FAR_COUNT_MAX || isOtherTag) this.replace(connection, me.side, segment)
  }

  /** A packet behind the end of its connection: counted as long as the end is not told. */
  late(connection: Connection, me: StreamSide, segment: Segment): void {
    const { counters, space } = this.#table
    counters.add(COUNT.late_packets, 1)
    if (connection.closedBy === undefined) return
    const isHome = segment.interfaceIndex === me.homeInterface && segment.path === me.homePath
    const peer = connection.sides[me.side === 0 ? 1 : 0]
    if (!isHome && isEcho(me, peer, segment, space.limits.homeSilentMsMax, counters)) return
    noteBlock(space.memory, connection.block, me.side, segment)
    if ((segment.tcpFlags & TCP_RST) !== 0) connection.noteReset(me.side)
    else if (segment.length > 0 ? distance(segment.sequence, me.next) < 0 : (segment.tcpFlags & TCP_FIN) !== 0 && me.endCause === END.fin) {
      connection.noteRetransmission(me.side)
    }
  }

  /** Ends a connection because another one took its place, and makes that from the segment. */
  replace(connection: Connection, side: Side, segment: Segment): void {
    if (!connection.isClosed) this.#table.end(connection, END.replaced, segment.time)
    this.#table.remove(connection)
    this.meet(side, segment)
  }

  #note(connection: Connection, me: StreamSide, segment: Segment): void {
    connection.packets++
    connection.isCounted = (segment.marks & FLAG_COUNTED) !== 0
    this.#table.touch(connection, segment.time)
    noteBlock(this.#table.space.memory, connection.block, me.side, segment)
    if (segment.tag !== 0 && segment.tag !== connection.tag) {
      connection.tag = segment.tag
      for (const each of connection.sides) each.resetTag()
    }
    if (segment.isNumbered) me.evidence.number(segment.record, segment.time)
  }

  #acknowledge(connection: Connection, me: StreamSide, peer: StreamSide, segment: Segment): void {
    peer.acknowledged = segment.acknowledgement
    peer.isAcknowledged = true
    if (!me.hasAcknowledged) {
      me.hasAcknowledged = true
      if (peer.hasAcknowledged) this.#confirm(connection, segment)
      else if (connection.list === LINGER.halfOpen) this.#table.move(connection, LINGER.unconfirmed)
    }
    if (distance(segment.acknowledgement, peer.next) > 0) peer.acknowledge(segment.time)
  }

  /** Both endpoints have acknowledged something: no forged SYN any more. */
  #confirm(connection: Connection, segment: Segment): void {
    if (!connection.isIgnored) this.#table.move(connection, LINGER.silent)
    if (connection.fromStart) this.#table.tellOpened(connection, segment.time)
    if (!connection.isSynFirst || (segment.tcpFlags & TCP_SYN) !== 0) return
    // A source that leaves out bare acknowledgements shows the end of the handshake only if this is the
    // second packet.
    const { memory } = this.#table.space
    const { event } = segment
    const isCounted = (segment.marks & FLAG_COUNTED) !== 0
    const isSecond = isCounted && memory.u32[(event + PACKET_EVENT.seen_packets) >> 2] === 2
    if (segment.length > 0 && !isSecond && memory.u8[event + PACKET_EVENT.hook] !== HOOK_FILE) return
    const start = memory.f64[(connection.block + L.CONNECTION_START_TIME) >> 3]!
    memory.f64[(connection.block + L.CONNECTION_HANDSHAKE) >> 3] = Math.max(0, segment.time - start)
  }

  /** The kernel says that no known protocol is spoken: no directive is needed. */
  #reject(connection: Connection): void {
    this.#table.counters.add(COUNT.not_http, 1)
    connection.isIgnored = true
    connection.attention |= ATTENTION.ignored
    this.#table.move(connection, LINGER.unconfirmed)
    if (!connection.isListed) this.#table.restQueue.add(connection)
  }

  #settle(connection: Connection, time: number): void {
    for (const side of connection.sides) {
      if ((connection.attention & (ATTENTION.skipping << side.side)) !== 0) side.direct(time)
      if (side.isWaiting) side.settle(time)
      if (connection.isIgnored) side.drain(time)
    }
    for (const side of connection.sides) if (side.isBlocked) side.drain(time)
    connection.attention &= ~ATTENTION.ignored
  }

  #reset(connection: Connection, me: StreamSide, peer: StreamSide, segment: Segment): void {
    const { counters } = this.#table
    if (segment.length > 0) counters.add(COUNT.reset_with_data, 1)
    this.#note(connection, me, segment)
    connection.noteReset(me.side)
    const isAnswer = connection.list === LINGER.halfOpen && peer.hasSyn && !me.hasSyn
    const isValid = isAnswer ? this.#refuses(peer, segment) : this.#isInWindow(connection, me, peer, segment)
    if (!isValid && (isAnswer || !connection.isIgnored)) {
      counters.add(COUNT.reset_ignored, 1)
      return
    }
    this.#table.end(connection, isAnswer ? 'refused' : END.reset, segment.time)
    this.#table.linger(connection)
  }

  /** RFC 9293 3.10.7.3: a RST answers a SYN if it acknowledges it. */
  #refuses(peer: StreamSide, segment: Segment): boolean {
    const beyond = distance(segment.acknowledgement, peer.initial)
    return (segment.tcpFlags & TCP_ACK) !== 0 && beyond > 0 && beyond <= 65536
  }

  /** RFC 9293 3.10.7.4: a RST counts inside of the receive window only. */
  #isInWindow(connection: Connection, me: StreamSide, peer: StreamSide, segment: Segment): boolean {
    const { memory } = this.#table.space
    const scale = peer.scale <= 14 && me.scale <= 14 ? peer.scale : SCALE_ASSUMED
    const raw = memory.u16[(sideBlock(connection.block, peer.side) + L.SIDE_WINDOW) >> 1]!
    const window = Math.max(raw * 2 ** scale, 65536)
    if (!me.isStarted) {
      // Nothing but the acknowledgement tells whether it belongs here.
      if (!peer.isStarted || (segment.tcpFlags & TCP_ACK) === 0) return true
      return Math.abs(distance(segment.acknowledgement, peer.next)) <= window
    }
    const ahead = distance(segment.sequence, me.next)
    // After a FIN its own number is what the endpoint sends next, or just has sent.
    return ahead >= (me.hasEnded ? -1 : 0) && ahead <= window + me.reach
  }
}

/** Bytes of it were given, or passed over. */
function hasSpoken(side: StreamSide): boolean {
  return side.isStarted && distance(side.next, side.initial) !== 1
}

/** Bytes that can begin a stream without a handshake: present, and no keep-alive probe. */
function isStart(segment: Segment): boolean {
  return segment.captured > 0 && (segment.length > 1 || (segment.tcpFlags & TCP_PSH) !== 0)
}
