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
  /** No other handler stands around it: once a protocol is found, the connection calls its handler itself. */
  readonly isOutermost?: boolean
}

/**
 * Bytes of a connection joined mid-way that are looked at in vain before it is ignored: a download that was under way must
 * pass before the next request can be seen.
 */
const JOINED_BYTES_MAX = 4 * 1024 * 1024

/** Bytes of a side that cannot be read which go by while the other side has not spoken, until the connection is ignored. */
const ONE_SIDE_BYTES_MAX = 65_536

interface Ending {
  readonly side: Side
  readonly cause: End
  readonly time: number
}

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
  /** First bytes of each side; made with the first that are held. */
  #held0: Carry | undefined
  #held1: Carry | undefined
  #time0 = -1
  #time1 = -1
  /** Bits by side: bytes at the front of its stream are missing, by no fault of the protocol. */
  #missing = 0
  /** Bits by side: its first bytes are of no protocol. */
  #refused = 0
  #isJoined: boolean
  #triedBytes = 0
  #isOver = false
  /** Sides that were over before a protocol was found: its handler learns it. */
  #ends: Ending[] | undefined
  #handler: StreamHandler | undefined

  constructor(options: DetectorOptions) {
    this.#options = options
    this.#bytesMax = Math.max(...options.protocols.map((protocol) => protocol.detectBytesMax))
    this.#isJoined = !options.control.fromStart
  }

  data(side: Side, pointer: number, length: number, time: number): void {
    if (this.#handler !== undefined) return this.#handler.data(side, pointer, length, time)
    if (this.#isOver) return
    if (this.#isRefused(side) && !this.#isJoined) return this.#refuse(side, length, time)
    const held = side === 0 ? this.#held0 : this.#held1
    // Looked at in place unless something is held already: one segment usually decides.
    const isFirst = held === undefined || held.length === 0
    if (isFirst) this.#noteTime(side, time)
    const take = Math.min(length, isFirst ? this.#bytesMax : held.room)
    if (!isFirst && !held.append(pointer, take)) return this.#giveUp(side, time)
    const at = isFirst ? pointer : held.pointer
    const known = isFirst ? length : held.length
    const verdict = this.#ask(side, at, known)
    if (verdict === DETECT.more) {
      if (isFirst && !this.#carry(side).append(pointer, take)) this.#giveUp(side, time)
      return
    }
    if (verdict === DETECT.no) return this.#refuse(side, length, time)
    const rest = length - take
    // In one call: where its messages begin, and what it asks to be skipped, counts from the end of that.
    if (!isFirst && rest > 0 && !this.#hold(side, pointer + take, rest)) return this.#giveUp(side, time)
    const handler = this.#open(verdict, time)
    // The other side may have sent too little to be sure of: what came first is given first.
    const other = side === 0 ? 1 : 0
    const isOtherFirst = this.#timeOf(other) <= this.#timeOf(side)
    if (isOtherFirst) this.#replay(other, handler)
    if (isFirst) handler.data(side, pointer, length, time)
    else this.#replay(side, handler)
    if (!isOtherFirst) this.#replay(other, handler)
  }

  gap(side: Side, length: number, cause: Gap, time: number): void {
    if (this.#handler !== undefined) return this.#handler.gap(side, length, cause, time)
    this.#clear(side)
    this.#missing |= 1 << side
    this.#isJoined = true
  }

  skipped(side: Side, time: number): void {
    this.#handler?.skipped(side, time)
  }

  end(side: Side, cause: End, time: number): void {
    if (this.#handler !== undefined) return this.#handler.end(side, cause, time)
    const held = side === 0 ? this.#held0 : this.#held1
    if (!this.#isOver && this.#isRefused(side)) this.#tell(DETECTOR_ANOMALY.unknown, side, time)
    else if (!this.#isOver && held !== undefined && held.length > 0) this.#tell(DETECTOR_ANOMALY.undecided, side, time)
    if (held !== undefined && held.length > 0) this.#missing |= 1 << side
    this.#clear(side)
    if (!this.#isOver) (this.#ends ??= []).push({ side, cause, time })
  }

  rest(): number {
    return this.#handler?.rest?.() ?? -1
  }

  passed(turns: Turns): void {
    this.#handler!.passed!(turns)
  }

  #carry(side: Side): Carry {
    const { memory } = this.#options
    return side === 0 ? this.#held0 ??= new Carry(memory, this.#bytesMax) : this.#held1 ??= new Carry(memory, this.#bytesMax)
  }

  /** Adds `length` bytes to what is held of a side, over the bound of those that wait: it is on its way. False = no memory. */
  #hold(side: Side, pointer: number, length: number): boolean {
    const held = this.#carry(side)
    const whole = new Carry(this.#options.memory, held.length + length)
    if (!whole.append(held.pointer, held.length) || !whole.append(pointer, length)) {
      whole.clear()
      return false
    }
    held.clear()
    if (side === 0) this.#held0 = whole
    else this.#held1 = whole
    return true
  }

  #clear(side: Side): void {
    if (side === 0) this.#held0?.clear()
    else this.#held1?.clear()
  }

  #isRefused(side: Side): boolean {
    return (this.#refused & (1 << side)) !== 0
  }

  /** When the first of the held bytes came; -1 = none did. */
  #timeOf(side: Side): number {
    return side === 0 ? this.#time0 : this.#time1
  }

  #noteTime(side: Side, time: number): void {
    if (side === 0) this.#time0 = time
    else this.#time1 = time
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
    this.#clear(side)
    this.#triedBytes += length
    if (this.#isJoined) {
      if (this.#triedBytes >= JOINED_BYTES_MAX) this.#giveUp(side, time)
      return
    }
    this.#refused |= 1 << side
    if (this.#isRefused(side === 0 ? 1 : 0) || this.#triedBytes >= ONE_SIDE_BYTES_MAX) this.#giveUp(side, time)
  }

  #giveUp(side: Side, time: number): void {
    this.#isOver = true
    this.#clear(0)
    this.#clear(1)
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
    if (this.#options.isOutermost === true) control.giveWay?.(handler)
    for (const side of [0, 1] as const) {
      // In a connection joined mid-way everything before is missing anyway.
      const isRefused = this.#isRefused(side)
      if (((this.#missing & (1 << side)) !== 0 || isRefused) && control.fromStart) handler.gap(side, 0, GAP.lost, time)
      if (isRefused) this.#tell(DETECTOR_ANOMALY.oneSide, side, time)
    }
    for (const { side, cause, time: ended } of this.#ends ?? []) handler.end(side, cause, ended)
    this.#ends = undefined
    return handler
  }

  #replay(side: Side, handler: StreamHandler): void {
    const held = side === 0 ? this.#held0 : this.#held1
    if (held === undefined) return
    if (held.length > 0) handler.data(side, held.pointer, held.length, this.#timeOf(side))
    held.clear()
  }
}
