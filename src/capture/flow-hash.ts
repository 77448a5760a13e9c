import type { ByteMemory } from '../../lib/bytes/mod.ts'
import { PACKET_EVENT as P } from './events.gen.ts'

const ADDRESS_BYTES = 16

/** The hash of an event's addresses and ports: 32 bits, the same for both directions (`sample_of` in bpf/connection.h). */
export function flowHash({ u8, u16 }: ByteMemory, event: number): number {
  const sourcePort = u16[(event + P.source_port) >>> 1]!
  const destinationPort = u16[(event + P.destination_port) >>> 1]!
  return hashEnds(u8, event + P.source_address, sourcePort, event + P.destination_address, destinationPort, ADDRESS_BYTES)
}

/**
 * The same of two addresses wherever they stand. The hash goes over the words of struct connection_key: both addresses, the end that
 * sorts first in front, and their ports.
 *
 * @param length of an address: 4 or 16; what IPv4 lacks is 0
 */
export function hashEnds(u8: Uint8Array, source: number, sourcePort: number, destination: number, destinationPort: number, length: number): number {
  const swaps = sortsAfter(u8, source, sourcePort, destination, destinationPort, length)
  let hash = mixAddress(0x811c9dc5, u8, swaps ? destination : source, length)
  hash = mixAddress(hash, u8, swaps ? source : destination, length)
  return mix(hash, swaps ? destinationPort | sourcePort << 16 : sourcePort | destinationPort << 16) >>> 0
}

/** Words as a little-endian machine reads them, at any place. */
function mixAddress(hash: number, u8: Uint8Array, address: number, length: number): number {
  let mixed = hash
  for (let at = address; at < address + length; at += 4) {
    mixed = mix(mixed, u8[at]! | u8[at + 1]! << 8 | u8[at + 2]! << 16 | u8[at + 3]! << 24)
  }
  for (let missing = length; missing < ADDRESS_BYTES; missing += 4) mixed = mix(mixed, 0)
  return mixed
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}

function sortsAfter(u8: Uint8Array, source: number, sourcePort: number, destination: number, destinationPort: number, length: number): boolean {
  for (let index = 0; index < length; index++) {
    const difference = u8[source + index]! - u8[destination + index]!
    if (difference !== 0) return difference > 0
  }
  return sourcePort > destinationPort
}
