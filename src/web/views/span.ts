import { rolledSql } from '../../store/mod.ts'
import { FIRST_SEEN, LAST_SEEN, type View } from '../view.ts'

/** From when to when the store has exchanges. */
export const span: View = {
  name: 'span',
  title: 'Times in the store',
  columns: [{ title: 'First', unit: 'time' }, { title: 'Last', unit: 'time' }, { title: 'Exchanges', unit: 'count' }],
  sql: ({ where }) => `SELECT ${FIRST_SEEN}, ${LAST_SEEN}, count(*) FROM exchanges WHERE ${where}`,
  rolled: question => ({
    sql: `SELECT min(first_ns) // 1000000, max(last_ns) // 1000000, coalesce(sum(n), 0)::BIGINT FROM (${rolledSql('minute', question)})`,
    cube: 'minute',
  }),
}
