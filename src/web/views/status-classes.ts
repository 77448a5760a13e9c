import { MINUTE_MS, rolledSql } from '../../store/mod.ts'
import { pointSql, type View } from '../view.ts'

/** Counts by class over time, for a stacked chart. */
export const statusClasses: View = {
  name: 'status-classes',
  title: 'Status classes over time',
  columns: [
    { title: 'Time', unit: 'time' }, { title: '2xx', unit: 'count' }, { title: '3xx', unit: 'count' }, { title: '4xx', unit: 'count' },
    { title: '5xx', unit: 'count' }, { title: 'Other', unit: 'count' }, { title: 'None', unit: 'count' },
  ],
  sql: question => `SELECT ${pointSql(question)} AS at,
    ${[2, 3, 4, 5].map(digit => `count(*) FILTER (http_response_status_code // 100 = ${digit}) AS c${digit}`).join(', ')},
    count(*) FILTER (http_response_status_code // 100 NOT IN (2, 3, 4, 5)) AS other, count(*) FILTER (http_response_status_code IS NULL) AS none
    FROM exchanges WHERE ${question.where} GROUP BY 1 ORDER BY 1`,
  rolled: question => question.bucketMs % MINUTE_MS !== 0 ? undefined : {
    sql: `SELECT slot // ${question.bucketMs} * ${question.bucketMs} AS at,
      ${[2, 3, 4, 5].map(digit => `${count(`k1::INT // 100 = ${digit}`)} AS c${digit}`).join(', ')},
      ${count('k1::INT // 100 NOT IN (2, 3, 4, 5)')} AS other, ${count('k1 IS NULL')} AS none
      FROM (${rolledSql('minute', question)}) GROUP BY 1 ORDER BY 1`,
    cube: 'minute',
  },
}

function count(condition: string): string {
  return `coalesce(sum(n) FILTER (${condition}), 0)::BIGINT`
}
