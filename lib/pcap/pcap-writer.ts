import { PCAP_MAGIC } from './pcap-reader.ts'

const SNAP_LENGTH = 262_144
const HEADER_BYTES = 24
const RECORD_BYTES = 16

/** Makes pcap files with nanoseconds, little endian: the header first, then one record a packet. */
export class PcapWriter {
  readonly #write: (bytes: Uint8Array) => void

  /**
   * @param write    gets the header at once, then one call a packet
   * @param linkType LINKTYPE_ number
   */
  constructor(write: (bytes: Uint8Array) => void, linkType = 1) {
    this.#write = write
    const header = Buffer.alloc(HEADER_BYTES)
    header.writeUInt32LE(PCAP_MAGIC.NANOSECONDS, 0)
    header.writeUInt16LE(2, 4)
    header.writeUInt16LE(4, 6)
    header.writeUInt32LE(SNAP_LENGTH, 16)
    header.writeUInt32LE(linkType, 20)
    write(header)
  }

  /** @param wire bytes on the wire, when the packet was cut; default its length */
  packet(bytes: Uint8Array, seconds: number, nanoseconds: number, wire = bytes.length): void {
    const record = Buffer.alloc(RECORD_BYTES + bytes.length)
    record.writeUInt32LE(seconds, 0)
    record.writeUInt32LE(nanoseconds, 4)
    record.writeUInt32LE(bytes.length, 8)
    record.writeUInt32LE(wire, 12)
    record.set(bytes, RECORD_BYTES)
    this.#write(record)
  }
}
