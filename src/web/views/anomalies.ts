import type { View } from '../view.ts'

/** What the capture or the decoders could not read, by reason. */
export const anomalies: View = {
  name: 'anomalies',
  title: 'What could not be read',
  columns: [{ title: 'Reason', unit: 'text' }, { title: 'Times', unit: 'count' }, { title: 'First', unit: 'time' }, { title: 'Last', unit: 'time' }],
  sql: ({ words, where, limit }) => `SELECT coalesce(event_reason, event_name, '(none)') AS reason, sum(coalesce(event_count, 1)) AS n,
    ${words.firstSeen} AS first_seen, ${words.lastSeen} AS last_seen
    FROM records WHERE "kind" = 'anomaly' AND ${where} GROUP BY 1 ORDER BY n DESC, 1 LIMIT ${limit}`,
}
