/**
 * Capture files made worse on purpose, the same way each time.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { PcapWriter } from '../../../lib/pcap/mod.ts'
import { readPackets } from './packet-list.ts'

/** Seeded numbers: xorshift32, so that a failure can be repeated. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = (Math.imul(seed, 2_654_435_761) ^ 0x9e3779b9) >>> 0 || 1
  }

  /** 0 to `bound` - 1. */
  below(bound: number): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state >>> 0
    return this.#state % bound
  }
}

/** How to damage a file; undefined = not at all. */
export type Damage =
  | { readonly kind: 'snap length'; readonly bytes: number }
  | { readonly kind: 'flipped bytes'; readonly seed: number; readonly count: number }
  | { readonly kind: 'cut file'; readonly seed: number }

/** @returns the bytes of the damaged file; undefined when it cannot be read as packets, which the damage needs */
export function damaged(path: string, damage: Damage): Uint8Array | undefined {
  switch (damage.kind) {
    case 'snap length': return snapped(path, damage.bytes)
    case 'flipped bytes': return flipped(readFileSync(path), damage.seed, damage.count)
    case 'cut file': {
      const bytes = readFileSync(path)
      return bytes.subarray(0, new Random(damage.seed).below(bytes.length + 1))
    }
  }
}

/** As `tcpdump -s` would have written it. Packets of other link types than the first one's are left out. */
function snapped(path: string, bytes: number): Uint8Array | undefined {
  const packets = readPackets(path)
  const linkType = packets?.[0]?.linkType
  if (packets === undefined || linkType === undefined) return undefined
  const parts: Uint8Array[] = []
  const writer = new PcapWriter((part) => parts.push(part), linkType)
  for (const packet of packets) {
    if (packet.linkType === linkType) {
      writer.packet(packet.bytes.subarray(0, bytes), packet.seconds, packet.nanoseconds, packet.wire)
    }
  }
  return Buffer.concat(parts)
}

function flipped(file: Buffer, seed: number, count: number): Uint8Array {
  const random = new Random(seed)
  // The file's own header stays: behind a broken one nothing would be read at all.
  const from = Math.min(40, file.length)
  for (let left = count; left > 0 && file.length > from; left--) {
    const at = from + random.below(file.length - from)
    file[at] = file[at]! ^ (1 + random.below(255))
  }
  return file
}
