import { rolledSql } from '../../store/mod.ts'
import type { View } from '../view.ts'

/** Fields of exchanges that are missing, cut or only likely, by reason. */
export const marks: View = {
  name: 'marks',
  title: 'What exchanges lack',
  columns: [{ title: 'Field', unit: 'text' }, { title: 'Reason', unit: 'text' }, { title: 'Exchanges', unit: 'count' }],
  sql: ({ words, where, limit }) => `SELECT mark.key AS field, mark.value AS reason, count(*) AS n
    FROM (SELECT ${words.unnest(words.entries('marks'))} AS mark FROM exchanges WHERE ${where}) GROUP BY 1, 2 ORDER BY n DESC, 1, 2 LIMIT ${limit}`,
  rolled: question => ({
    sql: () => `SELECT k1, k2, sum(n)::BIGINT AS n FROM (${rolledSql('mark', question)})
      GROUP BY 1, 2 ORDER BY n DESC, 1, 2 LIMIT ${question.limit}`,
    cube: 'mark',
  }),
}
