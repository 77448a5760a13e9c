import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { HPACK_BLOCK_BYTES_MAX } from '../../../wasm/hpack-contract.ts'
import { END, GAP } from '../../connection/mod.ts'
import type { End, Gap, Side, StreamControl } from '../../connection/mod.ts'
import { Carry } from '../carry.ts'
import { HTTP2_ANOMALY } from './anomaly.ts'
import type { Http2Anomaly } from './anomaly.ts'
import type { FrameSearch } from './frame-search.ts'
import { EVIDENCE_LIKELY } from './frame-search.ts'
import {
  blockOffset, FAULT, FLAG_ACK, FLAG_END_HEADERS, FLAG_END_STREAM, FLAG_PADDED, FRAME, FRAME_BYTES_LIMIT, FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES, headerFault, paddingOf, payloadFault, PREFACE, promisedStream, SETTING_BYTES, SETTING_MAX_FRAME_SIZE, uint16, uint24, uint32,
} from './frame.ts'

/** A rest of a DATA frame shorter than this is awaited, a longer one skipped. */
const SKIP_BYTES_MIN = 2048
/** CONTINUATION frames of one block; an honest block of 256 KiB needs 16. */
const CONTINUATIONS_MAX = 1000
/** SETTINGS of more bytes than this are passed over: there are some ten settings. */
const SETTINGS_BYTES_MAX = 4096

/** What a side tells its connection. */
export interface Http2SideOwner {
  readonly control: StreamControl
  /**
   * A header block is whole: `length` bytes at `pointer`. `promised`: stream of a PUSH_PROMISE, else 0. `time` is that of the
   * frame's first byte.
   */
  block(side: Side, stream: number, promised: number, pointer: number, length: number, endsStream: boolean, time: number): void
  /** A header block of the stream is lost. */
  blockLost(side: Side, stream: number, time: number): void
  /** Body bytes of a stream, padding taken off: at `pointer`, or not seen when that is 0. */
  body(side: Side, stream: number, pointer: number, length: number, time: number): void
  /** The stream's body goes on in bytes that nobody counted. */
  bodyUnknown(side: Side, stream: number): void
  endStream(side: Side, stream: number, time: number): void
  reset(side: Side, stream: number, code: number, time: number): void
  goaway(side: Side, lastStream: number, code: number, time: number): void
  setting(side: Side, identifier: number, value: number): void
  /** Body bytes of the stream that may go by unseen from here on. */
  skippable(side: Side, stream: number, length: number): number
  /** Payload of DATA may be left out by the source; the side then asks for no skips. */
  readonly leavesOut: boolean
  /** What the source left out does not fit the frames. */
  contradicted(side: Side): void
  /** Framing is lost. */
  lost(side: Side, time: number): void
  /** The preface was found behind missing bytes: the side begins here. */
  begun(side: Side, time: number): void
  /** First bytes of a side in a connection whose client is not known: they begin as the client's do, or not. @returns how to read them */
  opens(side: Side, asClient: boolean): 'preface' | 'header'
  anomaly(side: Side, name: Http2Anomaly, time: number): void
}

type State = 'first' | 'preface' | 'header' | 'data' | 'gather' | 'pass' | 'resync' | 'done'

/**
 * One direction of an HTTP/2 connection: bytes → header blocks, body sizes, resets. Knows nothing of streams' states.
 *
 * Holds a frame header, a frame that is to be read whole, and the header block under way: HPACK_BLOCK_BYTES_MAX bytes each.
 */
export class Http2Side {
  readonly side: Side
  readonly #owner: Http2SideOwner
  readonly #memory: ByteMemory
  readonly #search: FrameSearch
  #state: State
  /** What came of the frame header or of the payload that is gathered. */
  readonly #carry: Carry
  /** Fragments of the header block under way. */
  readonly #block: Carry
  #blockStream = 0
  #blockPromised = 0
  #blockEnds = false
  #blockTime = -1
  #continuations = 0
  /** The block under way is not kept: it is too long. */
  #isBlockLost = false
  #type = 0
  #flags = 0
  #stream = 0
  #length = 0
  #left = 0 // payload bytes still to come
  /** DATA: the pad length byte is still to come. */
  #awaitsPad = false
  /** DATA: padding at the end. */
  #padding = 0
  #frameTime = -1
  /** Bytes that this side may put into a frame, as far as was announced. */
  #frameMax: number
  /** The other side's SETTINGS were seen; else DATA may be as long as it could have allowed. */
  #isTold = false
  /** Framing was never found again behind missing bytes, which could be wrong. */
  #isSure: boolean
  #skipping = 0
  #skipIsStale = false
  /** The rest of the frame may stay away without a word. */
  #isAway = false

  constructor(owner: Http2SideOwner, memory: ByteMemory, search: FrameSearch, side: Side,
    state: 'first' | 'preface' | 'header' | 'resync') {
    this.#owner = owner
    this.#memory = memory
    this.#search = search
    this.side = side
    this.#state = state
    this.#isSure = state !== 'resync'
    this.#frameMax = state === 'resync' ? FRAME_BYTES_LIMIT : FRAME_BYTES_MAX
    this.#carry = new Carry(memory, HPACK_BLOCK_BYTES_MAX)
    this.#block = new Carry(memory, HPACK_BLOCK_BYTES_MAX)
  }

  /** The other side allows frames of so many bytes. */
  allow(frameBytes: number): void {
    this.#isTold = true
    if (frameBytes > this.#frameMax && frameBytes <= FRAME_BYTES_LIMIT) this.#frameMax = frameBytes
  }

  data(pointer: number, length: number, time: number): void {
    const end = pointer + length
    let at = pointer
    while (at < end) {
      switch (this.#state) {
        case 'header':
          at = this.#header(at, end, time)
          break
        case 'data':
          at = this.#data(at, end, time)
          break
        case 'gather':
          at = this.#gather(at, end, time)
          break
        case 'pass': {
          const part = Math.min(this.#left, end - at)
          this.#passed(part, time)
          at += part
          break
        }
        case 'first':
          // As the length of a server's first frame it would say 5 MiB.
          this.#state = this.#owner.opens(this.side, this.#memory.u8[at] === PREFACE[0])
          break
        case 'preface':
          at = this.#preface(at, end, time)
          break
        case 'resync':
          if (at !== pointer || !this.#resync(at, end, time)) return
          break
        case 'done': return
      }
    }
    this.#askSkip()
  }

  gap(length: number, cause: Gap, time: number): void {
    if (this.#state === 'done') return
    const isLeftOut = cause === GAP.leftOut
    // Payload of DATA, whose frames are not known here: nothing that the tables would need.
    if (isLeftOut && this.#state === 'resync') return
    if (this.#skipping > 0 && !this.#skipIsStale) return this.#lose(time)
    if (length > 0 && length <= this.#left && (this.#state === 'pass' || (this.#state === 'data' && !this.#awaitsPad))) {
      this.#passed(length, time)
      return this.#askSkip()
    }
    if (isLeftOut && this.#isSure) this.#owner.contradicted(this.side)
    this.#lose(time)
  }

  skipped(time: number): void {
    const length = this.#skipping
    this.#skipping = 0
    if (length > 0 && !this.#skipIsStale) this.#passed(length, time)
    this.#skipIsStale = false
  }

  end(cause: End, time: number): void {
    if (this.#blockStream !== 0) this.#cutBlock(time)
    // How much of what was to be skipped has gone by is not known; of what was left out a FIN tells it.
    const isUnknown = (this.#skipping > 0 && !this.#skipIsStale) || (this.#isAway && cause !== END.fin)
    if (isUnknown && this.#state === 'data') this.#owner.bodyUnknown(this.side, this.#stream)
    this.stop()
  }

  stop(): void {
    this.#state = 'done'
    this.#carry.clear()
    this.#block.clear()
  }

  #preface(at: number, end: number, time: number): number {
    const u8 = this.#memory.u8
    const from = this.#carry.length
    const length = Math.min(end - at, PREFACE.length - from)
    for (let index = 0; index < length; index++) {
      if (u8[at + index] !== PREFACE[from + index]) {
        this.#owner.anomaly(this.side, HTTP2_ANOMALY.preface, time)
        this.#lose(time)
        return end
      }
    }
    if (from + length < PREFACE.length) {
      if (!this.#carry.append(at, length)) this.#outOfMemory(time)
      return at + length
    }
    this.#carry.clear()
    this.#state = 'header'
    return at + length
  }

  #header(at: number, end: number, time: number): number {
    const carry = this.#carry
    if (carry.length === 0) {
      this.#frameTime = time
      if (end - at >= FRAME_HEADER_BYTES) {
        this.#read(at)
        this.#judge(time)
        return this.#state === 'resync' ? end : at + FRAME_HEADER_BYTES
      }
    }
    const part = Math.min(end - at, FRAME_HEADER_BYTES - carry.length)
    if (!carry.append(at, part)) {
      this.#outOfMemory(time)
      return end
    }
    if (carry.length < FRAME_HEADER_BYTES) return end
    const header = carry.pointer
    this.#read(header)
    carry.clear()
    this.#judge(time)
    return this.#lostIn() ? end : at + part
  }

  #lostIn(): boolean {
    return this.#state === 'resync'
  }

  #read(at: number): void {
    const u8 = this.#memory.u8
    this.#length = uint24(u8, at)
    this.#type = u8[at + 3]!
    this.#flags = u8[at + 4]!
    this.#stream = uint32(u8, at + 5) & 0x7fff_ffff
    this.#left = this.#length
  }

  /** A frame header is read: what becomes of its payload. */
  #judge(time: number): void {
    const type = this.#type
    if (this.#length > this.#frameMax && (this.#isTold || type !== FRAME.data)) {
      this.#owner.anomaly(this.side, HTTP2_ANOMALY.frameTooLong, time)
      return this.#lose(time)
    }
    const isFaulty = headerFault(type, this.#flags, this.#length, this.#stream) !== FAULT.none
    if (isFaulty && !this.#isSure) return this.#lose(time)
    if (this.#blockStream !== 0 && (type !== FRAME.continuation || this.#stream !== this.#blockStream)) {
      this.#cutBlock(time)
    }
    if (isFaulty) return this.#passFaulty(time)
    switch (type) {
      case FRAME.data:
        this.#awaitsPad = (this.#flags & FLAG_PADDED) !== 0
        this.#padding = 0
        this.#state = 'data'
        if (this.#length === 0) this.#endFrame(time)
        return
      case FRAME.headers:
      case FRAME.pushPromise:
        this.#blockStream = this.#stream
        this.#blockTime = this.#frameTime
        this.#blockEnds = type === FRAME.headers && (this.#flags & FLAG_END_STREAM) !== 0
        this.#continuations = 0
        this.#isBlockLost = false
        return this.#gatherUpTo(HPACK_BLOCK_BYTES_MAX, time)
      case FRAME.continuation:
        if (this.#blockStream === 0) return this.#passFaulty(time)
        if (++this.#continuations > CONTINUATIONS_MAX) this.#dropBlock(time)
        return this.#gatherUpTo(HPACK_BLOCK_BYTES_MAX, time)
      case FRAME.settings:
        return (this.#flags & FLAG_ACK) !== 0 ? this.#pass(time) : this.#gatherUpTo(SETTINGS_BYTES_MAX, time)
      case FRAME.resetStream: return this.#gatherUpTo(4, time)
      case FRAME.goaway: return this.#gatherUpTo(SETTINGS_BYTES_MAX, time)
      default: return this.#pass(time)
    }
  }

  /** A frame that breaks the rules: what it may have put into the table is not known. */
  #passFaulty(time: number): void {
    this.#owner.anomaly(this.side, HTTP2_ANOMALY.frame, time)
    const isBlock = this.#type === FRAME.headers || this.#type === FRAME.pushPromise || this.#type === FRAME.continuation
    if (isBlock) this.#owner.blockLost(this.side, this.#stream, time)
    this.#pass(time)
  }

  #pass(time: number): void {
    this.#state = 'pass'
    if (this.#left === 0) this.#endFrame(time)
  }

  #gatherUpTo(most: number, time: number): void {
    const isBlock = this.#blockStream !== 0
    if (this.#length > most || (isBlock && this.#isBlockLost)) {
      if (isBlock) this.#dropBlock(time)
      return this.#pass(time)
    }
    this.#state = 'gather'
    if (this.#length === 0) this.#payload(0, time)
  }

  /** The block under way will not be kept; its frames are followed to its end all the same. */
  #dropBlock(time: number): void {
    if (!this.#isBlockLost) this.#owner.anomaly(this.side, HTTP2_ANOMALY.blockTooLong, time)
    this.#isBlockLost = true
    this.#block.clear()
  }

  #gather(at: number, end: number, time: number): number {
    const carry = this.#carry
    const part = Math.min(this.#left, end - at)
    if (carry.length === 0 && part === this.#left) {
      this.#left = 0
      this.#payload(at, time)
      return this.#lostIn() ? end : at + part
    }
    if (!carry.append(at, part)) {
      this.#outOfMemory(time)
      return end
    }
    this.#left -= part
    if (this.#left > 0) return at + part
    this.#payload(carry.pointer, time)
    carry.clear()
    return this.#lostIn() ? end : at + part
  }

  /** The payload is whole, at `at`. */
  #payload(at: number, time: number): void {
    const u8 = this.#memory.u8
    const type = this.#type
    this.#state = 'header'
    if (payloadFault(u8, at, this.#length, type, this.#flags) !== FAULT.none) {
      if (!this.#isSure) return this.#lose(time)
      this.#owner.anomaly(this.side, HTTP2_ANOMALY.frame, time)
      if (this.#blockStream !== 0) this.#loseBlock(time)
      return
    }
    switch (type) {
      case FRAME.headers:
      case FRAME.pushPromise:
      case FRAME.continuation: return this.#fragment(at, time)
      case FRAME.settings:
        this.#owner.setting(this.side, SETTING_MAX_FRAME_SIZE, FRAME_BYTES_MAX)
        for (let setting = at; setting < at + this.#length; setting += SETTING_BYTES) {
          this.#owner.setting(this.side, uint16(u8, setting), uint32(u8, setting + 2))
        }
        return
      case FRAME.resetStream: return this.#owner.reset(this.side, this.#stream, uint32(u8, at), time)
      case FRAME.goaway: return this.#owner.goaway(this.side, uint32(u8, at) & 0x7fff_ffff, uint32(u8, at + 4), time)
    }
  }

  #fragment(at: number, time: number): void {
    const u8 = this.#memory.u8
    const type = this.#type
    const isFirst = type !== FRAME.continuation
    if (type === FRAME.headers) this.#blockPromised = 0
    if (type === FRAME.pushPromise) this.#blockPromised = promisedStream(u8, at, this.#flags)
    const from = isFirst ? at + blockOffset(type, this.#flags) : at
    const length = at + this.#length - (isFirst ? paddingOf(u8, at, this.#length, type, this.#flags) : 0) - from
    const isLast = (this.#flags & FLAG_END_HEADERS) !== 0
    if (isLast && isFirst) return this.#giveBlock(from, length)
    if (!this.#block.append(from, length)) {
      if (this.#block.room >= length) this.#owner.anomaly(this.side, HTTP2_ANOMALY.memoryLimit, time)
      this.#dropBlock(time)
    }
    if (!isLast) return
    if (this.#isBlockLost) return this.#loseBlock(time)
    this.#giveBlock(this.#block.pointer, this.#block.length)
    this.#block.clear()
  }

  #giveBlock(pointer: number, length: number): void {
    const stream = this.#blockStream
    this.#blockStream = 0
    this.#owner.block(this.side, stream, this.#blockPromised, pointer, length, this.#blockEnds, this.#blockTime)
  }

  #cutBlock(time: number): void {
    if (!this.#isBlockLost) this.#owner.anomaly(this.side, HTTP2_ANOMALY.blockCut, time)
    this.#loseBlock(time)
  }

  #loseBlock(time: number): void {
    const stream = this.#blockPromised === 0 ? this.#blockStream : this.#blockPromised
    this.#blockStream = 0
    this.#blockPromised = 0
    this.#block.clear()
    this.#owner.blockLost(this.side, stream, time)
  }

  #data(at: number, end: number, time: number): number {
    if (this.#awaitsPad) {
      this.#awaitsPad = false
      const padding = paddingOf(this.#memory.u8, at, this.#length, FRAME.data, FLAG_PADDED)
      this.#left--
      if (padding < 0) {
        if (!this.#isSure) {
          this.#lose(time)
          return end
        }
        this.#owner.anomaly(this.side, HTTP2_ANOMALY.frame, time)
        this.#pass(time)
        return at + 1
      }
      this.#padding = padding
      if (this.#left === 0) this.#endFrame(time)
      return at + 1
    }
    const part = Math.min(this.#left, end - at)
    const content = Math.min(part, this.#left - this.#padding)
    if (content > 0) this.#owner.body(this.side, this.#stream, at, content, time)
    this.#left -= part
    if (this.#left === 0) this.#endFrame(time)
    return at + part
  }

  /** `length` bytes of the payload have gone by, unseen. */
  #passed(length: number, time: number): void {
    if (this.#state === 'data') {
      const content = Math.min(length, this.#left - this.#padding)
      if (content > 0) this.#owner.body(this.side, this.#stream, 0, content, time)
    }
    this.#left -= length
    if (this.#left === 0) this.#endFrame(time)
  }

  #endFrame(time: number): void {
    const isData = this.#state === 'data'
    this.#state = 'header'
    this.#expectAll()
    if (isData && (this.#flags & FLAG_END_STREAM) !== 0) this.#owner.endStream(this.side, this.#stream, time)
    // A frame of a block that is not kept.
    if (this.#blockStream !== 0 && (this.#flags & FLAG_END_HEADERS) !== 0) this.#loseBlock(time)
  }

  /** Every byte is to come again. */
  #expectAll(): void {
    if (!this.#isAway) return
    this.#isAway = false
    this.#owner.control.mayStayAway?.(this.side, 0)
  }

  /** Asks for a long rest to be left out. Only at the end of a call, from where the stream counts. */
  #askSkip(): void {
    if (this.#owner.leavesOut && this.#skipping === 0) {
      if (this.#state !== 'data' || this.#left === 0) return
      this.#isAway = true
      return this.#owner.control.mayStayAway?.(this.side, this.#left)
    }
    if (this.#skipping > 0 || this.#left < SKIP_BYTES_MIN || this.#awaitsPad) return
    if (this.#state !== 'data' && this.#state !== 'pass') return
    const length = this.#state === 'pass' ? this.#left : this.#owner.skippable(this.side, this.#stream, this.#left)
    if (length < SKIP_BYTES_MIN) return
    this.#skipping = length
    this.#owner.control.skip(this.side, length)
  }

  #resync(at: number, end: number, time: number): boolean {
    const u8 = this.#memory.u8
    if (end - at >= PREFACE.length && PREFACE.every((byte, index) => u8[at + index] === byte)) {
      this.#isSure = true
      this.#frameMax = FRAME_BYTES_LIMIT
      this.#state = 'preface'
      this.#owner.begun(this.side, time)
      return true
    }
    if (this.#search.evidence(at, end) < EVIDENCE_LIKELY) return false
    this.#isSure = false
    this.#frameMax = FRAME_BYTES_LIMIT
    this.#state = 'header'
    return true
  }

  #outOfMemory(time: number): void {
    this.#owner.anomaly(this.side, HTTP2_ANOMALY.memoryLimit, time)
    this.#lose(time)
  }

  #lose(time: number): void {
    if (this.#state !== 'resync') this.#owner.anomaly(this.side, HTTP2_ANOMALY.framingLost, time)
    this.#carry.clear()
    this.#block.clear()
    this.#blockStream = 0
    this.#blockPromised = 0
    this.#left = 0
    this.#skipIsStale = this.#skipping > 0
    this.#state = 'resync'
    this.#expectAll()
    this.#owner.lost(this.side, time)
  }
}
