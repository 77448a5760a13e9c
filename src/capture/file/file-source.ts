import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { openCapture, PACKET_DIRECTION, READ } from '../../../lib/pcap/mod.ts'
import type { Capture, PcapWarnings } from '../../../lib/pcap/mod.ts'
import { Counts, DISSECT_OUTCOME, Dissector, FIRST_LOSS, FrameMeta } from '../dissect/mod.ts'
import type { DissectorOptions } from '../dissect/mod.ts'
import {
  DIRECTION_EGRESS, DIRECTION_INGRESS, DIRECTION_UNKNOWN, HOOK_FILE, PACKET_EVENT,
} from '../events.gen.ts'
import { ALL_FLOWS, FlowShares, SHARE_UNKNOWN, type FlowShare } from '../flow-share.ts'
import { FRAME_BYTES, RECORD_BYTES_MAX, type PacketCounters, type PacketSource } from '../source.ts'
import { TimeBase } from './time-base.ts'

/** The reader's window: the largest packet fits several times. */
const WINDOW_BYTES = 1 << 20
/** Time passes after so many bytes of frames, each with LAP_FRAME_BYTES for itself: about a MiB of packet events. */
const LAP_BYTES = 1 << 20
/** What a packet event takes beside its payload, less the headers of a usual frame. */
const LAP_FRAME_BYTES = 112
/** And after so many frames, so that a file full of other traffic does not hold up the caller. */
const LAP_FRAMES = 16_384

/** Oddities of a file as a whole, beside the reader's warnings. Indexes of Counts. */
export const FILE_ANOMALY = {
  /**
   * A packet more than 13 days before the file's first, or 292 years after: its time is set to the nearest.
   */
  TIME_OUT_OF_RANGE: 0,
} as const

export interface FileSourceOptions extends DissectorOptions {
  /** For messages; default the path. */
  name?: string
  /**
   * Says whether the event at `pointer` (its struct packet_event) is wanted; what is not counts as `filter`.
   */
  filter?: (memory: ByteMemory, pointer: number) => boolean
  /**
   * The part of the flows that is delivered here; the other workers read the same file. Default all. The ledgers and the oddities of
   * all workers add up to those of one: each frame is counted once, by the worker of its flow, or by the first where that takes a
   * dissection (then the first counts it as delivered, whoever delivers it).
   */
  share?: FlowShare
  /** Told once for each link type that cannot be read, and at the end what was wrong with the file. */
  notice?: (message: string) => void
}

/** A capture file, or standard input, as a source of packet events: of all flows, or of one worker's share of them. */
export class FileSource implements PacketSource {
  readonly name: string
  readonly seesBothDirections = true
  readonly share: FlowShare
  readonly dissector: Dissector
  /** For frames that another worker counts, and whose flow only a dissection tells. */
  readonly #uncounted: Dissector | undefined
  readonly #shares: FlowShares | undefined
  readonly anomalies = new Counts(FILE_ANOMALY)
  readonly #memory: ByteMemory
  readonly #capture: Capture
  readonly #window: number
  readonly #filter: FileSourceOptions['filter']
  readonly #notice: (message: string) => void
  readonly #meta = new FrameMeta()
  readonly #time = new TimeBase()
  readonly #unknownLinkTypes = new Map<number, number>()
  #ended = false
  #closed = false
  #waits = false
  /** Bytes and frames since time last passed. */
  #lapBytes = 0
  #lapFrames = 0
  #timePassed = false
  #seen = 0
  #filtered = 0
  #bytesDelivered = 0
  #bytesCut = 0

  /**
   * @param path a pcap or pcapng file, plain, gzip or zstd; `-` is standard input
   * @throws {Error} when it cannot be opened or is no capture file; when the shared memory has no 1 MiB left
   */
  constructor(memory: ByteMemory, path: string, options: FileSourceOptions = {}) {
    this.#memory = memory
    this.#window = memory.allocator.alloc(WINDOW_BYTES)
    if (this.#window === 0) {
      const state = `the shared memory has no ${WINDOW_BYTES} bytes left`
      throw new Error(`Cannot open capture file "${path}": ${state}; read fewer files at a time`)
    }
    try {
      this.#capture = openCapture(path, { bytes: memory.u8, offset: this.#window, length: WINDOW_BYTES })
    } catch (error) {
      memory.allocator.free(this.#window, WINDOW_BYTES)
      throw error
    }
    this.name = options.name ?? this.#capture.name
    this.share = options.share ?? ALL_FLOWS
    this.dissector = new Dissector(memory, options)
    if (this.share.count > 1) this.#shares = new FlowShares(this.share.count)
    if (this.share.index > 0) this.#uncounted = new Dissector(memory, options)
    this.#filter = options.filter
    this.#notice = options.notice ?? (() => {})
    this.#meta.hook = HOOK_FILE
  }

  get ended(): boolean {
    return this.#ended
  }

  /** What was wrong with the file so far, by name. */
  get warnings(): PcapWarnings {
    return this.#capture.reader.warnings
  }

  /** Frames by link type number that cannot be read. */
  get unknownLinkTypes(): ReadonlyMap<number, number> {
    return this.#unknownLinkTypes
  }

  /** The last fill ended since the input has nothing more for now. */
  get waits(): boolean {
    return this.#waits
  }

  fill(pointer: number, length: number): number {
    const { reader } = this.#capture
    const last = pointer + length - RECORD_BYTES_MAX
    let out = pointer
    this.#waits = false
    if (this.#timePassed) this.#beginLap() // nobody asked
    while (out <= last && !this.#timePassed && !this.#ended && !this.#waits) {
      const state = reader.next()
      if (state === READ.PACKET) {
        out += this.#frame(out)
        this.#advance(reader.cursor.captured)
      } else if (state === READ.END) {
        this.#over()
      } else {
        this.#waits = true
        this.#timePassed = this.#lapFrames > 0
      }
    }
    return out - pointer
  }

  /** The points are places of the file, so that time passes alike whatever of the file is wanted; and where the input waits. */
  passedTime(): number | undefined {
    if (!this.#timePassed) return undefined
    this.#beginLap()
    return this.#time.newest
  }

  epochNanoseconds(): bigint {
    return this.#time.epochNanoseconds
  }

  interfaceName(index: number): string | undefined {
    return this.#capture.reader.interfaceName(index)
  }

  /** A file gives everything: hints save nothing. */
  skip(_connectionTag: number, _side: 0 | 1, _until: number): void {}

  ignore(_connectionTag: number): void {}

  counters(): PacketCounters {
    const notWanted = new Map<string, number>()
    const lost = new Map<string, number>()
    const { outcomes, fragments } = this.dissector
    for (const [name, index] of Object.entries(DISSECT_OUTCOME)) {
      let count = outcomes.of(index)
      // A frame that waited counts as a fragment until its datagram is given up: then it is lost.
      if (index === DISSECT_OUTCOME.FRAGMENT) count -= fragments.framesGivenUp
      if (index === DISSECT_OUTCOME.FRAGMENT_INCOMPLETE) count += fragments.framesGivenUp
      if (index === DISSECT_OUTCOME.DELIVERED || count === 0) continue
      if (index >= FIRST_LOSS) lost.set(name.toLowerCase(), count)
      else notWanted.set(name.toLowerCase(), count)
    }
    if (this.#filtered > 0) notWanted.set('filter', this.#filtered)
    return {
      seen: this.#seen,
      delivered: outcomes.of(DISSECT_OUTCOME.DELIVERED) - this.#filtered,
      notWanted,
      lost,
      bytesDelivered: this.#bytesDelivered,
      bytesCut: this.#bytesCut,
    }
  }

  * oddities(): Generator<readonly [name: string, count: number]> {
    if (this.share.index === 0) for (const [name, { count }] of this.warnings.entries()) yield [name, count]
    yield* this.anomalies.entries()
    yield* this.dissector.anomalies.entries()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#end()
    this.#capture.close()
    this.#memory.allocator.free(this.#window, WINDOW_BYTES)
  }

  /** The file has nothing more: says what was wrong with it. */
  #over(): void {
    for (const [name, { count, offset }] of this.warnings.entries()) {
      this.#notice(`"${this.name}" is damaged: ${name} at byte ${offset}${count === 1 ? '' : `, ${count} times in all`}; what could be read was read`)
    }
    this.#end()
    this.#timePassed = true
  }

  #beginLap(): void {
    this.#timePassed = false
    this.#lapBytes = 0
    this.#lapFrames = 0
  }

  #advance(captured: number): void {
    this.#lapBytes += captured + LAP_FRAME_BYTES
    this.#lapFrames++
    if (this.#lapBytes >= LAP_BYTES || this.#lapFrames >= LAP_FRAMES) this.#timePassed = true
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.dissector.close()
    this.#uncounted?.close()
  }

  /** @returns bytes written at `out` */
  #frame(out: number): number {
    const { cursor } = this.#capture.reader
    const inRange = this.#time.set(cursor.seconds, cursor.nanoseconds)
    if (this.#shares === undefined) return this.#take(out, this.dissector, inRange)
    const { index } = this.share
    const place = this.#shares.ofFrame(this.#memory.u8, cursor.at, cursor.captured, cursor.linkType)
    if (place === index) return this.#take(out, this.dissector, inRange)
    if (place !== SHARE_UNKNOWN) return 0
    const written = this.#uncounted === undefined ? this.#take(out, this.dissector, inRange) : this.#dissect(out, this.#uncounted)
    return written > 0 && this.#isWanted(out) && this.#shares.ofEvent(this.#memory, out + FRAME_BYTES) === index ? written : 0
  }

  /** Counts a frame and takes it apart. @returns as `#frame` */
  #take(out: number, dissector: Dissector, inRange: boolean): number {
    this.#seen++
    if (!inRange) this.anomalies.add(FILE_ANOMALY.TIME_OUT_OF_RANGE)
    const written = this.#dissect(out, dissector)
    if (written === 0) {
      if (dissector.outcome === DISSECT_OUTCOME.LINK_TYPE_UNKNOWN) this.#unknownLinkType(this.#capture.reader.cursor.linkType)
      return 0
    }
    if (!this.#isWanted(out)) {
      this.#filtered++
      return 0
    }
    this.#bytesDelivered += this.#memory.u32[(out + FRAME_BYTES + PACKET_EVENT.captured_length) >> 2]!
    this.#bytesCut += dissector.bytesCut
    return written
  }

  #isWanted(out: number): boolean {
    return this.#filter === undefined || this.#filter(this.#memory, out + FRAME_BYTES)
  }

  #dissect(out: number, dissector: Dissector): number {
    const { cursor } = this.#capture.reader
    const meta = this.#meta
    meta.timeLow = this.#time.low
    meta.timeHigh = this.#time.high
    meta.interfaceIndex = cursor.interfaceIndex
    meta.direction = directionOf(cursor.direction)
    return dissector.dissect(cursor.at, cursor.captured, cursor.wire, cursor.linkType, meta, out)
  }

  #unknownLinkType(linkType: number): void {
    const count = this.#unknownLinkTypes.get(linkType) ?? 0
    this.#unknownLinkTypes.set(linkType, count + 1)
    if (count > 0) return
    const packets = `packets of link type ${linkType} in "${this.name}"`
    this.#notice(`Cannot read ${packets}: not known; they count as lost`)
  }
}

function directionOf(direction: PACKET_DIRECTION): number {
  if (direction === PACKET_DIRECTION.INBOUND) return DIRECTION_INGRESS
  return direction === PACKET_DIRECTION.OUTBOUND ? DIRECTION_EGRESS : DIRECTION_UNKNOWN
}
