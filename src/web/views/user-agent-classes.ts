import { groupedRolled, groupedSql, SHARED_COLUMNS, USER_AGENT, type View } from '../view.ts'

export const userAgentClasses: View = {
  name: 'user-agent-classes',
  title: 'Kinds of user agents',
  columns: [{ title: 'Kind', unit: 'text' }, ...SHARED_COLUMNS],
  sql: question => groupedSql(question.words.agentClass(USER_AGENT), question),
  rolled: question => groupedRolled('agent', 'k1', question),
}
