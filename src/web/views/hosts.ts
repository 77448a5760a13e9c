import { groupedRolled, groupedSql, SHARED_COLUMNS, type View } from '../view.ts'

export const hosts: View = {
  name: 'hosts',
  title: 'Hosts',
  columns: [{ title: 'Host', unit: 'text' }, ...SHARED_COLUMNS],
  narrow: 'url.domain == %',
  sql: question => groupedSql('url_domain', question),
  rolled: question => groupedRolled('host', 'k1', question),
}
