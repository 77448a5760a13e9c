import { MINUTE_MS, quantilesSql, rolledSql } from '../../store/mod.ts'
import { FAILED, P50, P95, P99, pointSql, REFUSED, ROLLED_SUMS, SHARES, type View } from '../view.ts'

/** Points of a chart: rate, failures and durations over time. Times without a request have no row. */
export const traffic: View = {
  name: 'traffic',
  title: 'Requests and durations over time',
  columns: [
    { title: 'Time', unit: 'time' }, { title: 'Requests', unit: 'count' }, { title: '4xx', unit: 'count' }, { title: '5xx', unit: 'count' },
    { title: 'p50', unit: 'seconds' }, { title: 'p95', unit: 'seconds' }, { title: 'p99', unit: 'seconds' },
  ],
  sql: question => `SELECT ${pointSql(question)} AS at, count(*) AS n, ${REFUSED} AS refused,
    ${FAILED} AS failed, ${P50} AS p50, ${P95} AS p95, ${P99} AS p99 FROM exchanges WHERE ${question.where} GROUP BY 1 ORDER BY 1`,
  rolled: question => question.bucketMs % MINUTE_MS !== 0 ? undefined : {
    sql: `WITH given AS MATERIALIZED (SELECT *, slot // ${question.bucketMs} * ${question.bucketMs} AS point FROM (${rolledSql('minute', question)})),
      times AS (${quantilesSql('given', ['point'], SHARES)})
      SELECT sums.*, p50, p95, p99 FROM (SELECT point, ${ROLLED_SUMS} FROM given GROUP BY 1) AS sums LEFT JOIN times USING (point) ORDER BY 1`,
    cube: 'minute',
  },
}
