import type { ProxyHeader } from '../connection-facts.ts'

/** The first 12 bytes of version 2 (PROXY protocol 2.2). */
export const SIGNATURE: Uint8Array = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** Signature, version and command, family, length. */
export const HEAD_BYTES = 16

const COMMAND = { local: 0, proxy: 1 } as const
const FAMILY = { ipv4: 1, ipv6: 2 } as const
/** PP2_TYPE_AUTHORITY. */
const TYPE_AUTHORITY = 2
const NO_ADDRESS = new Uint8Array(16)

/** Bytes of the whole header, from its first HEAD_BYTES. */
export function binaryLength(head: Uint8Array): number {
  return HEAD_BYTES + head[14]! * 0x100 + head[15]!
}

/**
 * A whole header of version 2.
 *
 * @returns undefined when it breaks the grammar
 */
export function parseProxyBinary(header: Uint8Array): ProxyHeader | undefined {
  const version = header[12]! >> 4
  const command = header[12]! & 15
  const family = header[13]! >> 4
  if (version !== 2 || command > COMMAND.proxy) return undefined
  const addressBytes = family === FAMILY.ipv4 ? 4 : family === FAMILY.ipv6 ? 16 : 0
  if (command === COMMAND.local || addressBytes === 0) {
    return {
      version: 2, ipVersion: undefined, source: NO_ADDRESS, destination: NO_ADDRESS, sourcePort: 0, destinationPort: 0, authority: undefined,
    }
  }
  const ports = HEAD_BYTES + 2 * addressBytes
  if (header.length < ports + 4) return undefined
  const address = (from: number): Uint8Array => {
    const bytes = new Uint8Array(16)
    bytes.set(header.subarray(from, from + addressBytes))
    return bytes
  }
  return {
    version: 2,
    ipVersion: family === FAMILY.ipv4 ? 4 : 6,
    source: address(HEAD_BYTES),
    destination: address(HEAD_BYTES + addressBytes),
    sourcePort: header[ports]! * 0x100 + header[ports + 1]!,
    destinationPort: header[ports + 2]! * 0x100 + header[ports + 3]!,
    authority: authorityOf(header.subarray(ports + 4)),
  }
}

/** PROXY protocol 2.2.7: type, length of two bytes, value. */
function authorityOf(vectors: Uint8Array): Uint8Array | undefined {
  let at = 0
  while (at + 3 <= vectors.length) {
    const length = vectors[at + 1]! * 0x100 + vectors[at + 2]!
    const value = vectors.subarray(at + 3, at + 3 + length)
    if (vectors[at] === TYPE_AUTHORITY && length > 0 && value.length === length) return value.slice()
    at += 3 + length
  }
  return undefined
}
