import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import * as C from '../../capture/mod.ts'

export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** What a packet event says; what is left out is as in a plain packet of a file. */
export interface SegmentFields {
  from: Endpoint
  to: Endpoint
  /** Letters S F R P A U; default A. */
  flags?: string
  sequence?: number
  acknowledgement?: number
  payload?: Uint8Array | string
  /** Bytes of `payload` left out at its front, and captured after that. */
  skipped?: number
  /** Bytes before the captured ones that the source left out on purpose. */
  leftOut?: number
  captured?: number
  time?: number
  window?: number
  windowScale?: number
  mss?: number
  tag?: number
  record?: number
  /** Further FLAG_*. */
  marks?: number
  seen?: { packets: number; bytes: number; retransmissions: number }
  interfaceIndex?: number
  direction?: number
  tunnel?: number
  hook?: number
  process?: number
  ttl?: number
  tos?: number
  protocol?: number
  kind?: number
}

const FLAG_BITS: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, A: 16, U: 32 }
const E = C.PACKET_EVENT

/** Writes framed packet events into a region of shared memory, one after the other. */
export class SegmentBuilder {
  readonly memory: ByteMemory
  readonly pointer: number
  readonly #room: number
  length = 0

  constructor(memory: ByteMemory, room = 4 * C.RECORD_BYTES_MAX) {
    this.memory = memory
    this.#room = room
    this.pointer = memory.reserve(room)
  }

  clear(): this {
    this.length = 0
    return this
  }

  add(fields: SegmentFields): this {
    const { u8, view } = this.memory
    const payload = typeof fields.payload === 'string' ? Buffer.from(fields.payload, 'latin1') : fields.payload ?? new Uint8Array()
    const skipped = fields.skipped ?? 0
    const captured = fields.captured ?? payload.length - skipped
    const bytes = E.bytes + captured
    const record = this.pointer + this.length
    const framed = C.FRAME_BYTES + ((bytes + 7) & ~7)
    if (this.length + framed > this.#room) throw new RangeError(`Cannot add a segment: ${this.#room} bytes are used`)
    const event = record + C.FRAME_BYTES
    u8.fill(0, record, record + framed)
    view.setUint32(record, bytes, true)
    const u32 = (offset: number, value: number): void => { view.setUint32(event + offset, value >>> 0, true) }
    const time = fields.time ?? 0
    u32(E.time_ns, time % 2 ** 32)
    u32(E.time_ns + 4, Math.floor(time / 2 ** 32))
    u32(E.interface_index, fields.interfaceIndex ?? 1)
    u32(E.process, fields.process ?? 0)
    u32(E.record_number, fields.record ?? 0)
    u32(E.connection_tag, fields.tag ?? 0)
    u32(E.frame_length, payload.length + 54)
    u32(E.payload_length, payload.length)
    u32(E.payload_skipped, skipped)
    u32(E.captured_length, captured)
    u32(E.tcp_sequence, fields.sequence ?? 0)
    u32(E.tcp_acknowledgement, fields.acknowledgement ?? 0)
    u32(E.left_out, fields.leftOut ?? 0)
    if (fields.seen !== undefined) {
      u32(E.seen_packets, fields.seen.packets)
      u32(E.seen_bytes, fields.seen.bytes % 2 ** 32)
      u32(E.seen_bytes + 4, Math.floor(fields.seen.bytes / 2 ** 32))
      u32(E.retransmissions, fields.seen.retransmissions)
    }
    const source = address(fields.from.address)
    u8.set(source, event + E.source_address)
    u8.set(address(fields.to.address), event + E.destination_address)
    view.setUint16(event + E.source_port, fields.from.port, true)
    view.setUint16(event + E.destination_port, fields.to.port, true)
    view.setUint16(event + E.data_offset, E.bytes, true)
    view.setUint16(event + E.ethertype, source.length === 4 ? 0x800 : 0x86dd, true)
    view.setUint16(event + E.tcp_flags, [...fields.flags ?? 'A'].reduce((bits, letter) => bits | FLAG_BITS[letter]!, 0), true)
    view.setUint16(event + E.tcp_window, fields.window ?? 65535, true)
    view.setUint16(event + E.tcp_mss, fields.mss ?? 0, true)
    u8[event + E.tcp_window_scale] = fields.windowScale ?? 255
    u8[event + E.kind] = fields.kind ?? C.EVENT_SEGMENT
    u8[event + E.hook] = fields.hook ?? C.HOOK_FILE
    u8[event + E.direction] = fields.direction ?? C.DIRECTION_UNKNOWN
    u8[event + E.flags] = (fields.marks ?? 0) | (captured < payload.length - skipped ? C.FLAG_CUT : 0) |
      (fields.record === undefined ? 0 : C.FLAG_NUMBERED) | (fields.seen === undefined ? 0 : C.FLAG_COUNTED)
    u8[event + E.ip_version] = source.length === 4 ? 4 : 6
    u8[event + E.ip_protocol] = fields.protocol ?? 6
    u8[event + E.ip_ttl] = fields.ttl ?? 64
    u8[event + E.ip_tos] = fields.tos ?? 0
    u8[event + E.tunnel] = fields.tunnel ?? 0
    u8.set(payload.subarray(skipped, skipped + captured), event + E.bytes)
    this.length += framed
    return this
  }
}

function address(text: string): Uint8Array {
  if (!text.includes(':')) return Uint8Array.from(text.split('.'), Number)
  const [head, tail] = text.split('::') as [string, string?]
  const words = (part: string): number[] => part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16))
  const front = words(head)
  const back = words(tail ?? '')
  const all = [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back]
  return Uint8Array.from(all.flatMap((word) => [word >>> 8, word & 255]))
}
