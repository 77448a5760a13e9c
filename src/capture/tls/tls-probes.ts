import { statSync } from 'node:fs'
import type { BpfObject, Link, UprobePlace } from '../../../lib/ebpf/mod.ts'
import { PROBE_END, PROBE_GO_END, PROBE_GO_HANDSHAKE, PROBE_HANDSHAKE, PROBE_NEW } from '../events.gen.ts'
import { judgeBinary } from './tls-binary.ts'
import type { TlsProbe } from './tls-binary.ts'

/** A file with a TLS library in it. */
export interface TlsBinary {
  /** As its processes know it, in the mount namespace of the first that showed it. */
  readonly path: string
  /** `device:inode` of stat(2). */
  readonly identity: string
  readonly library: string
  readonly isRead: boolean
  /** Why it is not read. */
  readonly reason: string
}

interface Held { readonly binary: TlsBinary; readonly links: readonly Link[] }

/** Programs of bpf/tls.bpf.c. */
export const PROGRAMS = { return: 'lintel_tls_end', entry: 'lintel_tls_in', go: 'lintel_tls_go' } as const
/** Files that are remembered as holding no TLS library. */
const KNOWN_MAX = 65_536
/** Files that are probed at a time: each takes three descriptors, before kernel 6.6 about 16. */
const BINARIES_MAX = 512

/**
 * Attaches the probes, once for each file: a uprobe belongs to the inode, so that it serves every process that maps it, in
 * whatever container.
 */
export class TlsProbes {
  readonly #object: BpfObject
  readonly #held = new Map<string, Held>()
  /** Identities that were judged to be no TLS library. */
  readonly #others = new Set<string>()

  constructor(object: BpfObject) {
    this.#object = object
  }

  /** So many files are held that those which nobody maps should go. */
  get isCrowded(): boolean {
    return this.#held.size > BINARIES_MAX / 2
  }

  binaries(): TlsBinary[] {
    return [...this.#held.values()].map(({ binary }) => binary)
  }

  /**
   * Looks at a file, and probes it if it holds a TLS library.
   *
   * @param openPath where the file can be opened from here
   * @param path what to call it
   * @returns what became of it; undefined = nothing to do with TLS, known already, or not to be opened
   */
  consider(openPath: string, path: string): TlsBinary | undefined {
    let identity: string
    try {
      const { dev, ino } = statSync(openPath, { bigint: true })
      identity = `${dev}:${ino}`
    } catch {
      return undefined // its process is gone, or it was never a file
    }
    if (this.#held.has(identity) || this.#others.has(identity)) return undefined
    const verdict = judgeBinary(openPath)
    if (verdict.speaks === 'no') {
      if (this.#others.size >= KNOWN_MAX) this.#others.clear()
      this.#others.add(identity)
      return undefined
    }
    const { library } = verdict
    if (verdict.speaks === 'unreadable') return this.#keep({ path, identity, library, isRead: false, reason: verdict.reason }, [])
    if (this.#held.size >= BINARIES_MAX) {
      return { path, identity, library, isRead: false, reason: `${BINARIES_MAX} files are probed already` }
    }
    try {
      return this.#keep({ path, identity, library, isRead: true, reason: '' }, this.#attach(openPath, verdict.probes))
    } catch (error) {
      return this.#keep({ path, identity, library, isRead: false, reason: (error as Error).message }, [])
    }
  }

  /** Lets go of files that `isUsed` says nobody has any more. */
  release(isUsed: (identity: string) => boolean): void {
    for (const [identity, { links }] of this.#held) {
      if (isUsed(identity)) continue
      for (const link of links) link.detach()
      this.#held.delete(identity)
    }
    this.#others.clear() // inode numbers are given out anew
  }

  /**
   * Waits until none of the programs runs that had begun before: taking off one probe does (uprobe_unregister_sync in
   * kernel/events/uprobes.c), in about 0.1 s.
   */
  quiesce(): void {
    for (const { links: [first] } of this.#held.values()) {
      if (first !== undefined) return first.detach()
    }
  }

  close(): void {
    for (const { links } of this.#held.values()) for (const link of links) link.detach()
    this.#held.clear()
  }

  #keep(binary: TlsBinary, links: readonly Link[]): TlsBinary {
    this.#held.set(binary.identity, { binary, links })
    return binary
  }

  /** All or none. */
  #attach(path: string, probes: readonly TlsProbe[]): Link[] {
    const links: Link[] = []
    try {
      if (probes.some(({ place }) => place === 'go')) this.#object.globals('.bss').set('go_is_read', 1)
      for (const { place, places } of inAttachOrder(probes)) links.push(...this.#attachAll(PROGRAMS[place], path, place === 'return', places))
      return links
    } catch (error) {
      for (const link of links) link.detach()
      throw error
    }
  }

  #attachAll(name: string, path: string, atReturn: boolean, places: readonly UprobePlace[]): Link[] {
    const program = this.#object.program(name)
    if (program.expectedAttachType === 'trace_uprobe_multi') return [program.attachUprobeMulti({ path, return: atReturn, places })]
    return places.map(({ offset, cookie }) => program.attachUprobe({ path, offset, cookie, return: atReturn }))
  }
}

/** When a place is attached, by its cookie; the rest comes between. */
const FIRST: ReadonlySet<number> = new Set([PROBE_END, PROBE_GO_END])
const LAST: ReadonlySet<number> = new Set([PROBE_HANDSHAKE, PROBE_GO_HANDSHAKE, PROBE_NEW])

/**
 * The kernel attaches one place after the other, in order, while programs run. Ends come before their entries: an entry without its end
 * would be a call that never ends. What tells the start of a session comes last: a session of which a call was missed must not
 * seem to be seen from its start, for its requests and responses are counted.
 *
 * @returns groups of one program each
 */
export function inAttachOrder(probes: readonly TlsProbe[]): { readonly place: TlsProbe['place']; readonly places: readonly UprobePlace[] }[] {
  const rankOf = ({ cookie }: TlsProbe): number => FIRST.has(cookie) ? 0 : LAST.has(cookie) ? 2 : 1
  const sorted = [...probes].sort((one, other) => rankOf(one) - rankOf(other))
  const groupOf = (place: TlsProbe['place'], isWanted: (probe: TlsProbe) => boolean) => ({
    place,
    places: sorted.filter((probe) => probe.place === place && isWanted(probe)).map(({ offset, cookie }) => ({ offset, cookie: BigInt(cookie) })),
  })
  return [
    groupOf('return', ({ cookie }) => !LAST.has(cookie)), groupOf('entry', () => true), groupOf('go', () => true),
    groupOf('return', ({ cookie }) => LAST.has(cookie)),
  ].filter(({ places }) => places.length > 0)
}
