import type { Question } from './question.ts'

/** How the page shows the values of a column. */
export type Unit = 'text' | 'count' | 'share' | 'seconds' | 'bytes' | 'time' | 'list'

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
/** The client behind trusted proxies where it is known. */
export const CLIENT = 'coalesce(client_real_address, client_address)'
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
