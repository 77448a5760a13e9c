import { readFileSync } from 'node:fs'

import { interfaceIndex } from '../../../lib/ebpf/mod.ts'

/** A network interface of this thread's network namespace. */
export interface NetworkInterface {
  readonly name: string
  readonly index: number
  readonly isUp: boolean
  /** ARPHRD_ number (include/uapi/linux/if_arp.h): 1 Ethernet, 772 loopback, 65534 none (tun), ... */
  readonly type: number
}

/** How an interface's frames begin. */
export const LinkLayer = { ethernet: 'ethernet', ip: 'ip', unknown: 'unknown' } as const
export type LinkLayer = (typeof LinkLayer)[keyof typeof LinkLayer]

export const ARPHRD_LOOPBACK = 772
const ETHERNET_TYPES = new Set([1, ARPHRD_LOOPBACK])
/** PPP, raw IP, ipip, ip6tnl, sit, GRE, GRE over IPv6, none. */
const IP_TYPES = new Set([512, 519, 768, 769, 776, 778, 823, 65534])
const IFF_UP = 1

export function linkLayerOf(type: number): LinkLayer {
  if (ETHERNET_TYPES.has(type)) return LinkLayer.ethernet
  return IP_TYPES.has(type) ? LinkLayer.ip : LinkLayer.unknown
}

/** Names of all interfaces, from the one list that always shows the thread's own namespace. */
export function interfaceNames(): string[] {
  const text = readFileSync('/proc/thread-self/net/dev', 'utf8')
  return [...text.matchAll(/^\s*(\S+):\s/gm)].map((match) => match[1]!)
}

/** Adds the names of all interfaces by their indexes; those that are gone stay. */
export function nameInterfaces(names: Map<number, string | undefined>): void {
  for (const name of interfaceNames()) {
    const index = indexOf(name)
    if (index !== undefined) names.set(index, name)
  }
}

/** Undefined when there is no such interface (any more). */
export function readInterface(name: string): NetworkInterface | undefined {
  const index = indexOf(name)
  if (index === undefined) return undefined
  const file = (leaf: string): string | undefined => {
    try {
      return readFileSync(`/sys/class/net/${name}/${leaf}`, 'utf8').trim()
    } catch {
      return undefined
    }
  }
  // /sys may show another namespace than the thread is in: then only the name and the index are sure.
  if (Number(file('ifindex')) !== index) return { name, index, isUp: true, type: name === 'lo' ? ARPHRD_LOOPBACK : 1 }
  return { name, index, isUp: (Number(file('flags') ?? IFF_UP) & IFF_UP) !== 0, type: Number(file('type') ?? 1) }
}

/** Undefined when there is no such interface (any more). */
export function indexOf(name: string): number | undefined {
  try {
    return interfaceIndex(name)
  } catch {
    return undefined
  }
}
