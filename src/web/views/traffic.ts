import { MINUTE_MS } from '../../store/mod.ts'
import { FAILED, pointSql, quantilesOf, REFUSED, ROLLED_SUMS, rolledPointSql, SHARES, type View } from '../view.ts'

/** Points of a chart: rate, failures and durations over time. Times without a request have no row. */
export const traffic: View = {
  name: 'traffic',
  title: 'Requests and durations over time',
  columns: [
    { title: 'Time', unit: 'time' }, { title: 'Requests', unit: 'count' }, { title: '4xx', unit: 'count' }, { title: '5xx', unit: 'count' },
    { title: 'p50', unit: 'seconds' }, { title: 'p95', unit: 'seconds' }, { title: 'p99', unit: 'seconds' },
  ],
  sql: question => `SELECT ${pointSql(question)} AS at, count(*) AS n, ${REFUSED} AS refused,
    ${FAILED} AS failed, ${quantilesOf(question)} FROM exchanges WHERE ${question.where} GROUP BY 1 ORDER BY 1`,
  rolled: question => question.bucketMs % MINUTE_MS !== 0 ? undefined : {
    sql: () => question.words.rolledGroups(question, { cube: 'minute', by: rolledPointSql(question), sums: ROLLED_SUMS, shares: SHARES, order: '1' }),
    cube: 'minute',
  },
}
