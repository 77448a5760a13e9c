import type { Attachment } from './agent-contract.ts'
import type { Stats } from './ledger.ts'

/** The agent's figures as the page shows them: plain JSON, counts by reason as objects. */
export function pageHealth(stats: Stats, attachments: readonly Attachment[]): object {
  const { packets, records, tlsCalls } = stats
  return {
    uptimeMs: stats.uptimeMs,
    residentBytes: process.memoryUsage.rss(),
    connectionsOpen: stats.connectionsOpen,
    attachments: attachments.map(({ where, hook, bothDirections }) => ({ where, hook, bothDirections })),
    packets: { seen: packets.seen, delivered: packets.delivered, notWanted: plain(packets.notWanted), lost: plain(packets.lost) },
    ...(tlsCalls === undefined ? {} : { tlsCalls: { seen: tlsCalls.seen, delivered: tlsCalls.delivered, lost: plain(tlsCalls.lost) } }),
    records: {
      seen: records.seen, logged: records.logged, filtered: records.filtered, sampled: records.sampled, queued: records.queued,
      dropped: plain(records.dropped),
    },
    anomalies: plain(stats.anomalies),
    outputs: stats.outputs.map(output => ({
      name: output.name, queuedBytes: output.queuedBytes, writtenRecords: output.writtenRecords, dropped: plain(output.droppedRecords),
      ...(output.lastError === undefined ? {} : { lastError: output.lastError }),
    })),
  }
}

function plain(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].filter(([, count]) => count > 0))
}
