import { CLIENT, FAILED, FAILED_SHARE, P50, P95, P99, REFUSED, type View } from '../view.ts'

/** The range in one row. */
export const totals: View = {
  name: 'totals',
  title: 'Totals',
  columns: [
    { title: 'Requests', unit: 'count' }, { title: '4xx', unit: 'count' }, { title: '5xx', unit: 'count' }, { title: '5xx share', unit: 'share' },
    { title: 'p50', unit: 'seconds' }, { title: 'p95', unit: 'seconds' }, { title: 'p99', unit: 'seconds' },
    { title: 'Response bytes', unit: 'bytes' }, { title: 'Clients', unit: 'count' }, { title: 'Without an answer', unit: 'count' },
  ],
  sql: ({ where }) => `SELECT count(*) AS n, ${REFUSED} AS refused, ${FAILED} AS failed, ${FAILED_SHARE} AS failed_share,
    ${P50} AS p50, ${P95} AS p95, ${P99} AS p99, sum(http_response_body_size)::BIGINT AS bytes, count(DISTINCT ${CLIENT}) AS clients,
    count(*) FILTER (http_response_status_code IS NULL) AS unanswered FROM exchanges WHERE ${where}`,
}
