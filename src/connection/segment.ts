import type { ByteMemory } from '../../lib/bytes/mod.ts'
import { FLAG_NUMBERED, PACKET_EVENT } from '../capture/mod.ts'
import { ABSENT } from './held-segments.ts'

export const TCP_FIN = 1
export const TCP_SYN = 2
export const TCP_RST = 4
export const TCP_PSH = 8
export const TCP_ACK = 16

/** The packet event at hand, its words read once. One object serves a table: no allocation per packet. */
export class Segment {
  event = 0
  /** Nanoseconds in the source's clock. */
  time = 0
  /** FLAG_* of the event. */
  marks = 0
  tcpFlags = 0
  /** Of the first payload byte (a SYN itself takes one number, RFC 9293 3.4). */
  sequence = 0
  acknowledgement = 0
  length = 0
  skipped = 0
  captured = 0
  /** What stands in place of the skipped bytes: a value of ABSENT. */
  absent: number = ABSENT.cut
  pointer = 0
  tag = 0
  record = 0
  interfaceIndex = 0
  /** Direction and tunnel: with the interface, the place where the packet was met. */
  path = 0

  read(memory: ByteMemory, event: number): void {
    const { u8, u16, i32, u32 } = memory
    this.event = event
    const high = u32[(event + PACKET_EVENT.time_ns + 4) >> 2]!
    this.time = u32[(event + PACKET_EVENT.time_ns) >> 2]! + high * 2 ** 32
    this.marks = u8[event + PACKET_EVENT.flags]!
    this.tcpFlags = u16[(event + PACKET_EVENT.tcp_flags) >> 1]!
    this.sequence = (i32[(event + PACKET_EVENT.tcp_sequence) >> 2]! + ((this.tcpFlags & TCP_SYN) >> 1)) | 0
    this.acknowledgement = i32[(event + PACKET_EVENT.tcp_acknowledgement) >> 2]!
    this.length = u32[(event + PACKET_EVENT.payload_length) >> 2]!
    this.skipped = u32[(event + PACKET_EVENT.payload_skipped) >> 2]!
    this.captured = u32[(event + PACKET_EVENT.captured_length) >> 2]!
    this.pointer = event + u16[(event + PACKET_EVENT.data_offset) >> 1]!
    this.tag = i32[(event + PACKET_EVENT.connection_tag) >> 2]!
    this.record = i32[(event + PACKET_EVENT.record_number) >> 2]!
    this.interfaceIndex = i32[(event + PACKET_EVENT.interface_index) >> 2]!
    this.absent = ABSENT.cut
    const leftOut = u32[(event + PACKET_EVENT.left_out) >> 2]!
    if (leftOut !== 0) this.#extend(leftOut)
    this.path = u8[event + PACKET_EVENT.direction]! | (u8[event + PACKET_EVENT.tunnel]! << 8)
  }

  /** Takes what was left out before the packet as its front: so the bytes' order, holes and overlaps go one way for all. */
  #extend(leftOut: number): void {
    const before = leftOut - this.skipped
    if (before < 0) return
    this.absent = ABSENT.leftOut
    this.sequence = (this.sequence - before) | 0
    this.length += before
    this.skipped += before
  }

  get isNumbered(): boolean {
    return (this.marks & FLAG_NUMBERED) !== 0
  }

  /**
   * True when the lengths agree: what was captured lies within the payload and within the record.
   *
   * @param recordEnd address after the record
   */
  isSound(recordEnd: number): boolean {
    // 2^30: the largest window there is (RFC 7323 2.3); longer payloads would break modular comparison.
    return this.length <= 2 ** 30 && this.skipped <= this.length &&
      this.captured <= this.length - this.skipped &&
      (this.captured === 0 || this.pointer + this.captured <= recordEnd)
  }
}
