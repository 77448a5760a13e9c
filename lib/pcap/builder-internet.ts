import { addWords, foldChecksum } from './internet-checksum.ts'
import { encodeIpv4, encodeIpv6 } from './ip-address.ts'
import { join, NO_PROTOCOL, type Layer } from './layer.ts'

export interface Ipv4Fields {
  source?: string
  destination?: string
  identification?: number
  ttl?: number
  tos?: number
  /** A multiple of 4 bytes, at most 40. */
  options?: Uint8Array
  /** In bytes, a multiple of 8. */
  fragmentOffset?: number
  moreFragments?: boolean
  doNotFragment?: boolean
  /** Instead of the right one. */
  totalLength?: number
  checksum?: number
  /** Instead of what the inner layer announces. */
  protocol?: number
}

export interface Ipv6Fields {
  source?: string
  destination?: string
  flowLabel?: number
  hopLimit?: number
  trafficClass?: number
  /** Instead of the right one. */
  payloadLength?: number
}

/** IPv4 with its checksum. */
export function ipv4(fields: Ipv4Fields, inner: Layer): Layer {
  return {
    ethertype: 0x0800,
    protocol: 4,
    encode() {
      const source = encodeIpv4(fields.source ?? '10.0.0.1')
      const destination = encodeIpv4(fields.destination ?? '10.0.0.2')
      const pseudo = addWords(destination, 0, 4, addWords(source, 0, 4, 0))
      const body = inner.encode(pseudo)
      const options = fields.options ?? new Uint8Array(0)
      const header = Buffer.alloc(20 + options.length)
      header[0] = 0x40 | (header.length >> 2)
      header[1] = fields.tos ?? 0
      header.writeUInt16BE(fields.totalLength ?? (header.length + body.length), 2)
      header.writeUInt16BE(fields.identification ?? 0, 4)
      const more = fields.moreFragments === true ? 0x2000 : 0
      const whole = fields.doNotFragment === true ? 0x4000 : 0
      header.writeUInt16BE(more | whole | ((fields.fragmentOffset ?? 0) >> 3), 6)
      header[8] = fields.ttl ?? 64
      header[9] = fields.protocol ?? Math.max(inner.protocol, 0)
      header.set(source, 12)
      header.set(destination, 16)
      header.set(options, 20)
      header.writeUInt16BE(fields.checksum ?? foldChecksum(addWords(header, 0, header.length, 0)), 10)
      return join(header, body)
    },
  }
}

/** IPv6; extension headers are layers of their own inside it. */
export function ipv6(fields: Ipv6Fields, inner: Layer): Layer {
  return {
    ethertype: 0x86dd,
    protocol: 41,
    encode() {
      const source = encodeIpv6(fields.source ?? 'fd00::1')
      const destination = encodeIpv6(fields.destination ?? 'fd00::2')
      const pseudo = addWords(destination, 0, 16, addWords(source, 0, 16, 0))
      const body = inner.encode(pseudo)
      const header = Buffer.alloc(40)
      const first = 0x60000000 + ((fields.trafficClass ?? 0) << 20) + (fields.flowLabel ?? 0)
      header.writeUInt32BE(first, 0)
      header.writeUInt16BE(fields.payloadLength ?? body.length, 4)
      header[6] = Math.max(inner.protocol, 0)
      header[7] = fields.hopLimit ?? 64
      header.set(source, 8)
      header.set(destination, 24)
      return join(header, body)
    },
  }
}

/**
 * An IPv6 extension header: hop-by-hop 0, routing 43, destination options 60, mobility 135, AH 51.
 *
 * @param body what follows next header and length, so that the whole is a multiple of 8 (AH: of 4) bytes
 */
export function extension(kind: number, body: Uint8Array, inner: Layer): Layer {
  return {
    ethertype: 0,
    protocol: kind,
    encode(pseudoHeader) {
      const bytes = body.length + 2
      const length = kind === 51 ? bytes / 4 - 2 : bytes / 8 - 1
      const header = Buffer.concat([Uint8Array.of(Math.max(inner.protocol, 0), length), body])
      return join(header, inner.encode(pseudoHeader))
    },
  }
}

/** An IPv6 fragment header. `offset` in bytes, a multiple of 8. */
export function fragmentHeader(identification: number, offset: number, more: boolean, inner: Layer): Layer {
  return {
    ethertype: 0,
    protocol: 44,
    encode(pseudoHeader) {
      const header = Buffer.alloc(8)
      header[0] = Math.max(inner.protocol, 0)
      header.writeUInt16BE(offset | (more ? 1 : 0), 2)
      header.writeUInt32BE(identification, 4)
      return join(header, inner.encode(pseudoHeader))
    },
  }
}

/** A piece of a datagram's payload. */
export interface Fragment {
  readonly offset: number
  readonly more: boolean
  readonly payload: Layer
}

/** Cuts `payload` (an upper layer, already encoded) into pieces of at most `bytes`, a multiple of 8. */
export function cut(payload: Uint8Array, protocol: number, bytes: number): Fragment[] {
  const fragments: Fragment[] = []
  for (let offset = 0; offset < payload.length; offset += bytes) {
    const piece = payload.subarray(offset, offset + bytes)
    fragments.push({
      offset,
      more: offset + bytes < payload.length,
      payload: { ethertype: 0, protocol, encode: () => piece },
    })
  }
  return fragments
}

/** The fragments of one IPv4 packet. */
export function ipv4Fragments(fields: Ipv4Fields, inner: Layer, bytes: number): Layer[] {
  const whole = ipv4(fields, inner).encode(0)
  const payload = whole.subarray((whole[0]! & 15) * 4)
  return cut(payload, inner.protocol, bytes).map(fragment =>
    ipv4({ ...fields, fragmentOffset: fragment.offset, moreFragments: fragment.more }, fragment.payload))
}

/** The fragments of one IPv6 packet without other extension headers. */
export function ipv6Fragments(
  fields: Ipv6Fields,
  identification: number,
  inner: Layer,
  bytes: number,
): Layer[] {
  const payload = ipv6(fields, inner).encode(0).subarray(40)
  return cut(payload, inner.protocol, bytes).map(fragment =>
    ipv6(fields, fragmentHeader(identification, fragment.offset, fragment.more, fragment.payload)))
}

export interface GreFields {
  key?: number
  sequence?: number
  checksum?: boolean
}

/** GRE version 0. An Ethernet frame inside is announced as transparent bridging (0x6558). */
export function gre(fields: GreFields, inner: Layer): Layer {
  return {
    ethertype: 0,
    protocol: 47,
    encode() {
      const words: number[] = []
      if (fields.checksum === true) words.push(0)
      if (fields.key !== undefined) words.push(fields.key)
      if (fields.sequence !== undefined) words.push(fields.sequence)
      const header = Buffer.alloc(4 + 4 * words.length)
      const flags = (fields.checksum === true ? 0x8000 : 0) | (fields.key !== undefined ? 0x2000 : 0)
      header.writeUInt16BE(flags | (fields.sequence !== undefined ? 0x1000 : 0), 0)
      header.writeUInt16BE(inner.ethertype, 2)
      words.forEach((word, index) => header.writeUInt32BE(word, 4 + 4 * index))
      const packet = Buffer.from(join(header, inner.encode(0)))
      const sum = foldChecksum(addWords(packet, 0, packet.length, 0))
      if (fields.checksum === true) packet.writeUInt16BE(sum, 4)
      return packet
    },
  }
}

/** VXLAN: the payload of a UDP datagram to port 4789. */
export function vxlan(network: number, inner: Layer): Layer {
  return tunnelHeader(8, inner, header => {
    header[0] = 8
    header.writeUInt32BE(network * 256, 4)
  })
}

/** Geneve: the payload of a UDP datagram to port 6081. `options` is a multiple of 4 bytes. */
export function geneve(network: number, inner: Layer, options: Uint8Array = new Uint8Array(0)): Layer {
  return tunnelHeader(8 + options.length, inner, header => {
    header[0] = options.length / 4
    header.writeUInt16BE(inner.ethertype, 2)
    header.writeUInt32BE(network * 256, 4)
    header.set(options, 8)
  })
}

/** GTP-U: the payload of a UDP datagram to port 2152. */
export function gtpu(tunnel: number, inner: Layer): Layer {
  return {
    ethertype: 0,
    protocol: NO_PROTOCOL,
    encode() {
      const body = inner.encode(0)
      const header = Buffer.alloc(8)
      header.writeUInt16BE(0x30ff, 0)
      header.writeUInt16BE(body.length, 2)
      header.writeUInt32BE(tunnel, 4)
      return join(header, body)
    },
  }
}

function tunnelHeader(bytes: number, inner: Layer, fill: (header: Buffer) => void): Layer {
  return {
    ethertype: 0,
    protocol: NO_PROTOCOL,
    encode() {
      const header = Buffer.alloc(bytes)
      fill(header)
      return join(header, inner.encode(0))
    },
  }
}
