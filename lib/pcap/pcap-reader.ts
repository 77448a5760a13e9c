import { readU16, readU32 } from './byte-order.ts'
import { PACKET_BYTES_MAX } from './limits.ts'
import { PCAP_WARNING, PcapWarnings, READ } from './outcome.ts'
import { PacketCursor } from './packet-cursor.ts'
import type { PacketReader } from './packet-reader.ts'
import { WINDOW, type StreamWindow } from './stream-window.ts'

export const PCAP_MAGIC = {
  MICROSECONDS: 0xa1b2c3d4,
  NANOSECONDS: 0xa1b23c4d,
  /** Alexey Kuznetzov's patch of libpcap: eight more bytes before each packet. */
  MODIFIED: 0xa1b2cd34,
} as const

export const PCAP_HEADER_BYTES = 24
const RECORD_BYTES = 16
const MODIFIED_RECORD_BYTES = 24

/**
 * The network field's upper six bits tell of a frame check sequence; 10 more are reserved (pcap-common.c).
 */
const LINK_TYPE_MASK = 0x03ffffff

/** True when `magic`, read in some order, starts a pcap file. */
export function isPcapMagic(magic: number): boolean {
  const { MICROSECONDS, NANOSECONDS, MODIFIED } = PCAP_MAGIC
  return magic === MICROSECONDS || magic === NANOSECONDS || magic === MODIFIED
}

/**
 * Reads the classic format (draft-ietf-opsawg-pcap), both byte orders, micro- and nanoseconds.
 *
 * The window must hold the file's first 24 bytes, with a magic number that isPcapMagic knows.
 */
export class PcapReader implements PacketReader {
  readonly format = 'pcap'
  readonly cursor = new PacketCursor()
  readonly warnings = new PcapWarnings()
  /** As the file says, often a fiction. */
  readonly snapLength: number
  readonly #window: StreamWindow
  readonly #bigEndian: boolean
  readonly #fractionNanoseconds: number
  readonly #recordBytes: number
  readonly #minorVersion: number
  #ended = false

  constructor(window: StreamWindow) {
    const { bytes, at } = window
    this.#window = window
    this.#bigEndian = isPcapMagic(readU32(bytes, at, true))
    const magic = readU32(bytes, at, this.#bigEndian)
    this.#fractionNanoseconds = magic === PCAP_MAGIC.NANOSECONDS ? 1 : 1000
    this.#recordBytes = magic === PCAP_MAGIC.MODIFIED ? MODIFIED_RECORD_BYTES : RECORD_BYTES
    this.#minorVersion = readU16(bytes, at + 6, this.#bigEndian)
    this.snapLength = readU32(bytes, at + 16, this.#bigEndian)
    this.cursor.linkType = (readU32(bytes, at + 20, this.#bigEndian) & LINK_TYPE_MASK) >>> 0
    window.skip(PCAP_HEADER_BYTES)
  }

  next(): READ {
    if (this.#ended) return READ.END
    for (;;) {
      const window = this.#window
      const state = window.ensure(this.#recordBytes)
      if (state !== WINDOW.READY) return this.#short(state)
      this.#readRecord(window.bytes, window.at)
      const captured = this.cursor.captured
      if (captured > PACKET_BYTES_MAX) {
        if (!this.#stepOver(captured)) return READ.END
        continue
      }
      const body = window.ensure(this.#recordBytes + captured)
      if (body !== WINDOW.READY) return this.#short(body)
      if (captured > this.cursor.wire) this.#captureOverWire()
      // The window may have moved its bytes to make room: the place is known only now.
      this.cursor.at = window.at + this.#recordBytes
      window.skip(this.#recordBytes + captured)
      return READ.PACKET
    }
  }

  interfaceName(_index: number): undefined {
    return undefined
  }

  #readRecord(bytes: Uint8Array, at: number): void {
    const bigEndian = this.#bigEndian
    const cursor = this.cursor
    const fraction = readU32(bytes, at + 4, bigEndian) * this.#fractionNanoseconds
    // A fraction of a second and more is written by some tools: carry it, the sum is the same instant.
    const carry = fraction >= 1e9 ? Math.floor(fraction / 1e9) : 0
    cursor.seconds = readU32(bytes, at, bigEndian) + carry
    cursor.nanoseconds = fraction - carry * 1e9
    const first = readU32(bytes, at + 8, bigEndian)
    const second = readU32(bytes, at + 12, bigEndian)
    // Before 2.3 the two lengths stood the other way round, in 2.3 either way (libpcap, sf-pcap.c).
    const swapped = this.#minorVersion < 3 || (this.#minorVersion === 3 && first > second)
    cursor.captured = swapped ? second : first
    cursor.wire = swapped ? first : second
    const isModified = this.#recordBytes === MODIFIED_RECORD_BYTES
    if (isModified) cursor.interfaceIndex = readU32(bytes, at + 16, bigEndian)
  }

  /** True when the packet's bytes are there to be skipped. Without them there is no next record to find. */
  #stepOver(captured: number): boolean {
    const window = this.#window
    const remaining = window.remaining
    if (remaining === undefined || captured > remaining - this.#recordBytes) {
      this.warnings.add(PCAP_WARNING.PACKET_LENGTH_ABSURD, window.position)
      this.#ended = true
      return false
    }
    this.warnings.add(PCAP_WARNING.PACKET_TOO_LONG, window.position)
    window.skip(this.#recordBytes + captured)
    return true
  }

  #captureOverWire(): void {
    this.warnings.add(PCAP_WARNING.CAPTURED_OVER_WIRE, this.#window.position)
    this.cursor.wire = this.cursor.captured
  }

  #short(state: WINDOW): READ {
    if (state === WINDOW.WAIT) return READ.WAIT
    this.#ended = true
    const window = this.#window
    const damage = window.input.damage
    if (damage !== undefined) this.warnings.add(damage, window.position)
    else if (window.end > window.at) this.warnings.add(PCAP_WARNING.FILE_CUT, window.position)
    return READ.END
  }
}
