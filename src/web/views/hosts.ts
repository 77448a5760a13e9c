import { groupedSql, SHARED_COLUMNS, type View } from '../view.ts'

export const hosts: View = {
  name: 'hosts',
  title: 'Hosts',
  columns: [{ title: 'Host', unit: 'text' }, ...SHARED_COLUMNS],
  narrow: 'url.domain == %',
  sql: question => groupedSql('url_domain', question),
}
