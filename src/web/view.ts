import { CLIENT, type Cube, type RolledGroups } from '../store/mod.ts'
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
  /** One SELECT over `exchanges` (or `records`), bounded by the question's limit, in the words of its engine. */
  sql(question: Question): string
  /** So many of the newest exchanges are enough for it, of those that a filter lets through some more; it counts them in the second column. */
  readonly newest?: number
  /** The same out of the engine's roll-ups, for questions without a filter; durations within 1 %. Missing = only the records know. */
  rolled?(question: Question): RolledQuestion | undefined
}

export interface RolledQuestion {
  /** What is asked; its keys beyond the most frequent are counted together, which is then told. An engine need not have it. */
  readonly cube: Cube
  /** Only of this first key. */
  readonly first?: string
  sql(): string
}

/** Exchanges, the newest, that are looked at first, or only they, where looking at all takes seconds. */
export const LOOKED_AT = 200_000

export const FAILED = 'count(*) FILTER (WHERE http_response_status_code >= 500)'
export const REFUSED = 'count(*) FILTER (WHERE http_response_status_code >= 400 AND http_response_status_code < 500)'
/** NULL where nothing was counted: 0 would say that nothing failed. */
export const FAILED_SHARE = `${FAILED} / nullif(count(*) FILTER (WHERE http_response_status_code IS NOT NULL), 0)`
export const SHARES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const
/** Not from the headers: reading them all takes five times as long. */
export const USER_AGENT = 'user_agent_original'

/** Most of the tables: a value, how often, how it went. */
export const SHARED_COLUMNS: readonly ViewColumn[] = [
  { title: 'Requests', unit: 'count' }, { title: '4xx', unit: 'count' }, { title: '5xx', unit: 'count' }, { title: '5xx share', unit: 'share' },
  { title: 'p50', unit: 'seconds' }, { title: 'p99', unit: 'seconds' },
]

/** Of a chart: the beginning of the point that an exchange falls into, milliseconds since 1970. */
export function pointSql({ words, bucketMs }: Question): string {
  return `${words.quotient(words.nanoseconds('"time"'), bucketMs * 1_000_000)} * ${bucketMs}`
}

/** The same of a row of a roll-up. */
export function rolledPointSql({ words, bucketMs }: Question): string {
  return `${words.quotient('slot', bucketMs)} * ${bucketMs}`
}

/** Quantiles of durations, each with its name. */
export function quantilesOf({ words }: Question, names: readonly (keyof typeof SHARES)[] = ['p50', 'p95', 'p99']): string {
  return names.map(name => `${words.quantile(SHARES[name])} AS ${name}`).join(', ')
}

/** `value` grouped, with the shared columns behind it, the most frequent first. */
export function groupedSql(value: string, question: Question, from = 'exchanges'): string {
  return `SELECT ${value} AS value, count(*) AS n, ${REFUSED} AS refused, ${FAILED} AS failed, ${FAILED_SHARE} AS failed_share, ` +
    `${quantilesOf(question, ['p50', 'p99'])} FROM ${from} WHERE ${question.where} GROUP BY 1 ORDER BY n DESC, 1 LIMIT ${question.limit}`
}

/** Sums over rows of a roll-up, `r`, named as the columns of `groupedSql`. */
export const ROLLED_SUMS = ['n', 'refused', 'failed'].map(name => `coalesce(sum(r.${name}), 0) AS ${name}`)
export const ROLLED_SHARE = 'sum(r.failed) / nullif(sum(r.answered), 0) AS failed_share'

/**
 * `groupedSql` over the rows of a cube.
 *
 * @param by    SQL of a key of the cube
 * @param first only rows of this first key
 */
export function groupedRolled(cube: Cube, by: string, question: Question, first?: string): RolledQuestion {
  const only = first === undefined ? {} : { first }
  const groups: RolledGroups = {
    cube, by, ...only, sums: [...ROLLED_SUMS, ROLLED_SHARE], shares: { p50: SHARES.p50, p99: SHARES.p99 }, order: 'n DESC, 1', limit: question.limit,
  }
  return { cube, ...only, sql: () => question.words.rolledGroups(question, groups) }
}
