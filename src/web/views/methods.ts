import { groupedRolled, groupedSql, SHARED_COLUMNS, type View } from '../view.ts'

export const methods: View = {
  name: 'methods',
  title: 'Methods',
  columns: [{ title: 'Method', unit: 'text' }, ...SHARED_COLUMNS],
  narrow: 'http.request.method == %',
  sql: question => groupedSql('http_request_method', question),
  rolled: question => groupedRolled('method', 'k1', question),
}
