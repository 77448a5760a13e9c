import type { ByteMemory } from '../../lib/bytes/mod.ts'
import { ETHERTYPE, IP_PROTOCOL, LINK_TYPE } from './dissect/mod.ts'
import { flowHash, hashEnds } from './flow-hash.ts'

/** One of several workers, who share the flows of a source. */
export interface FlowShare {
  /** From 0. */
  readonly index: number
  /** How many there are. */
  readonly count: number
}

/** Of one worker alone. */
export const ALL_FLOWS: FlowShare = { index: 0, count: 1 }

/** What `ofFrame` says when only a dissection can tell. */
export const SHARE_UNKNOWN = -1

const TAGS_MAX = 2
const IPV6_BYTES = 40
const PORTS_BYTES = 4
/** All but the flag "do not fragment": more fragments, and the offset. */
const FRAGMENT_BITS = 0x3fff

/**
 * Which worker a flow belongs to: by its addresses and ports, both directions alike, the innermost where there are tunnels. The low half
 * of the hash chooses the sample (connection-sample.ts), the high half the worker.
 */
export class FlowShares {
  readonly #count: number

  /** @param count of workers, from 1 */
  constructor(count: number) {
    this.#count = count
  }

  ofEvent(memory: ByteMemory, event: number): number {
    return (flowHash(memory, event) >>> 16) % this.#count
  }

  /**
   * A look at the places where plain TCP has its addresses and ports, many times quicker than a dissection. What it tells is what an
   * event of this frame would tell; it reads nothing outside the frame.
   *
   * @returns the worker's index, or SHARE_UNKNOWN for what is not plain (tunnels, fragments, UDP, unusual links, what is cut)
   */
  ofFrame(u8: Uint8Array, frame: number, captured: number, linkType: number): number {
    const end = frame + captured
    let at = frame + headerBytes(linkType)
    if (at === frame || at > end) return SHARE_UNKNOWN
    let ethertype = bigEndian(u8, frame + ethertypePlace(linkType))
    for (let tags = 0; ethertype === ETHERTYPE.VLAN || ethertype === ETHERTYPE.PROVIDER_VLAN; tags++) {
      if (tags === TAGS_MAX || at + 4 > end) return SHARE_UNKNOWN
      ethertype = bigEndian(u8, at + 2)
      at += 4
    }
    if (ethertype === ETHERTYPE.IPV4) return this.#ofIpv4(u8, at, end)
    return ethertype === ETHERTYPE.IPV6 ? this.#ofIpv6(u8, at, end) : SHARE_UNKNOWN
  }

  #ofIpv4(u8: Uint8Array, ip: number, end: number): number {
    if (ip + 20 > end) return SHARE_UNKNOWN
    const first = u8[ip]!
    const ports = ip + (first & 15) * 4
    const isPlain = first >> 4 === 4 && ports >= ip + 20 && ports + PORTS_BYTES <= end
      && u8[ip + 9] === IP_PROTOCOL.TCP && (bigEndian(u8, ip + 6) & FRAGMENT_BITS) === 0
    return isPlain ? this.#ofEnds(u8, ip + 12, ip + 16, ports, 4) : SHARE_UNKNOWN
  }

  #ofIpv6(u8: Uint8Array, ip: number, end: number): number {
    const ports = ip + IPV6_BYTES
    const isPlain = ports + PORTS_BYTES <= end && u8[ip]! >> 4 === 6 && u8[ip + 6] === IP_PROTOCOL.TCP
    return isPlain ? this.#ofEnds(u8, ip + 8, ip + 24, ports, 16) : SHARE_UNKNOWN
  }

  #ofEnds(u8: Uint8Array, source: number, destination: number, ports: number, length: number): number {
    const hash = hashEnds(u8, source, bigEndian(u8, ports), destination, bigEndian(u8, ports + 2), length)
    return (hash >>> 16) % this.#count
  }
}

/** Of the link's header; 0 = a link that is not looked into. */
function headerBytes(linkType: number): number {
  if (linkType === LINK_TYPE.ETHERNET) return 14
  if (linkType === LINK_TYPE.LINUX_SLL) return 16
  return linkType === LINK_TYPE.LINUX_SLL2 ? 20 : 0
}

function ethertypePlace(linkType: number): number {
  if (linkType === LINK_TYPE.ETHERNET) return 12
  return linkType === LINK_TYPE.LINUX_SLL ? 14 : 0
}

function bigEndian(u8: Uint8Array, at: number): number {
  return u8[at]! << 8 | u8[at + 1]!
}
