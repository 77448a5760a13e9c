const SECTION_BYTES = 28
const INTERFACE_BYTES = 32
const PACKET_BYTES = 32
const NANOSECONDS = 9

/** Makes pcapng files with nanoseconds, little endian: sections of one interface each. */
export class PcapngWriter {
  readonly #write: (bytes: Uint8Array) => void

  /** @param write gets whole blocks */
  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write
  }

  /** @param linkType LINKTYPE_ number of the packets that follow. @param snapLength 0 = no bound */
  section(linkType: number, snapLength = 0): void {
    const section = framed(0x0a0d0d0a, SECTION_BYTES)
    section.writeUInt32LE(0x1a2b3c4d, 8)
    section.writeUInt16LE(1, 12)
    section.writeBigInt64LE(-1n, 16)
    this.#write(section)
    const described = framed(1, INTERFACE_BYTES)
    described.writeUInt16LE(linkType, 8)
    described.writeUInt32LE(snapLength, 12)
    described.writeUInt16LE(9, 16) // if_tsresol
    described.writeUInt16LE(1, 18)
    described.writeUInt8(NANOSECONDS, 20)
    this.#write(described)
  }

  /** @param wire bytes on the wire, when the packet was cut */
  packet(bytes: Uint8Array, seconds: number, nanoseconds: number, wire: number): void {
    const block = framed(6, PACKET_BYTES + ((bytes.length + 3) & ~3))
    const time = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)
    block.writeUInt32LE(Number(time >> 32n), 12)
    block.writeUInt32LE(Number(time & 0xffffffffn), 16)
    block.writeUInt32LE(bytes.length, 20)
    block.writeUInt32LE(wire, 24)
    block.set(bytes, 28)
    this.#write(block)
  }
}

function framed(type: number, length: number): Buffer {
  const block = Buffer.alloc(length)
  block.writeUInt32LE(type, 0)
  block.writeUInt32LE(length, 4)
  block.writeUInt32LE(length, length - 4)
  return block
}
