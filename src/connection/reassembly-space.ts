import type { ByteMemory } from '../../lib/bytes/mod.ts'
import type { PacketSource } from '../capture/mod.ts'
import type { ConnectionCounters } from './connection-counters.ts'
import type { ConnectionLimits } from './connection-limits.ts'
import { SlotLists } from './slot-lists.ts'

const NANOSECONDS = 1e6

/** What all sides of all connections share: memory, bounds, counts, and who waits for a missing segment. */
export class ReassemblySpace {
  readonly memory: ByteMemory
  readonly source: Pick<PacketSource, 'skip' | 'ignore' | 'leaveOut'>
  readonly limits: ConnectionLimits
  readonly counters: ConnectionCounters
  /**
   * Sides with a hole, oldest hole first, over slot * 2 + side: list 0 = they hold bytes, list 1 = they hold
   * none.
   */
  readonly waiting: SlotLists
  readonly waitNs: number
  readonly acknowledgedNs: number
  readonly recordNs: number
  /**
   * Makes the side that has waited longest with bytes give up its hole; false = nobody waits. Set by the
   * table.
   */
  relieve: (time: number) => boolean = () => false
  /** Bytes that all sides hold. */
  heldBytes = 0
  /** Pieces looked at or moved: what reassembly costs, for tests of its growth. */
  steps = 0

  constructor(
    memory: ByteMemory,
    source: Pick<PacketSource, 'skip' | 'ignore' | 'leaveOut'>,
    limits: ConnectionLimits,
    counters: ConnectionCounters,
  ) {
    this.memory = memory
    this.source = source
    this.limits = limits
    this.counters = counters
    this.waiting = new SlotLists(limits.connectionCountMax * 2, 2)
    this.waitNs = limits.waitMsMax * NANOSECONDS
    this.acknowledgedNs = limits.acknowledgedMsMax * NANOSECONDS
    this.recordNs = limits.recordMsMax * NANOSECONDS
  }

  /** Memory for held bytes; 0 = a bound is reached. */
  take(size: number): number {
    if (this.heldBytes + size > this.limits.bufferBytesTotalMax) return 0
    const pointer = this.memory.allocator.alloc(size)
    if (pointer !== 0) this.heldBytes += size
    return pointer
  }

  give(pointer: number, size: number): void {
    this.memory.allocator.free(pointer, size)
    this.heldBytes -= size
  }
}
