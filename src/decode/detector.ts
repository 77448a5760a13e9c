import type { ByteMemory } from '../../lib/bytes/mod.ts'
import { GAP } from '../connection/mod.ts'
import type { End, Gap, Side, StreamControl, StreamHandler, Turns } from '../connection/mod.ts'
import { Carry } from './carry.ts'
import { DETECT } from './decoder.ts'
import type { Protocol } from './decoder.ts'
import type { MessageSink } from './message.ts'

/** What may be wrong before a protocol is found: the names under which it is counted. */
export const DETECTOR_ANOMALY = {
  /** The first bytes are of no protocol that Lintel reads; the connection is ignored. */
  unknown: 'protocol_unknown',
  /** The first bytes of one side are of no protocol that Lintel reads, those of the other are. */
  oneSide: 'protocol_of_one_side',
  /** The connection ended before its first bytes could be told. */
  undecided: 'protocol_undecided',
} as const
export type DetectorAnomaly = (typeof DETECTOR_ANOMALY)[keyof typeof DETECTOR_ANOMALY]

export interface DetectorOptions {
  readonly memory: ByteMemory
  readonly protocols: readonly Protocol[]
  readonly sink: MessageSink
  readonly control: StreamControl
}

/**
 * Bytes of a connection joined mid-way that are looked at in vain before it is ignored: a download that was under way must
 * pass before the next request can be seen.
 */
const JOINED_BYTES_MAX = 4 * 1024 * 1024

/** Bytes of a side that cannot be read which go by while the other side has not spoken, until the connection is ignored. */
const ONE_SIDE_BYTES_MAX = 65_536

/**
 * The first handler of every connection: holds the first bytes of each side until a protocol claims them, then gives way.
 *
 * From the start of a connection, first bytes of both sides that no protocol claims settle it: the connection is ignored. Of
 * one side they do not: a server answers a request line that cannot be read, and that answer is one. In a connection that was
 * joined mid-way, or whose start was lost, each segment is a new chance, up to JOINED_BYTES_MAX.
 *
 * Bound: `detectBytesMax` of the greediest protocol, per side.
 */
export class Detector implements StreamHandler {
  readonly #options: DetectorOptions
  readonly #bytesMax: number
  readonly #held: readonly [Carry, Carry]
  readonly #times: [number, number] = [-1, -1]
  /** Bytes at the front of the side's stream are missing, by no fault of the protocol. */
  readonly #missing: [boolean, boolean] = [false, false]
  /** The first bytes of the side are of no protocol. */
  readonly #refused: [boolean, boolean] = [false, false]
  #isJoined: boolean
  #triedBytes = 0
  #isOver = false
  #handler: StreamHandler | undefined

  constructor(options: DetectorOptions) {
    this.#options = options
    this.#bytesMax = Math.max(...options.protocols.map((protocol) => protocol.detectBytesMax))
    this.#held = [new Carry(options.memory, this.#bytesMax), new Carry(options.memory, this.#bytesMax)]
    this.#isJoined = !options.control.fromStart
  }

  data(side: Side, pointer: number, length: number, time: number): void {
    if (this.#handler !== undefined) return this.#handler.data(side, pointer, length, time)
    if (this.#isOver) return
    if (this.#refused[side] && !this.#isJoined) return this.#refuse(side, length, time)
    const held = this.#held[side]
    if (held.length === 0) this.#times[side] = time
    const take = Math.min(length, held.room)
    // Looked at in place unless something is held already: one segment usually decides.
    const isFirst = held.length === 0
    if (!isFirst && !held.append(pointer, take)) return this.#giveUp(side, time)
    const at = isFirst ? pointer : held.pointer
    const known = isFirst ? length : held.length
    const verdict = this.#ask(side, at, known)
    if (verdict === DETECT.more) {
      if (isFirst && !held.append(pointer, take)) this.#giveUp(side, time)
      return
    }
    if (verdict === DETECT.no) return this.#refuse(side, length, time)
    const handler = this.#open(verdict, time)
    // The other side may have sent too little to be sure of: what came first is given first.
    const other = side === 0 ? 1 : 0
    const isOtherFirst = this.#times[other] <= this.#times[side]
    if (isOtherFirst) this.#replay(other, handler)
    this.#replay(side, handler)
    const given = isFirst ? 0 : take
    if (given < length) handler.data(side, pointer + given, length - given, time)
    if (!isOtherFirst) this.#replay(other, handler)
  }

  gap(side: Side, length: number, cause: Gap, time: number): void {
    if (this.#handler !== undefined) return this.#handler.gap(side, length, cause, time)
    this.#held[side].clear()
    this.#missing[side] = true
    this.#isJoined = true
  }

  skipped(side: Side, time: number): void {
    this.#handler?.skipped(side, time)
  }

  end(side: Side, cause: End, time: number): void {
    if (this.#handler !== undefined) return this.#handler.end(side, cause, time)
    if (!this.#isOver && this.#refused[side]) this.#tell(DETECTOR_ANOMALY.unknown, side, time)
    else if (!this.#isOver && this.#held[side].length > 0) this.#tell(DETECTOR_ANOMALY.undecided, side, time)
    this.#held[side].clear()
  }

  rest(): number {
    return this.#handler?.rest?.() ?? -1
  }

  passed(turns: Turns): void {
    this.#handler!.passed!(turns)
  }

  /** `more` while any protocol wants more and none says yes; `no` when all do. */
  #ask(side: Side, pointer: number, length: number): Protocol | typeof DETECT.more | typeof DETECT.no {
    let wantsMore = false
    for (const protocol of this.#options.protocols) {
      const answer = protocol.detect(side, pointer, length, this.#options.control)
      if (answer === DETECT.yes) return protocol
      if (answer === DETECT.more && length < protocol.detectBytesMax) wantsMore = true
    }
    return wantsMore ? DETECT.more : DETECT.no
  }

  #refuse(side: Side, length: number, time: number): void {
    this.#held[side].clear()
    this.#triedBytes += length
    if (this.#isJoined) {
      if (this.#triedBytes >= JOINED_BYTES_MAX) this.#giveUp(side, time)
      return
    }
    this.#refused[side] = true
    if (this.#refused[side === 0 ? 1 : 0] || this.#triedBytes >= ONE_SIDE_BYTES_MAX) this.#giveUp(side, time)
  }

  #giveUp(side: Side, time: number): void {
    this.#isOver = true
    this.#held[0].clear()
    this.#held[1].clear()
    this.#tell(DETECTOR_ANOMALY.unknown, side, time)
    this.#options.control.ignore()
  }

  #tell(name: DetectorAnomaly, side: Side, time: number): void {
    this.#options.sink.anomaly(this.#options.control, side, name, time)
  }

  #open(protocol: Protocol, time: number): StreamHandler {
    const { control, sink } = this.#options
    const handler = protocol.open(control, sink)
    this.#handler = handler
    for (const side of [0, 1] as const) {
      // In a connection joined mid-way everything before is missing anyway.
      if ((this.#missing[side] || this.#refused[side]) && control.fromStart) handler.gap(side, 0, GAP.lost, time)
      if (this.#refused[side]) this.#tell(DETECTOR_ANOMALY.oneSide, side, time)
    }
    return handler
  }

  #replay(side: Side, handler: StreamHandler): void {
    const held = this.#held[side]
    if (held.length > 0) handler.data(side, held.pointer, held.length, this.#times[side])
    held.clear()
  }
}
