import { isIPv4, isIPv6 } from 'node:net'

/** An IP network: `bytes` in network order with every bit behind the prefix 0. */
export interface Cidr {
  readonly text: string
  readonly bits: number
  readonly bytes: Uint8Array
}

/**
 * Reads `10.0.0.0/8`, `2001:db8::/32` or a single address.
 *
 * @throws {RangeError} when it is none; bits set behind the prefix are ignored
 */
export function parseCidr(text: string): Cidr {
  const [address = '', length, ...rest] = text.split('/')
  const bytes = isIPv4(address) ? Uint8Array.from(address.split('.'), Number)
    : isIPv6(address) && !address.includes('%') ? ipv6Bytes(address) : undefined
  const bits = length === undefined ? (bytes?.length ?? 0) * 8 : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN
  if (bytes === undefined || rest.length > 0 || !(bits <= bytes.length * 8)) {
    throw new RangeError(`Cannot use "${text}" as a network: it is no IP address or address/prefix; write e.g. "10.0.0.0/8"`)
  }
  for (let at = 0; at < bytes.length; at++) {
    bytes[at]! &= 0xff00 >> Math.min(8, Math.max(0, bits - at * 8))
  }
  return { text, bits, bytes }
}

/** The 16 bytes of an IPv6 address that `node:net` accepts, without a zone. */
export function ipv6Bytes(address: string): Uint8Array {
  // The URL parser rewrites every valid form, an embedded IPv4 address included, into hexadecimal groups.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (part: string): string[] => part === '' ? [] : part.split(':')
  const front = groups(head)
  const back = groups(tail ?? '')
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0')
  const words = [...front, ...zeros, ...back].map((group) => Number.parseInt(group, 16))
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 255]))
}

/** 4 or 16 bytes as text; IPv6 as RFC 5952 says. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const words = Array.from({ length: 8 }, (_, at) => ((bytes[at * 2]! << 8) | bytes[at * 2 + 1]!).toString(16))
  return new URL(`http://[${words.join(':')}]`).hostname.slice(1, -1)
}
