import type { View } from '../view.ts'

/** From when to when the store has exchanges. */
export const span: View = {
  name: 'span',
  title: 'Times in the store',
  columns: [{ title: 'First', unit: 'time' }, { title: 'Last', unit: 'time' }, { title: 'Exchanges', unit: 'count' }],
  sql: ({ words, where }) => `SELECT ${words.firstSeen}, ${words.lastSeen}, count(*) FROM exchanges WHERE ${where}`,
  rolled: ({ words, ...question }) => ({
    // Of no row some engines say 0.
    sql: () => `SELECT CASE WHEN count(*) = 0 THEN NULL ELSE ${words.quotient('min(r.first_ns)', 1_000_000)} END,
      CASE WHEN count(*) = 0 THEN NULL ELSE ${words.quotient('max(r.last_ns)', 1_000_000)} END, coalesce(sum(r.n), 0)
      FROM (${words.rolled('minute', question)}) AS r`,
    cube: 'minute',
  }),
}
