import { CLIENT, groupedRolled, groupedSql, SHARED_COLUMNS, type View } from '../view.ts'

export const clients: View = {
  name: 'clients',
  title: 'Clients',
  columns: [{ title: 'Client', unit: 'text' }, ...SHARED_COLUMNS],
  narrow: 'client.real_address == % || !has(client.real_address) && client.address == %',
  sql: question => groupedSql(CLIENT, question),
  rolled: question => groupedRolled('client', 'k1', question),
}
