import { COUNTED, distinctSql, DUCKDB_WORDS, mergedSeenSql, rolledSql } from '../../store/mod.ts'
import { CLIENT, type View } from '../view.ts'

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
  sql: ({ words, limit, ...matching }) => `WITH ${words.routed(matching)} SELECT url_domain, route,
    ${words.listed('http_request_method', LISTED_MAX)} AS methods, ${words.listed('http_response_status_code', LISTED_MAX)} AS statuses,
    ${words.firstSeen} AS first_seen, ${words.lastSeen} AS last_seen, count(*) AS n,
    count(*) FILTER (WHERE ${words.hasCredential}) AS with_credentials,
    count(*) FILTER (WHERE NOT coalesce(${words.hasCredential}, false)) AS without_credentials,
    count(DISTINCT ${CLIENT}) AS clients FROM routed GROUP BY 1, 2 ORDER BY n DESC, 1, 2 LIMIT ${limit}`,
  rolled: question => ({
    sql: () => `SELECT * EXCLUDE (seen), ${distinctSql('seen', COUNTED)} AS clients FROM (SELECT k1, k2,
      ${DUCKDB_WORDS.listed('k3', LISTED_MAX)} AS methods,
      list_slice(list_sort(list_transform(list_distinct(flatten(list(items))), lambda s: s::BIGINT)), 1, ${LISTED_MAX}) AS statuses,
      min(first_ns) // 1000000 AS first_seen, max(last_ns) // 1000000 AS last_seen, sum(n)::BIGINT AS n, sum(credentials)::BIGINT AS with_credentials,
      sum(n - credentials)::BIGINT AS without_credentials, ${mergedSeenSql(COUNTED)} AS seen
      FROM (${rolledSql('route', question)}) GROUP BY 1, 2 ORDER BY n DESC, 1, 2 LIMIT ${question.limit}) ORDER BY n DESC, 1, 2`,
    cube: 'route',
  }),
}
