/**
 * Ways to change how a connection was carried without changing what was said on it.
 *
 * @module
 */
import { TCP_FLAG } from '../../../lib/pcap/builder.ts'
import type { Random } from './damage.ts'
import type { Trace, TraceSegment } from './trace.ts'

/** Cuts segment `index` in two, the first of `bytes`. Both halves keep its time. */
export function split(trace: Trace, index: number, bytes: number): Trace {
  return { ...trace, segments: trace.segments.flatMap((segment, place) => (place === index ? pieces(segment, [bytes]) : [segment])) }
}

/** Cuts every payload anew, each piece of 1 to `most` bytes. */
export function resegment(trace: Trace, random: Random, most: number): Trace {
  return {
    ...trace,
    segments: trace.segments.flatMap((segment) => {
      const cuts: number[] = []
      for (let left = segment.payload.length; left > 0;) {
        const bytes = Math.min(left, 1 + random.below(most))
        cuts.push(bytes)
        left -= bytes
      }
      return pieces(segment, cuts.slice(0, -1))
    }),
  }
}

/** Flags of the end go with the last piece, those of the start with the first. */
function pieces(segment: TraceSegment, cuts: readonly number[]): TraceSegment[] {
  const list: TraceSegment[] = []
  let at = 0
  // A SYN takes a sequence number before the payload.
  const syn = (segment.flags & TCP_FLAG.SYN) !== 0 ? 1 : 0
  for (const bytes of [...cuts, segment.payload.length - cuts.reduce((sum, cut) => sum + cut, 0)]) {
    const isLast = at + bytes === segment.payload.length
    list.push({
      ...segment,
      sequence: (segment.sequence + at + (at > 0 ? syn : 0)) >>> 0,
      flags: isLast ? (at > 0 ? segment.flags & ~TCP_FLAG.SYN : segment.flags)
        : segment.flags & ~(TCP_FLAG.FIN | TCP_FLAG.PSH | (at > 0 ? TCP_FLAG.SYN : 0)),
      payload: segment.payload.subarray(at, at + bytes),
    })
    at += bytes
  }
  return list
}

/**
 * Segments of one direction change places, none by more than `window`; the handshake stays. Times stay with the places, as a
 * capture shows them.
 */
export function reorder(trace: Trace, random: Random, window: number): Trace {
  const segments = [...trace.segments]
  const isMovable = (segment: TraceSegment): boolean => (segment.flags & (TCP_FLAG.SYN | TCP_FLAG.RST)) === 0
  for (let place = 0; place < segments.length; place++) {
    const other = place + 1 + random.below(window)
    const run = segments.slice(place, other + 1)
    // Only within a run of one direction: what one side says never comes before what it answers.
    if (other >= segments.length || run.some((segment) => segment.fromClient !== run[0]!.fromClient || !isMovable(segment))) continue
    const first = segments[place]!
    segments[place] = segments[other]!
    segments[other] = first
    place = other
  }
  return { ...trace, segments: segments.map((segment, place) => ({ ...segment, time: trace.segments[place]!.time })) }
}

/**
 * Neighbours change places whatever their directions, as in a capture that takes each direction from a queue of its own: an
 * answer may stand before what it answers. The handshake stays.
 */
export function interleave(trace: Trace, random: Random): Trace {
  const segments = [...trace.segments]
  for (let place = 3; place + 1 < segments.length; place++) {
    if (random.below(3) !== 0) continue
    const first = segments[place]!
    segments[place] = segments[place + 1]!
    segments[place + 1] = first
    place++
  }
  return { ...trace, segments: segments.map((segment, place) => ({ ...segment, time: trace.segments[place]!.time })) }
}

/** Some segments are not in the capture. */
export function lose(trace: Trace, random: Random, oneIn: number): Trace {
  return { ...trace, segments: trace.segments.filter((_, place) => place < 3 || random.below(oneIn) !== 0) }
}

/** Some segments come twice, the second time up to `distance` places later. */
export function duplicate(trace: Trace, random: Random, distance: number): Trace {
  const segments: TraceSegment[] = []
  const late: { after: number; segment: TraceSegment }[] = []
  trace.segments.forEach((segment, place) => {
    segments.push(segment)
    if (random.below(3) === 0) late.push({ after: place + random.below(distance), segment })
    for (const copy of late.filter(({ after }) => after === place)) segments.push({ ...copy.segment, time: segment.time })
  })
  return { ...trace, segments }
}

/**
 * Some payload is sent again, cut otherwise: from inside of one segment to inside of the next one of the same direction.
 * The bytes are the same.
 */
export function retransmit(trace: Trace, random: Random): Trace {
  const segments: TraceSegment[] = []
  const last: [TraceSegment | undefined, TraceSegment | undefined] = [undefined, undefined]
  for (const segment of trace.segments) {
    segments.push(segment)
    const side = segment.fromClient ? 0 : 1
    const before = last[side]
    if (segment.payload.length > 0) last[side] = segment
    const isNext = before !== undefined && segment.payload.length > 0
      && ((before.sequence + before.payload.length) >>> 0) === segment.sequence
    if (!isNext || random.below(2) === 0) continue
    const from = random.below(before.payload.length)
    const to = random.below(segment.payload.length + 1)
    segments.push({
      ...segment,
      flags: segment.flags & ~TCP_FLAG.FIN,
      sequence: (before.sequence + from) >>> 0,
      payload: Buffer.concat([before.payload.subarray(from), segment.payload.subarray(0, to)]),
    })
  }
  return { ...trace, segments }
}

/** A segment with payload is lost before the capture point and sent again after the others of its run. */
export function loseAndResend(trace: Trace, random: Random): Trace {
  const segments = [...trace.segments]
  for (let place = 0; place + 1 < segments.length; place++) {
    const lost = segments[place]!
    if (lost.payload.length === 0 || (lost.flags & TCP_FLAG.SYN) !== 0 || random.below(3) !== 0) continue
    let end = place + 1
    while (end < segments.length && segments[end]!.fromClient === lost.fromClient && (segments[end]!.flags & TCP_FLAG.RST) === 0) end++
    if (end === place + 1) continue
    segments.splice(place, 1)
    segments.splice(end - 1, 0, lost)
    place = end
  }
  return { ...trace, segments: segments.map((segment, place) => ({ ...segment, time: trace.segments[place]!.time })) }
}

/** Both streams begin at other numbers. */
export function shift(trace: Trace, clientStart: number, serverStart: number): Trace {
  const first = (fromClient: boolean): number => trace.segments.find((segment) => segment.fromClient === fromClient)?.sequence ?? 0
  const client = clientStart - first(true)
  const server = serverStart - first(false)
  return {
    ...trace,
    segments: trace.segments.map((segment) => ({
      ...segment,
      sequence: (segment.sequence + (segment.fromClient ? client : server)) >>> 0,
      acknowledgement: (segment.flags & TCP_FLAG.ACK) === 0 ? segment.acknowledgement
        : (segment.acknowledgement + (segment.fromClient ? server : client)) >>> 0,
    })),
  }
}

/** The same connection between other addresses. */
export function readdress(trace: Trace, client: string, server: string): Trace {
  return { ...trace, client, server }
}
