// Not by mod.ts: the main thread needs nothing else of the capture.
import { noPackets } from './capture/source.ts'
import type { PacketCounters } from './capture/source.ts'
import type { WorkerCounts } from './ledger.ts'
import { BATCH_KINDS } from './sink/batch.ts'
import type { WorkerStats } from './worker-message.ts'

/** Of a worker that has told nothing yet. */
export const NO_STATS: WorkerStats = {
  packets: noPackets(),
  tlsSessions: new Map(),
  records: { seen: 0, emitted: 0, emittedKinds: BATCH_KINDS.map(() => 0), filtered: 0, sampled: 0, dropped: new Map() },
  kinds: new Map(BATCH_KINDS.map((kind) => [kind, 0])),
  anomalies: new Map(),
  connectionsOpen: 0,
  connectionsShare: 1,
}

/** The figures of several workers as those of one. */
export function addStats(left: WorkerStats, right: WorkerStats): WorkerStats {
  const [leftCalls, rightCalls] = [left.tlsCalls, right.tlsCalls]
  return {
    packets: addPackets(left.packets, right.packets),
    tlsCalls: leftCalls === undefined || rightCalls === undefined ? leftCalls ?? rightCalls : addPackets(leftCalls, rightCalls),
    tlsSessions: addMaps(left.tlsSessions, right.tlsSessions),
    records: addRecords(left.records, right.records),
    kinds: addMaps(left.kinds, right.kinds),
    anomalies: addMaps(left.anomalies, right.anomalies),
    connectionsOpen: left.connectionsOpen + right.connectionsOpen,
    connectionsShare: Math.min(left.connectionsShare, right.connectionsShare),
  }
}

/** The ledgers of two sources, or of two workers, as one. */
export function addPackets(left: PacketCounters, right: PacketCounters): PacketCounters {
  return {
    seen: left.seen + right.seen,
    delivered: left.delivered + right.delivered,
    notWanted: addMaps(left.notWanted, right.notWanted),
    lost: addMaps(left.lost, right.lost),
    bytesDelivered: left.bytesDelivered + right.bytesDelivered,
    bytesCut: left.bytesCut + right.bytesCut,
  }
}

function addRecords(left: WorkerCounts, right: WorkerCounts): WorkerCounts {
  return {
    seen: left.seen + right.seen,
    emitted: left.emitted + right.emitted,
    emittedKinds: left.emittedKinds.map((count, kind) => count + right.emittedKinds[kind]!),
    filtered: left.filtered + right.filtered,
    sampled: left.sampled + right.sampled,
    dropped: addMaps(left.dropped, right.dropped),
  }
}

function addMaps(left: ReadonlyMap<string, number>, right: ReadonlyMap<string, number>): Map<string, number> {
  const sum = new Map(left)
  for (const [name, count] of right) sum.set(name, (sum.get(name) ?? 0) + count)
  return sum
}
