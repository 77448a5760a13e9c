import { BpfMap } from '../../../lib/ebpf/mod.ts'
import type { FlowShare } from '../flow-share.ts'
import { noPackets } from '../source.ts'
import type { PacketCounters, PacketSource } from '../source.ts'
import { Directives } from './directives.ts'
import type { KernelShard } from './event-rings.ts'
import { indexOf, interfaceNames } from './interfaces.ts'
import { RecordReader } from './record-reader.ts'
import { WallClock } from './wall-clock.ts'

/** How often the list of interfaces is looked at for one that was not in it. */
const NAMES_MS = 1000

/**
 * The connections of one worker beside the first, from programs that the first has loaded and attached: its `KernelSource` counts the
 * packets of all, takes filters, and detaches; what is in this ring can be read after that. To be used in one thread; `wait` blocks it.
 */
export class ShardSource implements PacketSource {
  readonly name = 'kernel'
  readonly ended = false
  readonly share: FlowShare
  readonly seesBothDirections: boolean
  readonly #memory: Uint8Array
  readonly #reader: RecordReader
  readonly #maps: readonly BpfMap[]
  readonly #directives: Directives
  readonly #clock = new WallClock()
  /** Undefined: it was looked for, and not found. */
  readonly #names = new Map<number, string | undefined>()
  readonly #renew: () => void
  #namedAt = -Infinity
  #closed = false

  /** @param renew asks the first worker's source to renew what is told of processes; @throws BpfError when the first has ended */
  constructor(memory: Uint8Array, { share, seesBothDirections, ring, reader, directives }: KernelShard, renew: () => void) {
    this.share = share
    this.seesBothDirections = seesBothDirections
    this.#memory = memory
    this.#renew = renew
    const maps = [BpfMap.fromHandle(reader), BpfMap.fromHandle(directives)] as const
    this.#maps = maps
    this.#directives = new Directives(maps[1])
    this.#reader = RecordReader.ofRing(ring, maps[0], share.index)
  }

  fill(pointer: number, length: number): number {
    return this.#closed ? 0 : this.#reader.read(this.#memory, pointer, length)
  }

  /** Blocks until `fill` may have something; false after `timeoutMs` without. */
  wait(timeoutMs: number): boolean {
    return !this.#closed && this.#reader.wait(timeoutMs)
  }

  /** Lets records gather for `ms`, or until the ring fills. */
  gather(ms: number): void {
    if (!this.#closed) this.#reader.gather(ms)
  }

  epochNanoseconds(): bigint {
    return this.#clock.epochNanoseconds()
  }

  interfaceName(index: number): string | undefined {
    if (!this.#names.get(index)) this.#nameInterfaces(index)
    return this.#names.get(index)
  }

  skip(connectionTag: number, side: 0 | 1, until: number): void {
    if (!this.#closed) this.#directives.skip(connectionTag, side, until)
  }

  ignore(connectionTag: number): void {
    if (!this.#closed) this.#directives.ignore(connectionTag)
  }

  leaveOut(connectionTag: number, isAllowed: boolean): void {
    if (!this.#closed) this.#directives.leaveOut(connectionTag, isAllowed)
  }

  /** None: the first worker's source tells those of all. */
  counters(): PacketCounters {
    return noPackets()
  }

  renewProcesses(): void {
    this.#renew()
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#reader.close()
    for (const map of this.#maps) map.close()
  }

  /** At once for one that was not asked for before. */
  #nameInterfaces(wanted: number): void {
    const now = performance.now()
    if (this.#names.has(wanted) && now - this.#namedAt < NAMES_MS) return
    this.#namedAt = now
    this.#names.set(wanted, undefined)
    for (const name of interfaceNames()) {
      const index = indexOf(name)
      if (index !== undefined) this.#names.set(index, name)
    }
  }
}
