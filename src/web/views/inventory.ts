import { routedSql } from '../route-sql.ts'
import { CLIENT, FIRST_SEEN, LAST_SEEN, type View } from '../view.ts'

/** Headers that carry a credential; of a hidden one the name is still there. */
const CREDENTIALS = ['authorization', 'cookie', 'proxy-authorization', 'x-api-key', 'api-key', 'apikey', 'x-auth-token', 'x-access-token']
const HAS_CREDENTIAL = `list_has_any(map_keys(http_request_header), [${CREDENTIALS.map(name => `'${name}'`).join(', ')}])`
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
    list_slice(list_sort(list(DISTINCT http_request_method)), 1, ${LISTED_MAX}) AS methods,
    list_slice(list_sort(list(DISTINCT http_response_status_code)), 1, ${LISTED_MAX}) AS statuses,
    ${FIRST_SEEN} AS first_seen, ${LAST_SEEN} AS last_seen, count(*) AS n,
    count(*) FILTER (${HAS_CREDENTIAL}) AS with_credentials, count(*) FILTER (NOT coalesce(${HAS_CREDENTIAL}, false)) AS without_credentials,
    count(DISTINCT ${CLIENT}) AS clients FROM routed GROUP BY 1, 2 ORDER BY n DESC, 1, 2 LIMIT ${limit}`,
}
