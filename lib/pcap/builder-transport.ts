import { addWords, foldChecksum } from './internet-checksum.ts'
import { join, type Layer } from './layer.ts'

export const TCP_FLAG = {
  FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32, ECE: 64, CWR: 128, AE: 256,
} as const

export interface TcpFields {
  sourcePort: number
  destinationPort: number
  sequence?: number
  acknowledgement?: number
  /** TCP_FLAG bits; default ACK. */
  flags?: number
  window?: number
  /** Filled up with "end of options" to a multiple of 4. */
  options?: Uint8Array
  /** Instead of the right one. */
  checksum?: number
}

export interface UdpFields {
  sourcePort: number
  destinationPort: number
  /** Instead of the right one. */
  checksum?: number
  length?: number
}

/** TCP with its checksum. */
export function tcp(fields: TcpFields, inner: Layer): Layer {
  return {
    ethertype: 0,
    protocol: 6,
    encode(pseudoHeader) {
      const options = fields.options ?? new Uint8Array(0)
      const header = Buffer.alloc(20 + ((options.length + 3) & ~3))
      const flags = fields.flags ?? TCP_FLAG.ACK
      header.writeUInt16BE(fields.sourcePort, 0)
      header.writeUInt16BE(fields.destinationPort, 2)
      header.writeUInt32BE((fields.sequence ?? 0) >>> 0, 4)
      header.writeUInt32BE((fields.acknowledgement ?? 0) >>> 0, 8)
      header.writeUInt16BE(((header.length >> 2) << 12) | flags, 12)
      header.writeUInt16BE(fields.window ?? 65535, 14)
      header.set(options, 20)
      const packet = Buffer.from(join(header, inner.encode(0)))
      packet.writeUInt16BE(fields.checksum ?? transportChecksum(packet, 6, pseudoHeader), 16)
      return packet
    },
  }
}

/** UDP with its checksum. */
export function udp(fields: UdpFields, inner: Layer): Layer {
  return {
    ethertype: 0,
    protocol: 17,
    encode(pseudoHeader) {
      const header = Buffer.alloc(8)
      header.writeUInt16BE(fields.sourcePort, 0)
      header.writeUInt16BE(fields.destinationPort, 2)
      const packet = Buffer.from(join(header, inner.encode(0)))
      packet.writeUInt16BE(fields.length ?? packet.length, 4)
      // 0 means "none": a sum of 0 is sent as its other form (RFC 768).
      packet.writeUInt16BE(fields.checksum ?? (transportChecksum(packet, 17, pseudoHeader) || 0xffff), 6)
      return packet
    },
  }
}

/** ICMP (protocol 1) or ICMPv6 (58), with its checksum. `body` starts after the checksum. */
export function icmp(protocol: 1 | 58, type: number, code: number, body: Uint8Array): Layer {
  return {
    ethertype: 0,
    protocol,
    encode(pseudoHeader) {
      const packet = Buffer.from(join(Uint8Array.of(type, code, 0, 0), body))
      const sum = protocol === 58
        ? transportChecksum(packet, 58, pseudoHeader)
        : foldChecksum(addWords(packet, 0, packet.length, 0))
      packet.writeUInt16BE(sum, 2)
      return packet
    },
  }
}

/** MSS and window scale, as a SYN has them. */
export function synOptions(mss: number, windowScale?: number): Uint8Array {
  const scale = windowScale === undefined ? [] : [1, 3, 3, windowScale]
  return Uint8Array.of(2, 4, mss >> 8, mss & 0xff, ...scale)
}

function transportChecksum(packet: Uint8Array, protocol: number, pseudoHeader: number): number {
  return foldChecksum(addWords(packet, 0, packet.length, pseudoHeader + protocol + packet.length))
}
