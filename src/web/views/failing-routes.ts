import { routedSql } from '../route-sql.ts'
import { CLIENT, FAILED, FAILED_SHARE, REFUSED, type View } from '../view.ts'

export const failingRoutes: View = {
  name: 'failing-routes',
  title: 'Most failing routes',
  columns: [
    { title: 'Route', unit: 'text' }, { title: 'Host', unit: 'text' }, { title: 'Method', unit: 'text' }, { title: 'Requests', unit: 'count' },
    { title: '5xx', unit: 'count' }, { title: '5xx share', unit: 'share' }, { title: '4xx', unit: 'count' }, { title: 'Clients', unit: 'count' },
  ],
  sql: ({ where, limit }) => `WITH ${routedSql(where)} SELECT route, url_domain, http_request_method, count(*) AS n, ${FAILED} AS failed,
    ${FAILED_SHARE} AS failed_share, ${REFUSED} AS refused, count(DISTINCT ${CLIENT}) AS clients FROM routed GROUP BY 1, 2, 3
    HAVING ${FAILED} + ${REFUSED} > 0 ORDER BY failed DESC, refused DESC, n DESC, 1, 2, 3 LIMIT ${limit}`,
}
