import type { ByteMemory } from '../../lib/bytes/mod.ts'
import { flowHash } from './flow-hash.ts'

/** `sampleBelow` of all connections. */
export const SAMPLE_ALL = 65536

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
  return below >= SAMPLE_ALL ? undefined : (memory, event) => (flowHash(memory, event) & 0xffff) < below
}
