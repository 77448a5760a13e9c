import type { ByteMemory } from '../../lib/bytes/mod.ts'
import { PACKET_EVENT as P } from './events.gen.ts'

/** `sampleBelow` of all connections. */
export const SAMPLE_ALL = 65536
const ADDRESS_WORDS = 4

/**
 * A share of the connections as the kernel takes it: kept is what hashes below.
 *
 * @throws {RangeError} for a share that is not above 0 and at most 1
 */
export function sampleBelow(share: number): number {
  if (!(share > 0 && share <= 1)) {
    throw new RangeError(`Cannot sample ${share} of the connections: it must be above 0 and at most 1`)
  }
  return Math.max(1, Math.round(share * SAMPLE_ALL))
}

/**
 * The kernel's choice (`sample_of` in bpf/connection.h) by the addresses and ports of an event, for what it did not choose itself: the
 * same for both directions, and for what is read beside the packets.
 *
 * @returns undefined when every connection is kept
 */
export function connectionSample(share: number): ((memory: ByteMemory, event: number) => boolean) | undefined {
  const below = sampleBelow(share)
  return below >= SAMPLE_ALL ? undefined : (memory, event) => sampleOf(memory, event) < below
}

/** 16 bits, over the words of struct connection_key: both addresses, the one that sorts first in front, and their ports. */
function sampleOf({ u8, u16, u32 }: ByteMemory, event: number): number {
  const source = event + P.source_address
  const destination = event + P.destination_address
  const sourcePort = u16[(event + P.source_port) >>> 1]!
  const destinationPort = u16[(event + P.destination_port) >>> 1]!
  const swaps = sortsAfter(u8, source, sourcePort, destination, destinationPort)
  const first = (swaps ? destination : source) >>> 2
  const second = (swaps ? source : destination) >>> 2
  let hash = 0x811c9dc5
  for (let word = 0; word < ADDRESS_WORDS; word++) hash = mix(hash, u32[first + word]!)
  for (let word = 0; word < ADDRESS_WORDS; word++) hash = mix(hash, u32[second + word]!)
  hash = mix(hash, swaps ? destinationPort | sourcePort << 16 : sourcePort | destinationPort << 16)
  return hash & 0xffff
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}

function sortsAfter(u8: Uint8Array, source: number, sourcePort: number, destination: number, destinationPort: number): boolean {
  for (let index = 0; index < ADDRESS_WORDS * 4; index++) {
    const difference = u8[source + index]! - u8[destination + index]!
    if (difference !== 0) return difference > 0
  }
  return sourcePort > destinationPort
}
