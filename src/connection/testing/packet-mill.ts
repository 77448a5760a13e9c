import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { FRAME_BYTES, PACKET_EVENT as E } from '../../capture/mod.ts'
import { SegmentBuilder } from './segment-builder.ts'
import type { SegmentFields } from './segment-builder.ts'

/** The client of a template: its last two bytes, and the bits above them, become the number of the client that is stamped. */
export const MILL_CLIENT = { address: '10.0.0.0', port: 40_000 }
export const MILL_SERVER = { address: '10.255.0.1', port: 80 }

export type MillPacket = Omit<SegmentFields, 'from' | 'to' | 'tag'> & { readonly isClient: boolean }

/**
 * Packets of one connection as a template, stamped out for any number of clients: fast enough for millions.
 *
 * The clients are 10.0.0.0 and on (below 10.255.0.0), each with a kernel's tag of its own.
 */
export class PacketMill {
  readonly #memory: ByteMemory
  readonly #template: SegmentBuilder
  /** Where the events stand, and whether the client sent them. */
  readonly #events: (readonly [at: number, isClient: boolean])[] = []

  constructor(memory: ByteMemory, packets: Iterable<MillPacket>) {
    this.#memory = memory
    this.#template = new SegmentBuilder(memory, 64 * 1024)
    for (const { isClient, ...fields } of packets) {
      this.#events.push([this.#template.length + FRAME_BYTES, isClient])
      const [from, to] = isClient ? [MILL_CLIENT, MILL_SERVER] : [MILL_SERVER, MILL_CLIENT]
      this.#template.add({ ...fields, from, to, tag: 1 })
    }
  }

  /** Bytes of one stamp. */
  get bytes(): number {
    return this.#template.length
  }

  /**
   * Writes the packets of `client` at `pointer`, all of them at `time`. The client has sent `sent` bytes more than in the template,
   * the server `answered` bytes, and each has `records` records more.
   *
   * @returns the address behind them
   */
  stamp(pointer: number, client: number, time: number, sent = 0, answered = 0, records = 0): number {
    const { u8, u32, view } = this.#memory
    const { pointer: from, length } = this.#template
    u8.copyWithin(pointer, from, from + length)
    for (const [at, isClient] of this.#events) {
      const event = pointer + at
      const address = event + (isClient ? E.source_address : E.destination_address)
      u8[address + 1] = client >>> 16
      view.setUint16(address + 2, client & 0xffff)
      u32[(event + E.connection_tag) >>> 2] = client + 1
      u32[(event + E.time_ns) >>> 2] = time >>> 0
      u32[(event + E.time_ns + 4) >>> 2] = Math.floor(time / 2 ** 32)
      if (records === 0) continue
      u32[(event + E.tcp_sequence) >>> 2]! += isClient ? sent : answered
      u32[(event + E.tcp_acknowledgement) >>> 2]! += isClient ? answered : sent
      u32[(event + E.record_number) >>> 2]! += records
      u32[(event + E.seen_packets) >>> 2]! += records
    }
    return pointer + length
  }
}
