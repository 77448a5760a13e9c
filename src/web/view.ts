import { CLIENT, type Cube, quantilesSql, rolledSql } from '../store/mod.ts'
import type { Question } from './question.ts'

export { CLIENT }

/** How the page shows the values of a column. */
export type Unit = 'text' | 'count' | 'cost' | 'share' | 'seconds' | 'bytes' | 'time' | 'list'

export interface ViewColumn {
  readonly title: string
  readonly unit: Unit
}

/** One question that the page asks of a store: a file in views/ each, a line in registry.ts. */
export interface View {
  /** Word in the URL. */
  readonly name: string
  readonly title: string
  /** In the order of what the SQL selects. */
  readonly columns: readonly ViewColumn[]
  /**
   * A CEL filter for what a row stands for, by the row's first value: where a click leads. `%` is the value as JSON; a row
   * without a value leads nowhere.
   */
  readonly narrow?: string
  /** One SELECT over `exchanges` (or `records`), bounded by the question's limit. */
  sql(question: Question): string
  /** So many of the newest exchanges are enough for it. */
  readonly newest?: number
  /** The same out of the store's roll-ups, for questions without a filter; durations within 1 %. Missing = only the records know. */
  rolled?(question: Question): RolledQuestion | undefined
}

export interface RolledQuestion {
  readonly sql: string
  /** What is asked; its keys beyond the most frequent are counted together, which is then told. */
  readonly cube: Cube
  /** Only of this first key. */
  readonly first?: string
}

export const FAILED = 'count(*) FILTER (http_response_status_code >= 500)'
export const REFUSED = 'count(*) FILTER (http_response_status_code >= 400 AND http_response_status_code < 500)'
/** NULL where nothing was counted: 0 would say that nothing failed. */
export const FAILED_SHARE = `${FAILED} / nullif(count(*) FILTER (http_response_status_code IS NOT NULL), 0)`
export const P50 = 'quantile_cont(duration, 0.5)'
export const P95 = 'quantile_cont(duration, 0.95)'
export const P99 = 'quantile_cont(duration, 0.99)'
export const FIRST_SEEN = 'epoch_ms(min("time")::TIMESTAMP)'
export const LAST_SEEN = 'epoch_ms(max("time")::TIMESTAMP)'
/** Not from the headers: reading them all takes five times as long. */
export const USER_AGENT = 'user_agent_original'

/** Most of the tables: a value, how often, how it went. */
export const SHARED_COLUMNS: readonly ViewColumn[] = [
  { title: 'Requests', unit: 'count' }, { title: '4xx', unit: 'count' }, { title: '5xx', unit: 'count' }, { title: '5xx share', unit: 'share' },
  { title: 'p50', unit: 'seconds' }, { title: 'p99', unit: 'seconds' },
]

/** Of a chart: the beginning of the point that an exchange falls into, milliseconds since 1970. */
export function pointSql({ bucketMs }: Question): string {
  return `(epoch_ns("time") // ${bucketMs * 1_000_000}) * ${bucketMs}`
}

/** `value` grouped, with the shared columns behind it, the most frequent first. */
export function groupedSql(value: string, { where, limit }: Question, from = 'exchanges'): string {
  return `SELECT ${value} AS value, count(*) AS n, ${REFUSED} AS refused, ${FAILED} AS failed, ${FAILED_SHARE} AS failed_share, ` +
    `${P50} AS p50, ${P99} AS p99 FROM ${from} WHERE ${where} GROUP BY 1 ORDER BY n DESC, 1 LIMIT ${limit}`
}

/** Sums over rows of a roll-up, named and typed as the columns of `groupedSql`. */
export const ROLLED_SUMS = 'coalesce(sum(n), 0)::BIGINT AS n, coalesce(sum(refused), 0)::BIGINT AS refused, ' +
  'coalesce(sum(failed), 0)::BIGINT AS failed'
export const ROLLED_SHARE = 'sum(failed) / nullif(sum(answered), 0) AS failed_share'
export const SHARES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const

/**
 * `groupedSql` over the rows of a cube.
 *
 * @param value SQL of a key of the cube
 * @param first only rows of this first key
 */
export function groupedRolled(cube: Cube, value: string, question: Question, first?: string): RolledQuestion {
  const only = first === undefined ? '' : ` WHERE k1 = '${first.replaceAll("'", "''")}'`
  const sql = `WITH given AS MATERIALIZED (SELECT ${value} AS value, n, refused, failed, answered, "at", hits
      FROM (${rolledSql(cube, question)})${only}),
    sums AS MATERIALIZED (SELECT value, ${ROLLED_SUMS}, ${ROLLED_SHARE} FROM given GROUP BY 1 ORDER BY n DESC, 1 LIMIT ${question.limit}),
    shown AS (SELECT given.* FROM given JOIN sums ON given.value IS NOT DISTINCT FROM sums.value),
    times AS (${quantilesSql('shown', ['value'], { p50: SHARES.p50, p99: SHARES.p99 })})
    SELECT sums.*, p50, p99 FROM sums LEFT JOIN times ON sums.value IS NOT DISTINCT FROM times.value ORDER BY n DESC, 1`
  return { sql, cube, ...(first === undefined ? {} : { first }) }
}
