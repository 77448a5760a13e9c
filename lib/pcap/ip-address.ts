import { isIPv4, isIPv6 } from 'node:net'

/** Four bytes of a dotted address. @throws {Error} when it is none */
export function encodeIpv4(text: string): Uint8Array {
  if (!isIPv4(text)) throw new Error(`Cannot build a packet with "${text}": not an IPv4 address`)
  return Uint8Array.from(text.split('.'), Number)
}

/** Sixteen bytes of an address with colons. @throws {Error} when it is none */
export function encodeIpv6(text: string): Uint8Array {
  if (!isIPv6(text) || text.includes('%')) {
    throw new Error(`Cannot build a packet with "${text}": not an IPv6 address`)
  }
  const [before, after] = withHexadecimalTail(text).split('::')
  const head = groups(before)
  const tail = groups(after)
  const bytes = new Uint8Array(16)
  head.forEach((group, index) => put(bytes, index, group))
  tail.forEach((group, index) => put(bytes, 8 - tail.length + index, group))
  return bytes
}

/** `::ffff:192.0.2.1` as `::ffff:c000:201`. */
function withHexadecimalTail(text: string): string {
  const last = text.lastIndexOf(':') + 1
  if (!text.includes('.')) return text
  const [a, b, c, d] = text.slice(last).split('.').map(Number) as [number, number, number, number]
  return `${text.slice(0, last)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}

function groups(text: string | undefined): number[] {
  return text === undefined || text === '' ? [] : text.split(':').map(group => parseInt(group, 16))
}

function put(bytes: Uint8Array, index: number, group: number): void {
  bytes[2 * index] = group >> 8
  bytes[2 * index + 1] = group & 0xff
}
