import { groupedRolled, groupedSql, SHARED_COLUMNS, type View } from '../view.ts'

export const statuses: View = {
  name: 'statuses',
  title: 'Statuses',
  columns: [{ title: 'Status', unit: 'text' }, ...SHARED_COLUMNS],
  narrow: 'http.response.status_code == %',
  sql: question => groupedSql('http_response_status_code', question),
  rolled: question => groupedRolled('minute', question.words.whole('k1'), question),
}
