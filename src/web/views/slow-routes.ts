import { quantilesSql, rolledSql } from '../../store/mod.ts'
import { quantilesOf, SHARES, type View } from '../view.ts'

/** A route of a few requests is no slow route, it is a slow request. */
const REQUESTS_MIN = 5

export const slowRoutes: View = {
  name: 'slow-routes',
  title: 'Slowest routes',
  columns: [
    { title: 'Route', unit: 'text' }, { title: 'Host', unit: 'text' }, { title: 'Method', unit: 'text' }, { title: 'Requests', unit: 'count' },
    { title: 'p50', unit: 'seconds' }, { title: 'p95', unit: 'seconds' }, { title: 'p99', unit: 'seconds' }, { title: 'Longest', unit: 'seconds' },
  ],
  sql: question => `WITH ${question.words.routed(question)} SELECT route, url_domain, http_request_method, count(*) AS n,
    ${quantilesOf(question)}, max(duration) AS longest FROM routed WHERE duration IS NOT NULL GROUP BY 1, 2, 3
    HAVING count(*) >= ${REQUESTS_MIN} ORDER BY p99 DESC, n DESC, 1, 2, 3 LIMIT ${question.limit}`,
  rolled: question => ({
    sql: () => `WITH given AS MATERIALIZED (SELECT k2, k1, k3, longest, "at", hits FROM (${rolledSql('route', question)})),
      sums AS (SELECT k2, k1, k3, sum(list_sum(hits))::BIGINT AS n, max(longest) AS longest FROM given GROUP BY 1, 2, 3 HAVING n >= ${REQUESTS_MIN}),
      times AS (${quantilesSql('given', ['k2', 'k1', 'k3'], SHARES)})
      SELECT k2, sums.k1, sums.k3, n, p50, p95, p99, longest FROM sums JOIN times USING (k2) WHERE sums.k1 IS NOT DISTINCT FROM times.k1
        AND sums.k3 IS NOT DISTINCT FROM times.k3 ORDER BY p99 DESC, n DESC, 1, 2, 3 LIMIT ${question.limit}`,
    cube: 'route',
  }),
}
