import type { PacketCounters, PacketSource } from '../../capture/mod.ts'

const NO_COUNTS: PacketCounters = { seen: 0, delivered: 0, notWanted: new Map(), lost: new Map(), bytesDelivered: 0, bytesCut: 0 }

/** Packets that are made in memory: whoever reads them can leave nothing out, and nothing of them is counted. */
export abstract class MadeSource implements PacketSource {
  abstract readonly name: string
  readonly seesBothDirections = true

  abstract get ended(): boolean
  abstract fill(pointer: number, bytes: number): number

  epochNanoseconds(): bigint { return 0n }
  interfaceName(): string { return 'lo' }
  skip(): void { /* everything comes */ }
  ignore(): void { /* everything comes */ }
  counters(): PacketCounters { return NO_COUNTS }
  close(): void { /* nothing is open */ }
}
