import { CLIENTS_COUNTED, distinctSql, mergedSeenSql, quantilesSql, rolledSql } from '../../store/mod.ts'
import { CLIENT, FAILED, FAILED_SHARE, P50, P95, P99, REFUSED, ROLLED_SHARE, ROLLED_SUMS, SHARES, type View } from '../view.ts'

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
  rolled: question => ({
    sql: `WITH given AS MATERIALIZED (${rolledSql('minute', question)}), times AS (${quantilesSql('given', [], SHARES)}),
      clients AS (SELECT ${mergedSeenSql(CLIENTS_COUNTED)} AS seen FROM (${rolledSql('all', question)}))
      SELECT n, refused, failed, failed_share, p50, p95, p99, bytes, coalesce(${distinctSql('seen', CLIENTS_COUNTED)}, 0) AS clients, unanswered
      FROM (SELECT ${ROLLED_SUMS}, ${ROLLED_SHARE}, sum(bytes)::BIGINT AS bytes, coalesce(sum(n - answered), 0)::BIGINT AS unanswered
        FROM given), times, clients`,
    cube: 'minute',
  }),
}
