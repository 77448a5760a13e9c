import { routedSql } from '../route-sql.ts'
import { P50, P95, P99, type View } from '../view.ts'

/** A route of a few requests is no slow route, it is a slow request. */
const REQUESTS_MIN = 5

export const slowRoutes: View = {
  name: 'slow-routes',
  title: 'Slowest routes',
  columns: [
    { title: 'Route', unit: 'text' }, { title: 'Host', unit: 'text' }, { title: 'Method', unit: 'text' }, { title: 'Requests', unit: 'count' },
    { title: 'p50', unit: 'seconds' }, { title: 'p95', unit: 'seconds' }, { title: 'p99', unit: 'seconds' }, { title: 'Longest', unit: 'seconds' },
  ],
  sql: ({ where, limit }) => `WITH ${routedSql(where)} SELECT route, url_domain, http_request_method, count(*) AS n, ${P50} AS p50, ${P95} AS p95,
    ${P99} AS p99, max(duration) AS longest FROM routed WHERE duration IS NOT NULL GROUP BY 1, 2, 3
    HAVING count(*) >= ${REQUESTS_MIN} ORDER BY p99 DESC, n DESC, 1, 2, 3 LIMIT ${limit}`,
}
