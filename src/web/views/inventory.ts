import { COUNTED, distinctSql, HAS_CREDENTIAL, mergedSeenSql, rolledSql, routedSql } from '../../store/mod.ts'
import { CLIENT, FIRST_SEEN, LAST_SEEN, type View } from '../view.ts'

const LISTED_MAX = 12

/** Which APIs there are: what was called, from when to when, how, by how many, with or without a credential. */
export const inventory: View = {
  name: 'inventory',
  title: 'API inventory',
  columns: [
    { title: 'Host', unit: 'text' }, { title: 'Route', unit: 'text' }, { title: 'Methods', unit: 'list' }, { title: 'Statuses', unit: 'list' },
    { title: 'First seen', unit: 'time' }, { title: 'Last seen', unit: 'time' }, { title: 'Requests', unit: 'count' },
    { title: 'With credentials', unit: 'count' }, { title: 'Without', unit: 'count' }, { title: 'Clients', unit: 'count' },
  ],
  sql: ({ where, limit }) => `WITH ${routedSql(where)} SELECT url_domain, route,
    ${listSql('http_request_method')} AS methods,
    ${listSql('http_response_status_code')} AS statuses,
    ${FIRST_SEEN} AS first_seen, ${LAST_SEEN} AS last_seen, count(*) AS n,
    count(*) FILTER (${HAS_CREDENTIAL}) AS with_credentials, count(*) FILTER (NOT coalesce(${HAS_CREDENTIAL}, false)) AS without_credentials,
    count(DISTINCT ${CLIENT}) AS clients FROM routed GROUP BY 1, 2 ORDER BY n DESC, 1, 2 LIMIT ${limit}`,
  rolled: question => ({
    sql: `SELECT * EXCLUDE (seen), ${distinctSql('seen', COUNTED)} AS clients FROM (SELECT k1, k2,
      ${listSql('k3')} AS methods,
      list_slice(list_sort(list_transform(list_distinct(flatten(list(items))), lambda s: s::BIGINT)), 1, ${LISTED_MAX}) AS statuses,
      min(first_ns) // 1000000 AS first_seen, max(last_ns) // 1000000 AS last_seen, sum(n)::BIGINT AS n, sum(credentials)::BIGINT AS with_credentials,
      sum(n - credentials)::BIGINT AS without_credentials, ${mergedSeenSql(COUNTED)} AS seen
      FROM (${rolledSql('route', question)}) GROUP BY 1, 2 ORDER BY n DESC, 1, 2 LIMIT ${question.limit}) ORDER BY n DESC, 1, 2`,
    cube: 'route',
  }),
}

/** The different values, in order. */
function listSql(column: string): string {
  return `coalesce(list_slice(list_sort(list(DISTINCT ${column}) FILTER (${column} IS NOT NULL)), 1, ${LISTED_MAX}), [])`
}
