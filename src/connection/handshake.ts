import { PACKET_EVENT } from '../capture/mod.ts'
import { CONNECTION_COUNT as COUNT } from './connection-counters.ts'
import type { ConnectionTable } from './connection-table.ts'
import { LINGER } from './connection.ts'
import type { Challenger, Connection } from './connection.ts'
import type { PacketFlow } from './packet-flow.ts'
import { Segment, TCP_ACK, TCP_RST, TCP_SYN } from './segment.ts'
import { advance, distance } from './sequence.ts'
import type { StreamSide } from './stream-side.ts'

/** Largest SYN that is kept aside, its data included (RFC 7413: at most one segment). */
const CHALLENGER_BYTES_MAX = 4096

/**
 * SYNs: where streams begin, who the client is, and when a new connection takes the place of an old one.
 *
 * A SYN that contradicts a live connection may be forged (RFC 5961 4): it is kept aside until the peer
 * answers it, or its own data follow; only then the old streams end.
 */
export class Handshake {
  readonly #table: ConnectionTable
  readonly #flow: PacketFlow
  /** For the kept SYN: the segment at hand is still in use. */
  readonly #replayed = new Segment()

  constructor(table: ConnectionTable, flow: PacketFlow) {
    this.#table = table
    this.#flow = flow
  }

  /**
   * A packet of a finished or a challenged connection. @returns true when it is to be treated as any other
   */
  admit(connection: Connection, me: StreamSide, segment: Segment): boolean {
    const { tcpFlags } = segment
    if (connection.isClosed) {
      const isNew = (tcpFlags & TCP_SYN) !== 0 && (tcpFlags & TCP_RST) === 0 && !isSameSyn(me, segment)
      if (isNew) this.#flow.replace(connection, me.side, segment)
      else if (segment.length > 0 && me.isStarted && me.isFar(segment.sequence, segment.length)) {
        this.#flow.far(connection, me, segment)
      } else this.#flow.late(connection, me, segment)
      return false
    }
    const { challenger } = connection
    if (challenger === undefined) return true
    const { initial } = challenger
    const isOwner = me.side === challenger.side
    const acknowledges = (tcpFlags & TCP_ACK) !== 0 && segment.acknowledgement === advance(initial, 1)
    if (!isOwner && acknowledges && (tcpFlags & TCP_RST) !== 0) {
      connection.dropChallenger()
      return false
    }
    const isData = (tcpFlags & TCP_SYN) === 0 && segment.length > 0
    const continues = isOwner && isData && segment.sequence === advance(initial, 1)
    if (!continues && (isOwner || !acknowledges)) return true
    this.#succeed(connection, challenger, segment)
    return false
  }

  /**
   * The kept SYN is real: it begins a connection in place of the old one, and the segment at hand is that
   * one's.
   */
  #succeed(connection: Connection, challenger: Challenger, segment: Segment): void {
    const { memory } = this.#table.space
    // The copy must outlive its connection.
    connection.challenger = undefined
    this.#replayed.read(memory, challenger.event)
    this.#flow.replace(connection, challenger.side, this.#replayed)
    memory.allocator.free(challenger.event, challenger.bytes)
    this.#table.dispatch(segment)
  }

  /** A SYN or SYN/ACK of a live connection. @returns true when the packet is to be looked at further */
  synchronise(connection: Connection, me: StreamSide, peer: StreamSide, segment: Segment): boolean {
    const isAnswer = (segment.tcpFlags & TCP_ACK) !== 0
    const isNew = connection.packets === 0
    if (!isNew && isSameSyn(me, segment)) return this.#repeat(me, peer, segment)
    if (isNew) return this.#first(connection, me, peer, segment)
    const isOpening = !me.isStarted && !me.hasEnded && peer.hasSyn
    // The peer's SYN: simultaneous open (RFC 9293 3.5), or the second step of a split handshake.
    if (isOpening && !isAnswer) return this.#anchor(connection, me, segment)
    if (isOpening && isAnswer) {
      const taken = distance(segment.acknowledgement, advance(peer.initial, 1))
      if (taken < 0 || taken > 65536) {
        this.#table.counters.add(COUNT.handshake_mismatch, 1)
        return false
      }
      peer.answerSynData(taken, segment.time)
      return this.#anchor(connection, me, segment)
    }
    this.#contradict(connection, me, segment)
    return false
  }

  #first(connection: Connection, me: StreamSide, peer: StreamSide, segment: Segment): boolean {
    const isAnswer = (segment.tcpFlags & TCP_ACK) !== 0
    connection.setClient(isAnswer ? peer.side : me.side)
    if (isAnswer) {
      peer.start(segment.acknowledgement)
      peer.hasSyn = true
    } else {
      connection.isSynFirst = true
      me.isSynDataOpen = segment.length > 0
    }
    return this.#anchor(connection, me, segment)
  }

  #anchor(connection: Connection, me: StreamSide, segment: Segment): boolean {
    me.start(segment.sequence)
    me.hasSyn = true
    me.scale = this.#table.space.memory.u8[segment.event + PACKET_EVENT.tcp_window_scale]!
    if (connection.packets > 0) this.#table.move(connection, LINGER.unconfirmed)
    return true
  }

  #repeat(me: StreamSide, peer: StreamSide, segment: Segment): boolean {
    me.hasSyn = true
    if ((segment.tcpFlags & TCP_ACK) !== 0 && peer.hasSyn) {
      peer.answerSynData(distance(segment.acknowledgement, advance(peer.initial, 1)), segment.time)
    }
    if (segment.length === 0) me.repeated(segment.sequence, segment)
    return true
  }

  #contradict(connection: Connection, me: StreamSide, segment: Segment): void {
    // Nobody has answered the old one: nothing to protect.
    const { side } = me
    if (connection.list === LINGER.halfOpen && me.hasSyn) return this.#flow.replace(connection, side, segment)
    const { event, pointer, captured, sequence } = segment
    const bytes = captured === 0 ? PACKET_EVENT.bytes : pointer - event + captured
    const isSmall = bytes <= CHALLENGER_BYTES_MAX
    if (isSmall && connection.challenge(event, bytes, side, advance(sequence, -1))) return
    this.#flow.replace(connection, side, segment)
  }
}

/** The SYN that opened this side, once more. */
function isSameSyn(me: StreamSide, segment: Segment): boolean {
  return me.isStarted && distance(segment.sequence, me.initial) === 1
}
