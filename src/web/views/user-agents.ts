import { groupedRolled, groupedSql, SHARED_COLUMNS, USER_AGENT, type View } from '../view.ts'

/** The whole text; its class stands in a view of its own. */
export const userAgents: View = {
  name: 'user-agents',
  title: 'User agents',
  columns: [{ title: 'User agent', unit: 'text' }, ...SHARED_COLUMNS],
  narrow: 'user_agent.original == %',
  sql: question => groupedSql(`coalesce(${USER_AGENT}, '(none)')`, question),
  rolled: question => groupedRolled('agent', `coalesce(k2, '(none)')`, question),
}
