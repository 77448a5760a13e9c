import { CALLER_HEADERS, CREDENTIALS, HEADER_COLUMNS } from '../header-columns.ts'
import { agentClassSql } from './agent-class.ts'
import { reroutedSql, routedSql } from './route-sql.ts'
import { bucketSql, hashSql, leastSql, numberHashSql } from './sketch.ts'

/** What a roll-up counts by. */
export type Cube = 'minute' | 'all' | 'method' | 'host' | 'client' | 'agent' | 'route' | 'edge' | 'mark' | 'header'

/** Rows of a cube: how records become groups, and groups rows. */
interface RowsKind {
  /** SQL over `from`: what records are grouped by; up to three. */
  readonly by: readonly string[]
  /** SQL over the groups, whose `by` are `g1`, `g2`, `g3`: what costs more than a few records should pay. Missing = those. */
  readonly keys?: readonly string[]
  readonly from?: string
}

interface CubeKind extends RowsKind {
  /** Width of its slots; milliseconds. */
  readonly slotMs: number
  /** SQL of a text of which a row keeps the different values. */
  readonly item?: string
  /** SQL of the hash of a text of which a row keeps how many different values there are; exactly below `leastCount`. */
  readonly counted?: string
  readonly leastCount?: number
  /** SQL of a text of which a row keeps one. */
  readonly about?: string
  /** More rows of it, of the same records. */
  readonly also?: RowsKind
  /** True where the bound is of each first key, which the rest keeps. */
  readonly isByFirst?: boolean
  /** True where nobody asks for durations: rows without a histogram are a tenth as many. */
  readonly isUntimed?: boolean
}

export const MINUTE_MS = 60_000
export const QUARTER_MS = 900_000
/** Of one slot and cube; the rest is one row, `(other)`. */
export const ROWS_MAX = 1000
export const OTHER = '(other)'
/** Different values that are counted exactly: of all clients, of those of a route, of the connections of two. */
export const CLIENTS_COUNTED = 1024
export const COUNTED = 64
const ITEMS_MAX = 64
/** Paths whose routes are looked for, the most frequent first: a journal of 64 MiB has fewer. */
const PATHS_MAX = 100_000


const columnOf = (header: string): string => HEADER_COLUMNS.find(column => column.header === header)?.name as string

const CALLERS_LIST = `[${CALLER_HEADERS.map(name => `'${name}'`).join(', ')}]`
const CALLERS = CALLER_HEADERS.map(columnOf)
/** A column after the other: most of them are empty, and a row for each of the twelve of every request is twice the work. */
const CALLED_BY = CALLER_HEADERS.map((header, index) => (
  `SELECT *, '${header}' AS caller, ${CALLERS[index]} AS value FROM base WHERE ${CALLERS[index]} IS NOT NULL`))
/** Most requests lack most of these headers, in a few ways: those that lack the same ones, a bit each, are counted together first. */
const LACKED_BITS = CALLERS.map((value, index) => `(${value} IS NULL)::INTEGER * ${2 ** index}`).join(' + ')
const LACKED = `unnest(list_filter(${CALLERS_LIST}, lambda name, place: g1 // (1 << (place - 1)) % 2 = 1))`

export const CUBES: Readonly<Record<Cube, CubeKind>> = {
  minute: { slotMs: MINUTE_MS, by: ['status::VARCHAR'] },
  all: { slotMs: QUARTER_MS, by: [], counted: 'client_hash', leastCount: CLIENTS_COUNTED, isUntimed: true },
  method: { slotMs: QUARTER_MS, by: ['method'] },
  host: { slotMs: QUARTER_MS, by: ['host'] },
  client: { slotMs: QUARTER_MS, by: ['client'] },
  agent: { slotMs: QUARTER_MS, by: ['agent'], keys: [agentClassSql('g1'), 'g1'], isByFirst: true },
  route: { slotMs: QUARTER_MS, by: ['host', 'route', 'method'], item: 'status::VARCHAR', counted: 'client_hash', from: 'routed' },
  edge: {
    slotMs: QUARTER_MS, by: ['client_address', 'server_address', 'server_port::VARCHAR'], item: 'protocol', counted: 'connection_hash',
    about: 'process', isUntimed: true,
  },
  header: {
    slotMs: QUARTER_MS, by: ['caller', 'value'], isByFirst: true,
    from: `(${CALLED_BY.join(' UNION ALL ')})`,
    also: { by: ['lacked'], keys: [LACKED, 'NULL'] },
  },
  mark: { slotMs: QUARTER_MS, by: ['mark.key', 'mark.value'], from: '(SELECT *, unnest(map_entries(marks)) AS mark FROM base)', isUntimed: true },
}

/** Columns of a roll-up's rows, and how those of one key add up. */
const SUMS: Readonly<Record<string, string>> = {
  n: 'sum(n)::BIGINT', refused: 'sum(refused)::BIGINT', failed: 'sum(failed)::BIGINT', answered: 'sum(answered)::BIGINT', bytes: 'sum(bytes)::BIGINT',
  credentials: 'sum(credentials)::BIGINT', first_ns: 'min(first_ns)', last_ns: 'max(last_ns)', longest: 'max(longest)',
}
const KEY = ['slot', 'rest', 'k1', 'k2', 'k3'] as const
const BY = KEY.join(', ')

/** A roll-up without rows, with the types of its columns. */
export const NO_ROWS = `SELECT NULL::VARCHAR AS cube, NULL::BIGINT AS slot, NULL::BOOLEAN AS rest, NULL::VARCHAR AS k1, NULL::VARCHAR AS k2,
  NULL::VARCHAR AS k3, NULL::BIGINT AS n, NULL::BIGINT AS refused, NULL::BIGINT AS failed, NULL::BIGINT AS answered, NULL::BIGINT AS bytes,
  NULL::BIGINT AS credentials, NULL::BIGINT AS first_ns, NULL::BIGINT AS last_ns, NULL::DOUBLE AS longest, NULL::VARCHAR[] AS items,
  NULL::UINTEGER[] AS seen, NULL::VARCHAR AS about, NULL::SMALLINT[] AS "at", NULL::BIGINT[] AS hits WHERE false`

export const HAS_CREDENTIAL = `(${CREDENTIALS.map(name => `${columnOf(name)} IS NOT NULL`).join(' OR ')})`
/** The client behind trusted proxies where it is known. */
export const CLIENT = 'coalesce(client_real_address, client_address)'

/** SQL of what the cubes count, their table `base`: of the exchanges among the records of `from` for which `where` is true. */
export function baseSql(from: string, where: string): string {
  return `SELECT epoch_ns("time") AS ns, http_response_status_code AS status, http_request_method AS method, url_domain AS host, url_path,
    ${CLIENT} AS client, ${hashSql(CLIENT)} AS client_hash, user_agent_original AS agent, client_address, server_address, server_port,
    server_process_executable_name AS process, ${numberHashSql('network_connection_id')} AS connection_hash,
    concat_ws('/', network_protocol_name, network_protocol_version) AS protocol, http_response_body_size AS bytes, duration, marks,
    ${CALLERS.join(', ')}, ${LACKED_BITS} AS lacked,
    ${HAS_CREDENTIAL} AS has_credential, ${bucketSql('duration')} AS b FROM ${from} WHERE "kind" = 'exchange' AND ${where}`
}

/**
 * SQL of the rows of one cube over records, to be merged.
 *
 * @param from  a table with the columns of records
 * @param where a condition over them
 */
export function partialSql(cube: Cube, from: string, where: string): string {
  return `WITH base AS NOT MATERIALIZED (${baseSql(from, where)}) SELECT * FROM (${cubeSql(cube)})`
}

/** SQL of the rows of one cube over a table `base`: one for each slot, key, item and bucket of durations. */
export function cubeSql(cube: Cube): string {
  const { also, from } = CUBES[cube]
  const rows = rowsSql(cube, CUBES[cube])
  if (from === 'routed') return `WITH ${routedSql('true', { from: 'base', pathsMax: PATHS_MAX })} ${rows}`
  return also === undefined ? rows : `${rows} UNION ALL ${rowsSql(cube, also)}`
}

function rowsSql(cube: Cube, { by, keys = by.map((_, index) => `g${index + 1}`), from = 'base' }: RowsKind): string {
  const { slotMs, item = 'NULL', counted, about = 'NULL', isUntimed = false } = CUBES[cube]
  const groups = by.map((sql, index) => `${sql} AS g${index + 1}, `).join('')
  const named = [0, 1, 2].map(index => `(${keys[index] ?? 'NULL'})::VARCHAR AS k${index + 1}`)
  const seen = counted === undefined ? 'NULL::UINTEGER[]' : `list(${counted}) FILTER (${counted} IS NOT NULL)`
  const credentials = cube === 'route' ? 'count(*) FILTER (has_credential)' : '0'
  return `SELECT '${cube}' AS cube, slot, false AS rest, ${named.join(', ')}, n, refused, failed, answered, bytes, credentials,
      first_ns, last_ns, longest, CASE WHEN item IS NULL THEN NULL ELSE [item] END AS items, seen, about,
      map_keys(times) AS "at", map_values(times)::BIGINT[] AS hits
    FROM (SELECT ns // ${slotMs * 1_000_000} * ${slotMs} AS slot, ${groups}${isUntimed ? 'NULL::MAP(SMALLINT, UBIGINT)' : 'histogram(b)'} AS times,
      (${item})::VARCHAR AS item, count(*) AS n, count(*) FILTER (status >= 400 AND status < 500) AS refused,
      count(*) FILTER (status >= 500) AS failed,
      count(status) AS answered, sum(bytes)::BIGINT AS bytes, ${credentials} AS credentials, min(ns) AS first_ns, max(ns) AS last_ns,
      max(duration) AS longest, ${seen} AS seen, any_value(${about})::VARCHAR AS about
      FROM ${from} GROUP BY slot, ${by.map((_, index) => `g${index + 1}, `).join('')}item)`
}

/**
 * SQL of rows in which each key of a slot stands once, and no more than 1,000 of one cube and slot: the rest is `(other)`.
 *
 * @param rows a table, used more than once
 */
export function mergedSql(cube: Cube, rows: string): string {
  const { leastCount = COUNTED, by, keys = by, isByFirst = false, item, counted, about } = CUBES[cube]
  const sums = Object.entries({
    ...SUMS,
    items: item === undefined ? 'NULL::VARCHAR[]' : `list_sort(list_distinct(flatten(list(items))))[1:${ITEMS_MAX}]`,
    seen: counted === undefined ? 'NULL::UINTEGER[]' : leastSql('flatten(list(seen))', leastCount),
    about: about === undefined ? 'NULL::VARCHAR' : 'any_value(about)',
  }).map(([name, sum]) => `${sum} AS ${name}`)
  const restKeys = [0, 1, 2].map(index => {
    const isKept = index >= keys.length || (isByFirst && index === 0)
    return isKept ? `r.k${index + 1}` : `CASE WHEN is_rest THEN '${OTHER}' ELSE r.k${index + 1} END AS k${index + 1}`
  })
  const same = (a: string, b: string): string => KEY.map(name => `${a}.${name} IS NOT DISTINCT FROM ${b}.${name}`).join(' AND ')
  return `WITH beyond AS (SELECT ${BY} FROM ${rows} GROUP BY ${BY}
      QUALIFY row_number() OVER (PARTITION BY slot, rest${isByFirst ? ', k1' : ''} ORDER BY sum(n) DESC, k1, k2, k3) > ${ROWS_MAX}),
    bounded AS MATERIALIZED (SELECT r.* EXCLUDE (rest, k1, k2, k3), r.rest OR beyond.slot IS NOT NULL AS is_rest, ${restKeys.join(', ')}
      FROM ${rows} AS r LEFT JOIN beyond ON ${same('r', 'beyond')}),
    named AS NOT MATERIALIZED (SELECT * EXCLUDE (is_rest), is_rest AS rest FROM bounded),
    sums AS (SELECT ${BY}, ${sums.join(', ')} FROM named GROUP BY ${BY}),
    hist AS (SELECT ${BY}, list(b) AS "at", list(c) AS hits FROM (SELECT ${BY}, b, sum(c)::BIGINT AS c
      FROM (SELECT ${BY}, unnest("at") AS b, unnest(hits) AS c FROM named) GROUP BY ${BY}, b) GROUP BY ${BY})
    SELECT '${cube}' AS cube, sums.*, hist."at", hist.hits FROM sums LEFT JOIN hist ON ${same('sums', 'hist')}`
}

/** SQL of rows of the cube out of those of many parts, with one route where each part may have found another. */
export function rowsOfParts(cube: Cube, rows: string): string {
  if (cube !== 'route') return rows
  return `WITH parts AS MATERIALIZED (SELECT *, k2 AS url_path FROM (${rows})), ${reroutedSql('parts')}
    SELECT * EXCLUDE (k2, url_path, route), route AS k2 FROM rerouted`
}
