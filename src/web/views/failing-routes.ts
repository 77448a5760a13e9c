import { COUNTED, distinctSql, mergedSeenSql, rolledSql } from '../../store/mod.ts'
import { CLIENT, FAILED, FAILED_SHARE, REFUSED, ROLLED_SHARE, ROLLED_SUMS, type View } from '../view.ts'

export const failingRoutes: View = {
  name: 'failing-routes',
  title: 'Most failing routes',
  columns: [
    { title: 'Route', unit: 'text' }, { title: 'Host', unit: 'text' }, { title: 'Method', unit: 'text' }, { title: 'Requests', unit: 'count' },
    { title: '5xx', unit: 'count' }, { title: '5xx share', unit: 'share' }, { title: '4xx', unit: 'count' }, { title: 'Clients', unit: 'count' },
  ],
  sql: ({ words, limit, ...matching }) => `WITH ${words.routed(matching)} SELECT route, url_domain, http_request_method, count(*) AS n,
    ${FAILED} AS failed, ${FAILED_SHARE} AS failed_share, ${REFUSED} AS refused, count(DISTINCT ${CLIENT}) AS clients FROM routed GROUP BY 1, 2, 3
    HAVING ${FAILED} + ${REFUSED} > 0 ORDER BY failed DESC, refused DESC, n DESC, 1, 2, 3 LIMIT ${limit}`,
  rolled: question => ({
    sql: () => `SELECT k2, k1, k3, n, failed, failed_share, refused, ${distinctSql('seen', COUNTED)} AS clients
      FROM (SELECT k2, k1, k3, ${ROLLED_SUMS.join(', ')}, ${ROLLED_SHARE}, ${mergedSeenSql(COUNTED)} AS seen
        FROM (${rolledSql('route', question)}) AS r GROUP BY 1, 2, 3
        HAVING sum(r.refused) + sum(r.failed) > 0
      ORDER BY failed DESC, refused DESC, n DESC, 1, 2, 3 LIMIT ${question.limit}) ORDER BY failed DESC, refused DESC, n DESC, 1, 2, 3`,
    cube: 'route',
  }),
}
