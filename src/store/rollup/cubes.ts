import { agentClassSql } from './agent-class.ts'
import { reroutedSql, routedSql } from './route-sql.ts'
import { bucketSql, hashSql, leastSql } from './sketch.ts'

/** What a roll-up counts by. */
export type Cube = 'minute' | 'all' | 'method' | 'host' | 'client' | 'agent' | 'route' | 'edge' | 'mark' | 'header'

interface CubeKind {
  /** Width of its slots; milliseconds. */
  readonly slotMs: number
  /** SQL over `base`: what its rows are named by; up to three. */
  readonly keys: readonly string[]
  /** SQL of a text of which a row keeps the different values. */
  readonly items?: string
  /** SQL of a text of which a row keeps how many different values there are; exactly below `leastCount`. */
  readonly counted?: string
  readonly leastCount?: number
  /** SQL of a text of which a row keeps one. */
  readonly about?: string
  readonly from?: string
  /** True where the bound is of each first key, which the rest keeps. */
  readonly isByFirst?: boolean
}

export const MINUTE_MS = 60_000
const QUARTER_MS = 900_000
/** Of one slot and cube; the rest is one row, `(other)`. */
export const ROWS_MAX = 1000
export const OTHER = '(other)'
/** Different values that are counted exactly: of all clients, of those of a route, of the connections of two. */
export const CLIENTS_COUNTED = 1024
export const COUNTED = 64
const ITEMS_MAX = 64
/** Paths whose routes are looked for, the most frequent first: a journal of 64 MiB has fewer. */
const PATHS_MAX = 100_000

/** Headers of requests that say who calls: these are counted beforehand, any other one in the records. */
export const CALLER_HEADERS = [
  'authorization', 'x-api-key', 'api-key', 'apikey', 'x-tenant-id', 'x-tenant', 'x-consumer-id', 'x-consumer-username', 'x-client-id', 'x-user-id',
  'x-account-id', 'x-organization-id',
]
const CALLER_PAIRS = CALLER_HEADERS.map(name => `{'header': '${name}', 'value': http_request_header['${name}'][1]}`)
/** A row for each of these headers, whether a request has it or not. */
const CALLERS = `(SELECT * EXCLUDE (pair), pair.header AS header, pair.value AS value
  FROM (SELECT ns, status, bytes, duration, b, unnest([${CALLER_PAIRS.join(', ')}]) AS pair FROM base))`

export const CUBES: Readonly<Record<Cube, CubeKind>> = {
  minute: { slotMs: MINUTE_MS, keys: ['status::VARCHAR'] },
  all: { slotMs: QUARTER_MS, keys: [], counted: 'client', leastCount: CLIENTS_COUNTED },
  method: { slotMs: QUARTER_MS, keys: ['method'] },
  host: { slotMs: QUARTER_MS, keys: ['host'] },
  client: { slotMs: QUARTER_MS, keys: ['client'] },
  agent: { slotMs: QUARTER_MS, keys: [agentClassSql('agent'), 'agent'], isByFirst: true },
  route: { slotMs: QUARTER_MS, keys: ['host', 'route', 'method'], items: 'status::VARCHAR', counted: 'client', from: 'routed' },
  edge: {
    slotMs: QUARTER_MS, keys: ['client_address', 'server_address', 'server_port::VARCHAR'], items: 'protocol', counted: 'connection::VARCHAR',
    about: 'process',
  },
  header: { slotMs: QUARTER_MS, keys: ['header', 'value'], from: CALLERS, isByFirst: true },
  mark: { slotMs: QUARTER_MS, keys: ['mark.key', 'mark.value'], from: '(SELECT *, unnest(map_entries(marks)) AS mark FROM base)' },
}

/** Columns of a roll-up's rows, and how those of one key add up. */
const SUMS: Readonly<Record<string, string>> = {
  n: 'sum(n)::BIGINT', refused: 'sum(refused)::BIGINT', failed: 'sum(failed)::BIGINT', answered: 'sum(answered)::BIGINT', bytes: 'sum(bytes)::BIGINT',
  credentials: 'sum(credentials)::BIGINT', first_ns: 'min(first_ns)', last_ns: 'max(last_ns)', longest: 'max(longest)',
  items: `list_sort(list_distinct(flatten(list(items))))[1:${ITEMS_MAX}]`, seen: 'flatten(list(seen))', about: 'any_value(about)',
}
const NAMES = ['cube', 'slot', 'rest', 'k1', 'k2', 'k3'] as const
const BY = NAMES.join(', ')

/** A roll-up without rows, with the types of its columns. */
export const NO_ROWS = `SELECT NULL::VARCHAR AS cube, NULL::BIGINT AS slot, NULL::BOOLEAN AS rest, NULL::VARCHAR AS k1, NULL::VARCHAR AS k2,
  NULL::VARCHAR AS k3, NULL::BIGINT AS n, NULL::BIGINT AS refused, NULL::BIGINT AS failed, NULL::BIGINT AS answered, NULL::BIGINT AS bytes,
  NULL::BIGINT AS credentials, NULL::BIGINT AS first_ns, NULL::BIGINT AS last_ns, NULL::DOUBLE AS longest, NULL::VARCHAR[] AS items,
  NULL::UINTEGER[] AS seen, NULL::VARCHAR AS about, NULL::SMALLINT[] AS "at", NULL::BIGINT[] AS hits WHERE false`

/** Headers that carry a credential; of a hidden one the name is still there. */
const CREDENTIALS = ['authorization', 'cookie', 'proxy-authorization', 'x-api-key', 'api-key', 'apikey', 'x-auth-token', 'x-access-token']
export const HAS_CREDENTIAL = `list_has_any(map_keys(http_request_header), [${CREDENTIALS.map(name => `'${name}'`).join(', ')}])`
/** The client behind trusted proxies where it is known. */
export const CLIENT = 'coalesce(client_real_address, client_address)'

/** SQL of a table `base`: what the cubes count, of the exchanges among the records of `from` for which `where` is true. */
function baseSql(from: string, where: string): string {
  return `base AS NOT MATERIALIZED (SELECT epoch_ns("time") AS ns, http_response_status_code AS status, http_request_method AS method,
    url_domain AS host, url_path, ${CLIENT} AS client, user_agent_original AS agent, client_address, server_address, server_port,
    server_process_executable_name AS process, network_connection_id AS connection,
    concat_ws('/', network_protocol_name, network_protocol_version) AS protocol, http_response_body_size AS bytes, duration, marks,
    http_request_header, ${HAS_CREDENTIAL} AS has_credential, ${bucketSql('duration')} AS b FROM ${from} WHERE "kind" = 'exchange' AND ${where})`
}

/**
 * SQL of the rows of one cube over records, one for each slot, key and bucket of durations: to be merged.
 *
 * @param from  a table with the columns of records
 * @param where a condition over them
 */
export function partialSql(cube: Cube, from: string, where: string): string {
  const kind = CUBES[cube]
  const keys = [0, 1, 2].map(index => `${kind.keys[index] ?? 'NULL'}::VARCHAR AS k${index + 1}`)
  const items = kind.items === undefined ? 'NULL::VARCHAR[]' : `list(DISTINCT ${kind.items}) FILTER (${kind.items} IS NOT NULL)`
  const seen = kind.counted === undefined ? 'NULL::UINTEGER[]' : `list(DISTINCT ${hashSql(kind.counted)}) FILTER (${kind.counted} IS NOT NULL)`
  const about = kind.about === undefined ? 'NULL' : `any_value(${kind.about})`
  const credentials = cube === 'route' ? 'count(*) FILTER (has_credential)' : '0'
  const routed = kind.from === 'routed' ? `, ${routedSql('true', 'base', PATHS_MAX)}` : ''
  return `WITH ${baseSql(from, where)}${routed}
    SELECT '${cube}' AS cube, ns // ${kind.slotMs * 1_000_000} * ${kind.slotMs} AS slot, false AS rest, ${keys.join(', ')},
      count(*) AS n, count(*) FILTER (status >= 400 AND status < 500) AS refused, count(*) FILTER (status >= 500) AS failed,
      count(status) AS answered, sum(bytes)::BIGINT AS bytes,
      ${credentials} AS credentials, min(ns) AS first_ns,
      max(ns) AS last_ns, max(duration) AS longest, ${items} AS items, ${seen} AS seen, ${about}::VARCHAR AS about,
      CASE WHEN b IS NULL THEN NULL ELSE [b] END AS "at", CASE WHEN b IS NULL THEN NULL ELSE [count(*)] END AS hits
    FROM ${kind.from ?? 'base'} GROUP BY slot, k1, k2, k3, b`
}

/**
 * SQL of rows in which each key of a slot stands once, and no more than 1,000 of one cube and slot: the rest is `(other)`.
 *
 * @param rows a table, used more than once
 */
export function mergedSql(cube: Cube, rows: string): string {
  const { leastCount = COUNTED, keys, isByFirst = false } = CUBES[cube]
  const sums = Object.entries(SUMS).map(([name, sum]) => `${name === 'seen' ? leastSql(sum, leastCount) : sum} AS ${name}`)
  const restKeys = [0, 1, 2].map(index => {
    const isKept = index >= keys.length || (isByFirst && index === 0)
    return isKept ? `r.k${index + 1}` : `CASE WHEN is_rest THEN '${OTHER}' ELSE r.k${index + 1} END AS k${index + 1}`
  })
  const same = NAMES.map(name => `sums.${name} IS NOT DISTINCT FROM hist.${name}`).join(' AND ')
  const sameKey = ['slot', 'rest', 'k1', 'k2', 'k3'].map(name => `r.${name} IS NOT DISTINCT FROM ranked.${name}`).join(' AND ')
  return `WITH ranked AS (SELECT slot, rest, k1, k2, k3,
      rest OR row_number() OVER (PARTITION BY slot, rest${isByFirst ? ', k1' : ''} ORDER BY sum(n) DESC, k1, k2, k3) > ${ROWS_MAX} AS is_rest
      FROM ${rows} GROUP BY slot, rest, k1, k2, k3),
    bounded AS MATERIALIZED (SELECT r.* EXCLUDE (rest, k1, k2, k3), is_rest AS rest, ${restKeys.join(', ')}
      FROM ${rows} AS r JOIN ranked ON ${sameKey}),
    sums AS (SELECT ${BY}, ${sums.join(', ')} FROM bounded GROUP BY ${BY}),
    hist AS (SELECT ${BY}, list(b ORDER BY b) AS "at", list(c ORDER BY b) AS hits FROM (SELECT ${BY}, b, sum(c)::BIGINT AS c
      FROM (SELECT ${BY}, unnest("at") AS b, unnest(hits) AS c FROM bounded) GROUP BY ${BY}, b) GROUP BY ${BY})
    SELECT sums.*, hist."at", hist.hits FROM sums LEFT JOIN hist ON ${same}`
}

/** SQL of rows of the cube out of those of many parts, with one route where each part may have found another. */
export function rowsOfParts(cube: Cube, rows: string): string {
  if (cube !== 'route') return rows
  return `WITH parts AS MATERIALIZED (SELECT *, k2 AS url_path FROM (${rows})), ${reroutedSql('parts')}
    SELECT * EXCLUDE (k2, url_path, route), route AS k2 FROM rerouted`
}
