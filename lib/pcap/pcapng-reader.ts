import { readU16, readU32 } from './byte-order.ts'
import { InterfaceTable, type CaptureInterface } from './interface-table.ts'
import { BLOCK_BYTES_MAX, INTERFACE_BLOCK_BYTES_MAX, PACKET_BYTES_MAX } from './limits.ts'
import { PCAP_WARNING, PcapWarnings, READ } from './outcome.ts'
import { PACKET_DIRECTION, PacketCursor } from './packet-cursor.ts'
import type { PacketReader } from './packet-reader.ts'
import { WINDOW, type StreamWindow } from './stream-window.ts'

const BLOCK = { SECTION: 0x0a0d0d0a, INTERFACE: 1, PACKET: 2, SIMPLE: 3, ENHANCED: 6 } as const
export const PCAPNG_MAGIC = BLOCK.SECTION
export const SECTION_BYTES_MIN = 28
const BYTE_ORDER_MAGIC = 0x1a2b3c4d
/** Type, length, and the length again at the end. */
const BLOCK_BYTES_MIN = 12
/** Where a packet's bytes start in its block; the obsolete Packet Block has them at the same place. */
const ENHANCED_DATA = 28
const SIMPLE_DATA = 12
const OPTION_PACKET_FLAGS = 2

/** A step through the blocks: go on with the next one. */
const GO_ON = -1

/** Told of each section header and interface, as a whole block, for who copies packets with their blocks. */
export type HeaderBlocks = (block: Uint8Array, isSection: boolean) => void

/** What is wrong with the section header at `at` (28 bytes), undefined when it can be read. */
export function sectionProblem(bytes: Uint8Array, at: number): string | undefined {
  const bigEndian = readU32(bytes, at + 8, true) === BYTE_ORDER_MAGIC
  const littleEndian = readU32(bytes, at + 8, false) === BYTE_ORDER_MAGIC
  if (!bigEndian && !littleEndian) return 'its byte-order mark is not 1a2b3c4d'
  if (readU32(bytes, at + 4, bigEndian) < SECTION_BYTES_MIN) return 'its first section header is too short'
  const major = readU16(bytes, at + 12, bigEndian)
  const minor = readU16(bytes, at + 14, bigEndian)
  // 1.2 was written by mistake for 1.0 (draft-ietf-opsawg-pcapng, section 4.1).
  if (major !== 1 || (minor !== 0 && minor !== 2)) return `it is of version ${major}.${minor}, known is 1.0`
  return undefined
}

/**
 * Reads pcapng (draft-ietf-opsawg-pcapng): sections of either byte order, several interfaces, Enhanced,
 * Simple and the obsolete Packet Blocks. Every other block is stepped over, TLS secrets and name tables
 * included.
 */
export class PcapngReader implements PacketReader {
  readonly format = 'pcapng'
  readonly cursor = new PacketCursor()
  readonly warnings = new PcapWarnings()
  readonly #window: StreamWindow
  readonly #interfaces = new InterfaceTable()
  readonly #headers: HeaderBlocks | undefined
  #bigEndian = false
  #ended = false

  /**
   * The window must hold 28 bytes that sectionProblem has nothing against.
   *
   * @param headers when given, the cursor has the block of each packet; packets whose block is over BLOCK_BYTES_MAX are stepped over
   */
  constructor(window: StreamWindow, headers?: HeaderBlocks) {
    this.#window = window
    this.#headers = headers
  }

  next(): READ {
    while (!this.#ended) {
      const result = this.#nextBlock()
      if (result !== GO_ON) return result
    }
    return READ.END
  }

  interfaceName(index: number): string | undefined {
    return this.#interfaces.at(index)?.name
  }

  #nextBlock(): READ | typeof GO_ON {
    const window = this.#window
    const state = window.ensure(BLOCK_BYTES_MIN)
    if (state !== WINDOW.READY) return this.#short(state)
    const type = readU32(window.bytes, window.at, this.#bigEndian)
    if (type === BLOCK.SECTION) return this.#section()
    const length = readU32(window.bytes, window.at + 4, this.#bigEndian)
    const remaining = window.remaining
    if (length < BLOCK_BYTES_MIN) return this.#stop(PCAP_WARNING.BLOCK_LENGTH_ABSURD)
    // A block that goes past the end: when its packet does not, the packet is whole and is delivered.
    if (remaining !== undefined && length > remaining && type !== BLOCK.ENHANCED && type !== BLOCK.PACKET) {
      return this.#stop(PCAP_WARNING.FILE_CUT)
    }
    switch (type) {
      case BLOCK.ENHANCED:
      case BLOCK.PACKET:
        return this.#packet(type, length)
      case BLOCK.SIMPLE:
        return this.#simplePacket(length)
      case BLOCK.INTERFACE:
        return this.#interface(length)
      default:
        return this.#stepOver(length)
    }
  }

  #section(): READ | typeof GO_ON {
    const window = this.#window
    const state = window.ensure(SECTION_BYTES_MIN)
    if (state !== WINDOW.READY) return this.#short(state)
    if (sectionProblem(window.bytes, window.at) !== undefined) return this.#stop(PCAP_WARNING.SECTION_UNKNOWN)
    this.#bigEndian = readU32(window.bytes, window.at + 8, true) === BYTE_ORDER_MAGIC
    const length = readU32(window.bytes, window.at + 4, this.#bigEndian)
    const whole = this.#tell(length, true)
    if (whole !== WINDOW.READY) return this.#short(whole)
    this.#interfaces.startSection()
    return this.#stepOver(length)
  }

  #interface(length: number): READ | typeof GO_ON {
    const window = this.#window
    const state = window.ensure(Math.min(length, INTERFACE_BLOCK_BYTES_MAX))
    if (state !== WINDOW.READY) return this.#short(state)
    const whole = this.#tell(length, false)
    if (whole !== WINDOW.READY) return this.#short(whole)
    if (length < 20) {
      this.warnings.add(PCAP_WARNING.BLOCK_SHORT, window.position)
    } else {
      const end = window.at + Math.min(length - 4, INTERFACE_BLOCK_BYTES_MAX)
      const added = this.#interfaces.add(window.bytes, window.at + 8, end, this.#bigEndian)
      if (!added) this.warnings.add(PCAP_WARNING.INTERFACE_TABLE_FULL, window.position)
    }
    return this.#stepOver(length)
  }

  #packet(type: number, length: number): READ | typeof GO_ON {
    const window = this.#window
    if (length < ENHANCED_DATA + 4) return this.#stepOverNamed(PCAP_WARNING.BLOCK_SHORT, length)
    let state = window.ensure(ENHANCED_DATA)
    if (state !== WINDOW.READY) return this.#short(state)
    const captured = readU32(window.bytes, window.at + 20, this.#bigEndian)
    if (captured > length - ENHANCED_DATA - 4) {
      return this.#stepOverNamed(PCAP_WARNING.PACKET_LENGTH_ABSURD, length)
    }
    if (captured > PACKET_BYTES_MAX) return this.#stepOverNamed(PCAP_WARNING.PACKET_TOO_LONG, length)
    if (this.#isTooLong(length)) return this.#stepOverNamed(PCAP_WARNING.PACKET_TOO_LONG, length)
    state = window.ensure(this.#headers === undefined ? ENHANCED_DATA + captured : length)
    if (state !== WINDOW.READY) return this.#short(state)
    const { bytes, at } = window
    this.#setBlock(length)
    const id = type === BLOCK.ENHANCED
      ? readU32(bytes, at + 8, this.#bigEndian)
      : readU16(bytes, at + 8, this.#bigEndian)
    const from = this.#interfaces.inSection(id)
    if (from === undefined) return this.#stepOverNamed(PCAP_WARNING.INTERFACE_UNKNOWN, length)
    const { cursor } = this
    from.time.convert(readU32(bytes, at + 12, this.#bigEndian), readU32(bytes, at + 16, this.#bigEndian))
    cursor.seconds = from.time.seconds
    cursor.nanoseconds = from.time.nanoseconds
    this.#setPacket(from, id, at + ENHANCED_DATA, captured, readU32(bytes, at + 24, this.#bigEndian))
    this.#readDirection(at + ENHANCED_DATA + ((captured + 3) & ~3), at + length - 4)
    window.skip(length)
    return READ.PACKET
  }

  /** No time and no interface: the section's first one, and the time of the packet before. */
  #simplePacket(length: number): READ | typeof GO_ON {
    const window = this.#window
    if (length < SIMPLE_DATA + 4) return this.#stepOverNamed(PCAP_WARNING.BLOCK_SHORT, length)
    const from = this.#interfaces.inSection(0)
    if (from === undefined) return this.#stepOverNamed(PCAP_WARNING.INTERFACE_UNKNOWN, length)
    const wire = readU32(window.bytes, window.at + 8, this.#bigEndian)
    const snapped = from.snapLength === 0 ? wire : Math.min(wire, from.snapLength)
    const captured = Math.min(snapped, length - SIMPLE_DATA - 4)
    if (captured > PACKET_BYTES_MAX) return this.#stepOverNamed(PCAP_WARNING.PACKET_TOO_LONG, length)
    if (this.#isTooLong(length)) return this.#stepOverNamed(PCAP_WARNING.PACKET_TOO_LONG, length)
    const state = window.ensure(this.#headers === undefined ? SIMPLE_DATA + captured : length)
    if (state !== WINDOW.READY) return this.#short(state)
    this.#setBlock(length)
    this.cursor.direction = PACKET_DIRECTION.UNKNOWN
    this.#setPacket(from, 0, window.at + SIMPLE_DATA, captured, wire)
    window.skip(length)
    return READ.PACKET
  }

  /** Gives on the block at hand, where somebody wants it. One too long to be had whole ends the reading: the packets behind it need it. */
  #tell(length: number, isSection: boolean): WINDOW {
    if (this.#headers === undefined) return WINDOW.READY
    if (length > BLOCK_BYTES_MAX) return WINDOW.ENDED
    const window = this.#window
    const state = window.ensure(length)
    if (state === WINDOW.READY) this.#headers(window.bytes.slice(window.at, window.at + length), isSection)
    return state
  }

  #isTooLong(length: number): boolean {
    return this.#headers !== undefined && length > BLOCK_BYTES_MAX
  }

  #setBlock(length: number): void {
    if (this.#headers === undefined) return
    this.cursor.blockAt = this.#window.at
    this.cursor.blockBytes = length
  }

  #setPacket(from: CaptureInterface, id: number, at: number, captured: number, wire: number): void {
    const { cursor } = this
    if (captured > wire) this.warnings.add(PCAP_WARNING.CAPTURED_OVER_WIRE, this.#window.position)
    cursor.at = at
    cursor.captured = captured
    cursor.wire = Math.max(captured, wire)
    cursor.linkType = from.linkType
    cursor.interfaceIndex = this.#interfaces.indexOf(id)
  }

  /** epb_flags, bits 0 and 1. Options that the window does not hold already are not waited for. */
  #readDirection(options: number, blockEnd: number): void {
    const { bytes } = this.#window
    const end = Math.min(blockEnd, this.#window.end)
    let direction: PACKET_DIRECTION = PACKET_DIRECTION.UNKNOWN
    for (let option = options; option + 8 <= end; ) {
      const code = readU16(bytes, option, this.#bigEndian)
      if (code === 0) break
      const length = readU16(bytes, option + 2, this.#bigEndian)
      if (code === OPTION_PACKET_FLAGS && length === 4) {
        const value = readU32(bytes, option + 4, this.#bigEndian) & 3
        if (value === 1) direction = PACKET_DIRECTION.INBOUND
        if (value === 2) direction = PACKET_DIRECTION.OUTBOUND
      }
      option += 4 + ((length + 3) & ~3)
    }
    this.cursor.direction = direction
  }

  #stepOverNamed(name: PCAP_WARNING, length: number): typeof GO_ON {
    this.warnings.add(name, this.#window.position)
    this.#window.skip(length)
    return GO_ON
  }

  #stepOver(length: number): typeof GO_ON {
    const window = this.#window
    const tail = window.at + length - 4
    if (tail + 4 <= window.end && readU32(window.bytes, tail, this.#bigEndian) !== length) {
      this.warnings.add(PCAP_WARNING.BLOCK_LENGTH_MISMATCH, window.position)
    }
    window.skip(length)
    return GO_ON
  }

  #stop(name: PCAP_WARNING): READ {
    this.warnings.add(name, this.#window.position)
    this.#ended = true
    return READ.END
  }

  #short(state: WINDOW): READ {
    if (state === WINDOW.WAIT) return READ.WAIT
    const window = this.#window
    const damage = window.input.damage
    if (damage !== undefined) return this.#stop(damage)
    const cut = window.end > window.at || window.owed > 0
    if (cut) return this.#stop(PCAP_WARNING.FILE_CUT)
    this.#ended = true
    return READ.END
  }
}
