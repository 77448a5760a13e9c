import { cgroup2MountPath } from '../../../lib/ebpf/mod.ts'
import type { BpfObject, Direction, Link, XdpMode } from '../../../lib/ebpf/mod.ts'
import { ARPHRD_LOOPBACK, indexOf, interfaceNames, linkLayerOf, nameInterfaces, readInterface } from './interfaces.ts'
import type { NetworkInterface } from './interfaces.ts'
import { KernelAttach } from './options.ts'
import { newTcOwner, removeDeadFilters } from './tc-filters.ts'
import type { TcOwner } from './tc-filters.ts'

/** One program at one place. */
export interface KernelAttachment {
  readonly hook: KernelAttach
  /** Interface name, or the cgroup folder. */
  readonly where: string
  /** 0 for a cgroup. */
  readonly interfaceIndex: number
  readonly direction: Direction | 'both'
  /** XDP only. */
  readonly mode?: 'generic' | 'native'
  /** False when a request and its response cannot both be seen there. */
  readonly bothDirections: boolean
}

/** An interface that is not captured, and why. */
export interface AttachmentRefusal { readonly where: string; readonly reason: string }

export interface AttachmentChange {
  readonly change: 'appeared' | 'vanished' | 'refused'
  readonly where: string
  /** For `refused`. */
  readonly reason?: string
}

export interface AttachmentCounts { appeared: number; vanished: number; refused: number }

export interface AttachmentOptions {
  readonly attach: KernelAttach
  readonly interfaces: readonly string[]
  readonly cgroupPath?: string
  readonly xdpMode: XdpMode
  readonly onChange: (change: AttachmentChange) => void
}

interface Held { readonly index: number; readonly links: readonly { link: Link; attachment: KernelAttachment }[] }

const PROGRAMS = {
  tcx: { ethernet: { ingress: 'lintel_ingress', egress: 'lintel_egress' }, ip: { ingress: 'lintel_ip_in', egress: 'lintel_ip_out' } },
  clsact: { ethernet: { ingress: 'lintel_ingress', egress: 'lintel_egress' }, ip: { ingress: 'lintel_ip_in', egress: 'lintel_ip_out' } },
  xdp: { ethernet: { both: 'lintel_xdp' }, ip: { both: 'lintel_ip_xdp' } },
  socket: { ethernet: { both: 'lintel_socket' }, ip: { both: 'lintel_ip_sock' } },
} as const

/**
 * Holds the programs at the interfaces, and follows interfaces that come and go. The loopback shows every packet on its
 * way out and on its way in: egress alone sees all, and there a packet still has the socket that sent it.
 */
export class Attachments {
  readonly #object: BpfObject
  readonly #options: AttachmentOptions
  readonly #held = new Map<string, Held>()
  readonly #refused = new Map<string, { index: number; reason: string }>()
  readonly #names = new Map<number, string>()
  readonly #tcOwner: TcOwner
  readonly counts: AttachmentCounts = { appeared: 0, vanished: 0, refused: 0 }

  constructor(object: BpfObject, options: AttachmentOptions) {
    this.#object = object
    this.#options = options
    this.#tcOwner = newTcOwner()
  }

  /** @throws {Error} when an interface asked for is not there, or nothing could be attached */
  start(): void {
    for (const name of this.#options.interfaces) requireInterface(name)
    if (this.#options.attach === KernelAttach.cgroup) {
      this.#attachCgroup()
      nameInterfaces(this.#names)
      return
    }
    if (this.#options.attach === KernelAttach.clsact) removeDeadFilters()
    for (const found of this.#wanted()) {
      const failure = this.#attach(found)
      // An interface that was asked for must work; among all that are up some may not.
      if (failure !== undefined && this.#options.interfaces.length > 0) throw failure
    }
    if (this.#held.size > 0) return
    const reasons = [...this.#refused].map(([name, { reason }]) => `${name}: ${reason}`)
    throw new Error(`Cannot attach to any interface: ${reasons.length > 0 ? reasons.join('; ') : 'none is up; run "ip link"'}`)
  }

  /** Looks which interfaces there are now; attaches to new ones, lets go of those that went. */
  refresh(): void {
    if (this.#options.attach === KernelAttach.cgroup) {
      nameInterfaces(this.#names)
      return
    }
    for (const [name, held] of this.#held) {
      if (indexOf(name) === held.index) continue
      this.#release(held)
      this.#held.delete(name)
      this.counts.vanished++
      this.#options.onChange({ change: 'vanished', where: name })
    }
    for (const found of this.#wanted()) {
      const failure = this.#attach(found)
      if (failure !== undefined) this.#options.onChange({ change: 'refused', where: found.name, reason: failure.message })
      else {
        this.counts.appeared++
        this.#options.onChange({ change: 'appeared', where: found.name })
      }
    }
  }

  list(): KernelAttachment[] {
    return [...this.#held.values()].flatMap((held) => held.links.map(({ attachment }) => attachment))
  }

  refusals(): AttachmentRefusal[] {
    return [...this.#refused].map(([where, { reason }]) => ({ where, reason }))
  }

  interfaceName(index: number): string | undefined {
    return this.#names.get(index)
  }

  /** Indexes of the interfaces asked for that are there now. */
  indexes(): number[] {
    return this.#options.interfaces.flatMap((name) => indexOf(name) ?? [])
  }

  close(): void {
    for (const held of this.#held.values()) this.#release(held)
    this.#held.clear()
  }

  /** Interfaces that are to be attached and are not yet, nor refused since they came. */
  * #wanted(): Generator<NetworkInterface> {
    const chosen = this.#options.interfaces
    for (const name of chosen.length > 0 ? chosen : interfaceNames()) {
      if (this.#held.has(name)) continue
      const found = readInterface(name)
      if (found === undefined) {
        this.#refused.delete(name)
        continue
      }
      if ((!found.isUp && chosen.length === 0) || this.#refused.get(name)?.index === found.index) continue
      yield found
    }
  }

  /** The error when the interface refused. */
  #attach(found: NetworkInterface): Error | undefined {
    const links: Held['links'][number][] = []
    try {
      for (const [direction, program] of programsFor(this.#options.attach, found)) {
        links.push(this.#attachOne(found, direction, program))
      }
      this.#held.set(found.name, { index: found.index, links })
      this.#names.set(found.index, found.name)
      this.#refused.delete(found.name)
      return undefined
    } catch (error) {
      for (const { link } of links) link.detach()
      const failure = error instanceof Error ? error : new Error(String(error))
      this.counts.refused++
      this.#refused.set(found.name, { index: found.index, reason: failure.message })
      return failure
    }
  }

  #attachOne(found: NetworkInterface, direction: Direction | 'both', name: string): Held['links'][number] {
    const { attach, xdpMode } = this.#options
    const program = this.#object.program(name)
    const link = direction !== 'both' && attach === KernelAttach.clsact
      ? program.attachTc(found.index, direction, this.#tcOwner)
      : direction !== 'both' ? program.attachTcx(found.index, direction)
      : attach === KernelAttach.xdp ? program.attachXdp(found.index, xdpMode)
      : program.attachSocketFilter(found.index)
    return {
      link,
      attachment: {
        hook: attach,
        where: found.name,
        interfaceIndex: found.index,
        direction: attach === KernelAttach.xdp ? 'ingress' : direction,
        ...(link.mode === undefined ? {} : { mode: link.mode }),
        bothDirections: attach !== KernelAttach.xdp || found.type === ARPHRD_LOOPBACK,
      },
    }
  }

  #attachCgroup(): void {
    const where = this.#options.cgroupPath ?? cgroup2MountPath()
    if (where === undefined) {
      throw new Error('Cannot attach to cgroups: no cgroup v2 is mounted; run "mount -t cgroup2 none /sys/fs/cgroup", or use tcx')
    }
    const links = (['ingress', 'egress'] as const).map((direction) => ({
      link: this.#object.program(`lintel_cgroup_${direction.slice(0, 1)}`).attachCgroup(where, direction),
      attachment: { hook: KernelAttach.cgroup, where, interfaceIndex: 0, direction, bothDirections: true },
    }))
    this.#held.set(where, { index: 0, links })
  }

  #release(held: Held): void {
    for (const { link } of held.links) link.detach()
  }
}

function requireInterface(name: string): void {
  if (indexOf(name) !== undefined) return
  throw new Error(`Cannot attach to "${name}": no such interface; there are ${interfaceNames().join(', ')}`)
}

function programsFor(attach: KernelAttach, found: NetworkInterface): [Direction | 'both', string][] {
  const layer = linkLayerOf(found.type)
  if (layer === 'unknown' || attach === KernelAttach.cgroup) {
    throw new Error(`Cannot attach to "${found.name}": its link type ${found.type} is neither Ethernet nor IP`)
  }
  const programs = Object.entries(PROGRAMS[attach][layer]) as [Direction | 'both', string][]
  return found.type === ARPHRD_LOOPBACK ? programs.filter(([direction]) => direction !== 'ingress') : programs
}
