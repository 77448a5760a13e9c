import { MINUTE_MS } from '../../store/mod.ts'
import { pointSql, rolledPointSql, type View } from '../view.ts'

/** Counts by class over time, for a stacked chart. */
export const statusClasses: View = {
  name: 'status-classes',
  title: 'Status classes over time',
  columns: [
    { title: 'Time', unit: 'time' }, { title: '2xx', unit: 'count' }, { title: '3xx', unit: 'count' }, { title: '4xx', unit: 'count' },
    { title: '5xx', unit: 'count' }, { title: 'Other', unit: 'count' }, { title: 'None', unit: 'count' },
  ],
  sql: question => `SELECT ${pointSql(question)} AS at, ${classes('http_response_status_code', 'count(*)')}
    FROM exchanges WHERE ${question.where} GROUP BY 1 ORDER BY 1`,
  rolled: question => question.bucketMs % MINUTE_MS !== 0 ? undefined : {
    sql: () => `SELECT ${rolledPointSql(question)} AS at, ${classes(question.words.whole('r.k1'), 'sum(r.n)')}
      FROM (${question.words.rolled('minute', question)}) AS r GROUP BY 1 ORDER BY 1`,
    cube: 'minute',
  },
}

/** @param sum of what is counted, which a condition follows */
function classes(status: string, sum: string): string {
  const count = (condition: string, name: string): string => `coalesce(${sum} FILTER (WHERE ${condition}), 0) AS ${name}`
  return [
    ...[2, 3, 4, 5].map(digit => count(`${status} >= ${digit}00 AND ${status} < ${digit + 1}00`, `c${digit}`)),
    count(`${status} < 200 OR ${status} >= 600`, 'other'), count(`${status} IS NULL`, 'none'),
  ].join(', ')
}
