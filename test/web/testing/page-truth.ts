/** What the page has to say of the shop's trade, as SQL of its own: over the records, without roll-ups, and not the SQL of the views. */

export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

export interface TableTruth {
  readonly view: string
  /** Columns that are compared, as their heads say. */
  readonly titles: readonly string[]
  /** Gives the same columns. */
  sql(span: Span): string
}

export interface ChartTruth {
  readonly path: string
  readonly title: string
  readonly view: string
  readonly lines: readonly { readonly title: string, readonly column: number, readonly colour: string }[]
  /** The beginning of each point in milliseconds, then a column a line. */
  sql(span: Span, bucketMs: number): string
}

const REFUSED = 'count(*) FILTER (http_response_status_code BETWEEN 400 AND 499)'
const FAILED = 'count(*) FILTER (http_response_status_code BETWEEN 500 AND 599)'
const COUNTS = ['Requests', '4xx', '5xx']
/** The shop's paths by the routes that they are of. */
const ROUTE = `CASE WHEN regexp_full_match(url_path, '/users/\\d+') THEN '/users/{number}' WHEN regexp_full_match(url_path, '/pay/\\d+') THEN '/pay/{number}'
  WHEN starts_with(url_path, '/articles/') THEN '/articles/{any}' WHEN starts_with(url_path, '/orders/') THEN '/orders/{uuid}/items'
  WHEN starts_with(url_path, '/deep/') THEN '/deep/deep/deep/deep/deep/deep/deep/...' ELSE url_path END`
const CREDENTIAL = `(list_contains(map_keys(http_request_header), 'authorization') OR list_contains(map_keys(http_request_header), 'cookie'))`

function within({ fromMs, toMs }: Span): string {
  return `epoch_ns("time") >= ${fromMs}000000 AND epoch_ns("time") < ${toMs}000000`
}

/** Exchanges by a value. */
function counted(view: string, title: string, value: string): TableTruth {
  return {
    view, titles: [title, ...COUNTS],
    sql: span => `SELECT ${value} AS value, count(*) AS n, ${REFUSED} AS refused, ${FAILED} AS failed FROM exchanges WHERE ${within(span)} GROUP BY 1`,
  }
}

function troubled(view: string, titles: readonly string[], keys: readonly string[]): TableTruth {
  return {
    view, titles: [...titles, 'Connections', 'Reset', 'Refused', 'Timed out', 'Resets sent', 'Retransmissions'],
    sql: span => `SELECT ${keys.map((key, index) => `${key} AS k${index}`).join(', ')}, count(*) AS n, count(*) FILTER (event_name = 'reset') AS a,
      count(*) FILTER (event_name = 'refused') AS b, count(*) FILTER (event_name = 'timeout') AS c, sum(tcp_resets)::BIGINT AS d, sum(tcp_retransmissions)::BIGINT AS e
      FROM records WHERE kind = 'connection' AND event_name <> 'open' AND ${within(span)} GROUP BY ALL`,
  }
}

const AGENT_CLASS = `CASE WHEN user_agent_original IS NULL THEN 'none' WHEN user_agent_original LIKE '%Googlebot%' THEN 'bot'
  WHEN user_agent_original LIKE 'h2load%' THEN 'load tool' WHEN user_agent_original LIKE 'curl%' THEN 'command line' WHEN user_agent_original LIKE 'Mozilla%' THEN 'browser'
  WHEN user_agent_original LIKE '<%' THEN 'other' ELSE 'library' END`
const CLIENTS = counted('clients', 'Client', 'client_address')
const CONNECTIONS: TableTruth = {
  view: 'connections', titles: ['Client', 'Server', 'Port', 'Process', 'Requests', 'Connections', 'Protocols'],
  sql: span => `SELECT client_address, server_address, server_port::VARCHAR AS port, any_value(server_process_executable_name) AS process, count(*) AS n,
    count(DISTINCT network_connection_id) AS connections, list_sort(list(DISTINCT 'http/' || network_protocol_version)) AS protocols
    FROM exchanges WHERE ${within(span)} GROUP BY 1, 2, 3`,
}

/** Tables by the view that shows them. */
export const TABLES: Readonly<Record<string, readonly TableTruth[]>> = {
  '/overview': [
    counted('methods', 'Method', 'http_request_method'), counted('statuses', 'Status', 'http_response_status_code'), counted('hosts', 'Host', 'url_domain'), CLIENTS,
    counted('user-agent-classes', 'Kind', AGENT_CLASS), counted('user-agents', 'User agent', `coalesce(user_agent_original, '(none)')`), CONNECTIONS,
  ],
  '/routes': [
    counted('routes', 'Route', ROUTE),
    {
      view: 'slow-routes', titles: ['Route', 'Host', 'Method', 'Requests'],
      sql: span => `SELECT ${ROUTE} AS route, url_domain, http_request_method, count(*) AS n FROM exchanges WHERE ${within(span)} GROUP BY 1, 2, 3 HAVING n >= 5`,
    },
    {
      view: 'failing-routes', titles: ['Route', 'Host', 'Method', 'Requests', '5xx', '4xx', 'Clients'],
      sql: span => `SELECT ${ROUTE} AS route, url_domain, http_request_method, count(*) AS n, ${FAILED} AS failed, ${REFUSED} AS refused, count(DISTINCT client_address) AS c
        FROM exchanges WHERE ${within(span)} GROUP BY 1, 2, 3 HAVING failed + refused > 0`,
    },
    {
      view: 'rpc-statuses', titles: ['Call', 'Status', 'Requests', 'Clients'],
      sql: span => `SELECT rpc_method, rpc_status_code, count(*) AS n, count(DISTINCT client_address) AS c FROM exchanges WHERE rpc_method IS NOT NULL AND ${within(span)} GROUP BY 1, 2`,
    },
  ],
  '/inventory': [{
    view: 'inventory', titles: ['Host', 'Route', 'Methods', 'Statuses', 'Requests', 'With credentials', 'Without', 'Clients'],
    sql: span => `SELECT url_domain, ${ROUTE} AS route, list_sort(list(DISTINCT http_request_method)) AS methods, list_sort(list(DISTINCT http_response_status_code)) AS statuses,
      count(*) AS n, count(*) FILTER (${CREDENTIAL}) AS a, count(*) FILTER (NOT ${CREDENTIAL}) AS b, count(DISTINCT client_address) AS c
      FROM exchanges WHERE ${within(span)} GROUP BY 1, 2`,
  }],
  '/consumers': [counted('by-header', 'x-tenant-id', `http_request_header['x-tenant-id'][1]`), CLIENTS, CONNECTIONS],
  '/connections': [
    troubled('troubled-hosts', ['Host', 'Port'], ['coalesce(tls_client_server_name, server_address)', 'server_port::VARCHAR']),
    troubled('troubled-clients', ['Client', 'Process'], ['client_address', 'client_process_executable_name']),
  ],
  '/health': [
    {
      view: 'anomalies', titles: ['Reason', 'Times'],
      sql: span => `SELECT coalesce(event_reason, event_name) AS reason, sum(coalesce(event_count, 1))::BIGINT AS n FROM records WHERE kind = 'anomaly' AND ${within(span)} GROUP BY 1`,
    },
    {
      view: 'marks', titles: ['Field', 'Reason', 'Exchanges'],
      sql: span => `SELECT mark.key AS field, mark.value AS reason, count(*) AS n FROM (SELECT unnest(map_entries(marks)) AS mark FROM exchanges WHERE ${within(span)}) GROUP BY 1, 2`,
    },
    {
      view: 'header-names', titles: ['Header', 'Exchanges'],
      sql: span => `SELECT name, count(DISTINCT event_sequence) AS n FROM (
        SELECT event_sequence, unnest(map_keys(http_request_header)) AS name FROM exchanges WHERE ${within(span)}
        UNION ALL SELECT event_sequence, unnest(map_keys(http_response_header)) FROM exchanges WHERE ${within(span)}) GROUP BY 1`,
    },
  ],
}

function points(columns: readonly string[], kind: string): (span: Span, bucketMs: number) => string {
  return (span, bucketMs) => `SELECT epoch_ns("time") // 1000000 // ${bucketMs} * ${bucketMs} AS at, ${columns.map((column, index) => `${column} AS c${index}`).join(', ')}
    FROM records WHERE ${kind} AND ${within(span)} GROUP BY 1 ORDER BY 1`
}

const OF_CLASS = ['2', '3', '4', '5'].map(digit => `count(*) FILTER (http_response_status_code::VARCHAR LIKE '${digit}%')`)

export const CHARTS: readonly ChartTruth[] = [
  {
    path: '/overview', title: 'Requests per second', view: 'traffic', sql: points(['count(*)', REFUSED, FAILED], `kind = 'exchange'`),
    lines: [{ title: 'all', column: 1, colour: 'accent' }, { title: '4xx', column: 2, colour: 'refused' }, { title: '5xx', column: 3, colour: 'failed' }],
  },
  {
    path: '/overview', title: 'Status classes, requests per second', view: 'status-classes', sql: points(OF_CLASS, `kind = 'exchange'`),
    lines: [{ title: '2xx', column: 1, colour: 'ok' }, { title: '3xx', column: 2, colour: 'moved' }, { title: '4xx', column: 3, colour: 'refused' },
      { title: '5xx', column: 4, colour: 'failed' }],
  },
  {
    path: '/connections', title: 'Connections that ended badly', view: 'connection-troubles',
    sql: points([`count(*) FILTER (event_name = 'reset')`, `count(*) FILTER (event_name = 'refused')`], `kind = 'connection' AND event_name <> 'open'`),
    lines: [{ title: 'reset', column: 2, colour: 'failed' }, { title: 'refused', column: 3, colour: 'refused' }],
  },
  {
    path: '/connections', title: 'Retransmitted segments and resets', view: 'connection-troubles',
    sql: points(['sum(tcp_resets)', 'sum(tcp_retransmissions)'], `kind = 'connection' AND event_name <> 'open'`),
    lines: [{ title: 'resets sent', column: 5, colour: 'failed' }, { title: 'retransmissions', column: 6, colour: 'refused' }],
  },
]
