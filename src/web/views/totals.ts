import { CLIENT, FAILED, FAILED_SHARE, quantilesOf, REFUSED, ROLLED_SHARE, ROLLED_SUMS, SHARES, type View } from '../view.ts'

/** The range in one row. */
export const totals: View = {
  name: 'totals',
  title: 'Totals',
  columns: [
    { title: 'Requests', unit: 'count' }, { title: '4xx', unit: 'count' }, { title: '5xx', unit: 'count' }, { title: '5xx share', unit: 'share' },
    { title: 'p50', unit: 'seconds' }, { title: 'p95', unit: 'seconds' }, { title: 'p99', unit: 'seconds' },
    { title: 'Response bytes', unit: 'bytes' }, { title: 'Clients', unit: 'count' }, { title: 'Without an answer', unit: 'count' },
  ],
  sql: question => `SELECT count(*) AS n, ${REFUSED} AS refused, ${FAILED} AS failed, ${FAILED_SHARE} AS failed_share,
    ${quantilesOf(question)}, sum(http_response_body_size) AS bytes, count(DISTINCT ${CLIENT}) AS clients,
    count(*) FILTER (WHERE http_response_status_code IS NULL) AS unanswered FROM exchanges WHERE ${question.where}`,
  rolled: ({ words, ...question }) => ({
    sql: () => `SELECT n, refused, failed, failed_share, p50, p95, p99, bytes, (${words.rolledClients(question)}) AS clients, unanswered
      FROM (${words.rolledGroups(question, {
        cube: 'minute', shares: SHARES,
        sums: [...ROLLED_SUMS, ROLLED_SHARE, 'sum(r.bytes) AS bytes', 'coalesce(sum(r.n - r.answered), 0) AS unanswered'],
      })})`,
    cube: 'minute',
  }),
}
