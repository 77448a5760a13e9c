import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { DIRECTION_EGRESS, PLAINTEXT_EVENT as E } from '../../capture/mod.ts'

/** The plaintext event at hand, its words read once. One object serves a table: no allocation per event. */
export class PlaintextRecord {
  event = 0
  /** Nanoseconds in the source's clock. */
  time = 0
  session = 0
  flags = 0
  /** In the direction's stream, of the captured bytes. */
  position = 0
  captured = 0
  pointer = 0
  callLength = 0
  chunkOffset = 0
  /** 0 = the socket is not known. */
  cookie = 0
  /** The program sent it; else it received it. */
  isWritten = false

  read(memory: ByteMemory, event: number): void {
    const { u8, u16, u32 } = memory
    this.event = event
    this.time = wordOf(u32, event + E.time_ns)
    this.session = u32[(event + E.session) >>> 2]!
    this.flags = u8[event + E.flags]!
    this.position = wordOf(u32, event + E.position)
    this.captured = u32[(event + E.captured_length) >>> 2]!
    this.pointer = event + u16[(event + E.data_offset) >>> 1]!
    this.callLength = u32[(event + E.call_length) >>> 2]!
    this.chunkOffset = u32[(event + E.chunk_offset) >>> 2]!
    this.cookie = wordOf(u32, event + E.socket_cookie)
    this.isWritten = u8[event + E.direction] === DIRECTION_EGRESS
  }

  /** True when the bytes lie within the record and within their call. */
  isSound(recordEnd: number): boolean {
    return this.pointer + this.captured <= recordEnd && this.chunkOffset + this.captured <= this.callLength &&
      Number.isSafeInteger(this.position + this.callLength)
  }
}

/** A 64-bit count; those above 2^53 lose their last bits. */
function wordOf(u32: Uint32Array, at: number): number {
  return u32[at >>> 2]! + u32[(at + 4) >>> 2]! * 2 ** 32
}
