import type { ByteMemory } from '../../lib/bytes/mod.ts'
import { parseCidr } from '../../lib/cidr/mod.ts'
import type { Cidr } from '../../lib/cidr/mod.ts'
import { PACKET_EVENT as P } from './events.gen.ts'
import type { KernelFilters } from './kernel/mod.ts'

const TCP = 6
const UDP = 17

/**
 * The kernel's filters over ports and addresses (bpf/filter.h), for packets that it could not judge: those of a file, and
 * those joined from fragments here.
 *
 * @returns undefined when the filters let everything through
 */
export function packetFilter(filters: Pick<KernelFilters, 'ports' | 'addresses'>): ((memory: ByteMemory, event: number) => boolean) | undefined {
  const ports = portTable(filters.ports ?? [])
  const include = (filters.addresses?.include ?? []).map(parseCidr)
  const exclude = (filters.addresses?.exclude ?? []).map(parseCidr)
  if (ports === undefined && include.length === 0 && exclude.length === 0) return undefined
  return (memory, event) => {
    const { u8, u16 } = memory
    const protocol = u8[event + P.ip_protocol]!
    if (ports !== undefined && (protocol === TCP || protocol === UDP)) {
      const source = u16[(event + P.source_port) >>> 1]!
      const destination = u16[(event + P.destination_port) >>> 1]!
      if (ports[source] === 0 && ports[destination] === 0) return false
    }
    if (include.length === 0 && exclude.length === 0) return true
    const length = u8[event + P.ip_version] === 6 ? 16 : 4
    const source = verdict(u8, event + P.source_address, length, include, exclude)
    const destination = verdict(u8, event + P.destination_address, length, include, exclude)
    if (source === 'exclude' || destination === 'exclude') return false
    return include.length === 0 || source === 'include' || destination === 'include'
  }
}

/** 1 at each wanted port; undefined = all are. */
function portTable(ranges: readonly (readonly [number, number])[]): Uint8Array | undefined {
  if (ranges.length === 0) return undefined
  const table = new Uint8Array(65536)
  for (const [first, last] of ranges) table.fill(1, first, last + 1)
  return table
}

/** Of the networks that hold the address the narrowest decides, as in the kernel's LPM trie. */
function verdict(u8: Uint8Array, at: number, length: number, include: readonly Cidr[], exclude: readonly Cidr[]): 'include' | 'exclude' | undefined {
  const included = narrowest(u8, at, length, include)
  const excluded = narrowest(u8, at, length, exclude)
  if (included < 0 && excluded < 0) return undefined
  return excluded >= included ? 'exclude' : 'include'
}

/** Longest prefix that holds the address; -1 = none. */
function narrowest(u8: Uint8Array, at: number, length: number, networks: readonly Cidr[]): number {
  let bits = -1
  for (const network of networks) {
    if (network.bits > bits && network.bytes.length === length && holds(network, u8, at)) bits = network.bits
  }
  return bits
}

function holds(network: Cidr, u8: Uint8Array, at: number): boolean {
  const whole = network.bits >> 3
  for (let index = 0; index < whole; index++) if (u8[at + index] !== network.bytes[index]) return false
  const mask = (0xff00 >> (network.bits & 7)) & 0xff
  return (network.bits & 7) === 0 || (u8[at + whole]! & mask) === network.bytes[whole]
}
