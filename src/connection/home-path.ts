import { CONNECTION_COUNT as COUNT } from './connection-counters.ts'
import type { ConnectionCounters } from './connection-counters.ts'
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from './segment.ts'
import type { Segment } from './segment.ts'
import { advance, distance, milliseconds } from './sequence.ts'
import type { StreamSide } from './stream-side.ts'

/**
 * A capture of several interfaces, or inside and outside of a tunnel, shows a packet more than once. Each
 * side has a home path, the first that showed it; from another path counts only what brings something new.
 * When home has been silent for long, the path that brings news becomes home.
 *
 * @returns true when the packet is a double, to be dropped
 */
export function isEcho(
  me: StreamSide,
  peer: StreamSide,
  segment: Segment,
  homeSilentMs: number,
  counters: ConnectionCounters,
): boolean {
  const isFirst = me.homePath < 0
  if (!isFirst && !bringsNews(me, peer, segment)) {
    counters.add(COUNT.duplicates_other_path, 1)
    return true
  }
  if (isFirst || distance(milliseconds(segment.time), me.homeTime) > homeSilentMs) {
    if (!isFirst) counters.add(COUNT.rehomed, 1)
    me.homeInterface = segment.interfaceIndex
    me.homePath = segment.path
    me.homeTime = milliseconds(segment.time)
  } else {
    me.otherEnd = advance(segment.sequence, segment.length)
    me.otherTime = milliseconds(segment.time)
    me.hasOther = true
  }
  return false
}

function bringsNews(me: StreamSide, peer: StreamSide, segment: Segment): boolean {
  const { tcpFlags, sequence, length } = segment
  if ((tcpFlags & TCP_RST) !== 0) return !me.hasEnded
  if ((tcpFlags & TCP_SYN) !== 0) return !me.hasSyn || distance(sequence, me.initial) !== 1
  if ((tcpFlags & TCP_FIN) !== 0 && !me.hasFin) return true
  if (length > 0) return !me.isStarted || !me.has(sequence, advance(sequence, length))
  if ((tcpFlags & TCP_ACK) === 0) return false
  return !peer.isAcknowledged || distance(segment.acknowledgement, peer.acknowledged) > 0
}
