import { groupedRolled, groupedSql, SHARED_COLUMNS, type View } from '../view.ts'

export const routes: View = {
  name: 'routes',
  title: 'Routes',
  columns: [{ title: 'Route', unit: 'text' }, ...SHARED_COLUMNS],
  sql: question => `WITH ${question.words.routed(question)} ${groupedSql('route', { ...question, where: 'true' }, 'routed')}`,
  rolled: question => groupedRolled('route', 'k2', question),
}
