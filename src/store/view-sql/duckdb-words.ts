import { DUCKDB } from '../filter-sql/mod.ts'
import { agentClassSql } from '../rollup/agent-class.ts'
import { CLIENTS_COUNTED, type Cube, CUBES, HAS_CREDENTIAL } from '../rollup/cubes.ts'
import { restSql, rolledSql, type Span } from '../rollup/rolled.ts'
import { routedSql } from '../rollup/route-sql.ts'
import { distinctSql, mergedSeenSql, quantilesSql } from '../rollup/sketch.ts'
import { quote, recordListSql } from '../columns.ts'
import type { RolledGroups, Words } from './words.ts'

const nanoseconds = (time: string): string => `epoch_ns(${time})`
const quotient = (dividend: string, divisor: number): string => `${dividend} // ${divisor}`

/** Of stores. */
export const DUCKDB_WORDS: Words = {
  filter: DUCKDB,
  recordList: recordListSql,
  record: (_, row) => row,
  nanoseconds,
  firstSeen: quotient(nanoseconds('min("time")'), 1_000_000),
  lastSeen: quotient(nanoseconds('max("time")'), 1_000_000),
  quotient,
  whole: text => `${text}::BIGINT`,
  text: number => `${number}::VARCHAR`,
  quantile: share => `quantile_cont(duration, ${share})`,
  listed: (value, max) => {
    const list = `coalesce(list_sort(list(DISTINCT ${value}) FILTER (${value} IS NOT NULL)), [])`
    return max === undefined ? list : `list_slice(${list}, 1, ${max})`
  },
  joined: (separator, values) => `concat_ws('${separator}', ${values.join(', ')})`,
  unnest: list => `unnest(${list})`,
  entries: map => `map_entries(${map})`,
  keysOf: (map, other) => `list_distinct(list_concat(coalesce(map_keys(${map}), []), coalesce(map_keys(${other}), [])))`,
  hasCredential: HAS_CREDENTIAL,
  agentClass: agentClassSql,
  routed: ({ where, isReadTwice = false }) => routedSql(where, { isHeld: !isReadTwice }),
  cubes: new Set(Object.keys(CUBES) as Cube[]),
  rolled: rolledSql,
  rolledGroups,
  rolledClients: span => `SELECT coalesce(${distinctSql('seen', CLIENTS_COUNTED)}, 0)
    FROM (SELECT ${mergedSeenSql(CLIENTS_COUNTED)} AS seen FROM (${rolledSql('all', span)}))`,
  rest: restSql,
}

/** Quantiles of what is shown only: their histograms are most of the work. */
function rolledGroups(span: Span, { cube, by, first, sums, shares, order, limit }: RolledGroups): string {
  const value = by === undefined ? '' : `${by} AS value, `
  const only = first === undefined ? '' : ` WHERE k1 = ${quote(first)}`
  const ordered = order === undefined ? '' : ` ORDER BY ${order}`
  const group = by === undefined ? '' : ' GROUP BY 1'
  const bound = limit === undefined ? '' : `${ordered} LIMIT ${limit}`
  const isSame = (a: string, b: string): string => `${a}.value IS NOT DISTINCT FROM ${b}.value`
  return `WITH given AS MATERIALIZED (SELECT ${value}n, refused, failed, answered, bytes, "at", hits FROM (${rolledSql(cube, span)})${only}),
    sums AS MATERIALIZED (SELECT ${by === undefined ? '' : 'value, '}${sums.join(', ')} FROM given AS r${group}${bound}),
    shown AS (${bound === '' ? 'SELECT * FROM given' : `SELECT given.* FROM given JOIN sums ON ${isSame('given', 'sums')}`}),
    times AS (${quantilesSql('shown', by === undefined ? [] : ['value'], shares)})
    SELECT sums.*, ${Object.keys(shares).join(', ')} FROM sums LEFT JOIN times ON ${by === undefined ? 'true' : isSame('sums', 'times')}${ordered}`
}
