import { BpfMap } from '../../../lib/ebpf/mod.ts'
import type { FlowShare } from '../flow-share.ts'
import { noPackets } from '../source.ts'
import type { PacketCounters, PacketSource } from '../source.ts'
import { Directives } from './directives.ts'
import type { KernelShard } from './event-rings.ts'
import { nameInterfaces } from './interfaces.ts'
import { RecordReader } from './record-reader.ts'
import { RingSource } from './ring-source.ts'

/** How often the list of interfaces is looked at for one that was not in it. */
const NAMES_MS = 1000

/**
 * The connections of one worker beside the first, from programs that the first has loaded and attached: its `KernelSource` counts the
 * packets of all, takes filters, and detaches; what is in this ring can be read after that.
 */
export class ShardSource extends RingSource implements PacketSource {
  readonly share: FlowShare
  readonly seesBothDirections: boolean
  readonly #maps: readonly BpfMap[]
  /** Undefined: it was looked for, and not found. */
  readonly #names = new Map<number, string | undefined>()
  readonly #renew: () => void
  #namedAt = -Infinity

  /** @param renew asks the first worker's source to renew what is told of processes; @throws BpfError when the first has ended */
  constructor(memory: Uint8Array, { share, seesBothDirections, ring, reader, directives }: KernelShard, renew: () => void) {
    super(memory)
    this.share = share
    this.seesBothDirections = seesBothDirections
    this.#renew = renew
    const maps = [BpfMap.fromHandle(reader), BpfMap.fromHandle(directives)] as const
    this.#maps = maps
    this.openRing({ reader: RecordReader.ofRing(ring, maps[0], share.index), directives: new Directives(maps[1]) })
  }

  interfaceName(index: number): string | undefined {
    if (this.#names.get(index) === undefined) this.#lookFor(index)
    return this.#names.get(index)
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
    this.closeRing()
    for (const map of this.#maps) map.close()
  }

  /** At once for one that was not asked for before. */
  #lookFor(wanted: number): void {
    const now = performance.now()
    if (this.#names.has(wanted) && now - this.#namedAt < NAMES_MS) return
    this.#namedAt = now
    this.#names.set(wanted, undefined)
    nameInterfaces(this.#names)
  }
}
