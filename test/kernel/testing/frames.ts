/** Frames as they lie on the wire. Each function puts one header before what it carries. */

export const SYN = 2
export const FIN = 1
export const RST = 4
export const PSH = 8
export const ACK = 16

export type Bytes = Uint8Array | string

export function bytesOf(value: Bytes): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value, 'latin1') : value
}

export function join(...parts: readonly Bytes[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map(bytesOf)))
}

/** Big-endian integer of `length` bytes. */
export function be(length: number, value: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = length - 1, rest = value; at >= 0; at--, rest = Math.floor(rest / 256)) bytes[at] = rest % 256
  return bytes
}

export const MAC_A = Uint8Array.of(2, 0, 0, 0, 0, 0xa)
export const MAC_B = Uint8Array.of(2, 0, 0, 0, 0, 0xb)

export function ethernet(type: number, payload: Uint8Array): Uint8Array {
  return join(MAC_B, MAC_A, be(2, type), payload)
}

/** Tags, outermost first, each with its own EtherType before it; `type` is what the last one carries. */
export function tagged(tags: readonly (readonly [type: number, tag: number])[], type: number, payload: Uint8Array): Uint8Array {
  const types = [...tags.map(([tagType]) => tagType), type]
  const headers = tags.flatMap(([, tag], at) => [be(2, tag), be(2, types[at + 1]!)])
  return ethernet(types[0]!, join(...headers, payload))
}

export interface Ipv4Fields {
  source?: string; destination?: string; protocol?: number; options?: Uint8Array; fragment?: number; id?: number; length?: number
  ttl?: number; tos?: number; headerLength?: number
}

export function ipv4(fields: Ipv4Fields, payload: Uint8Array): Uint8Array {
  const options = fields.options ?? new Uint8Array()
  const header = 20 + options.length
  const bytes = join(
    be(1, 0x40 | (fields.headerLength ?? header) >> 2), be(1, fields.tos ?? 0), be(2, fields.length ?? header + payload.length),
    be(2, fields.id ?? 7), be(2, fields.fragment ?? 0), be(1, fields.ttl ?? 64), be(1, fields.protocol ?? 6), be(2, 0),
    Uint8Array.from((fields.source ?? '10.0.0.1').split('.'), Number),
    Uint8Array.from((fields.destination ?? '10.0.0.2').split('.'), Number), options)
  new DataView(bytes.buffer).setUint16(10, checksum(bytes))
  return join(bytes, payload)
}

export interface Ipv6Fields { source?: number; destination?: number; next?: number; flow?: number; hopLimit?: number; length?: number }

/** Addresses are 2001:db8::N. */
export function ipv6(fields: Ipv6Fields, payload: Uint8Array): Uint8Array {
  const address = (last: number): Uint8Array => join(be(4, 0x20010db8), new Uint8Array(10), be(2, last))
  return join(be(4, 0x60000000 + (fields.flow ?? 0)), be(2, fields.length ?? payload.length), be(1, fields.next ?? 6),
    be(1, fields.hopLimit ?? 64), address(fields.source ?? 1), address(fields.destination ?? 2), payload)
}

/** Hop-by-hop, routing, destination options: `words` of 8 bytes after the first. */
export function extension(next: number, words: number, payload: Uint8Array): Uint8Array {
  return join(be(1, next), be(1, words), new Uint8Array(6 + words * 8), payload)
}

export interface TcpFields {
  source?: number; destination?: number; sequence?: number; acknowledgement?: number; flags?: number; options?: Uint8Array; window?: number
  headerLength?: number
}

export function tcp(fields: TcpFields, payload: Bytes = ''): Uint8Array {
  const options = fields.options ?? new Uint8Array()
  const flags = fields.flags ?? ACK
  return join(be(2, fields.source ?? 40000), be(2, fields.destination ?? 80), be(4, fields.sequence ?? 1),
    be(4, fields.acknowledgement ?? 1), be(1, ((fields.headerLength ?? 20 + options.length) >> 2 << 4) | (flags >> 8 & 1)),
    be(1, flags & 255), be(2, fields.window ?? 512), be(4, 0), options, payload)
}

export function udp(source: number, destination: number, payload: Bytes): Uint8Array {
  return join(be(2, source), be(2, destination), be(2, 8 + payload.length), be(2, 0), payload)
}

export function vxlan(vni: number, frame: Uint8Array): Uint8Array {
  return udp(50000, 4789, join(be(4, 0x08000000), be(3, vni), be(1, 0), frame))
}

export function geneve(vni: number, type: number, optionWords: number, payload: Uint8Array): Uint8Array {
  return udp(50000, 6081, join(be(1, optionWords), be(1, 0), be(2, type), be(3, vni), be(1, 0), new Uint8Array(optionWords * 4), payload))
}

export function gre(flags: number, type: number, optional: Uint8Array, payload: Uint8Array): Uint8Array {
  return join(be(2, flags), be(2, type), optional, payload)
}

function checksum(header: Uint8Array): number {
  let sum = 0
  for (let at = 0; at + 1 < header.length; at += 2) sum += header[at]! << 8 | header[at + 1]!
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return ~sum & 0xffff
}
