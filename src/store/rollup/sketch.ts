/**
 * Durations as a histogram that merges by adding: buckets whose bounds grow by a constant factor, so that the value told for a
 * bucket is within 1 % of every duration in it (DDSketch, https://arxiv.org/abs/1908.10693, 2.1). Quantiles of it are therefore
 * within 1 % of the exact ones, whatever was merged.
 */
export const QUANTILE_ERROR = 0.01

export const GAMMA = (1 + QUANTILE_ERROR) / (1 - QUANTILE_ERROR)
/** Bucket of what is no longer than a nanosecond: its value is 0. */
export const ZERO = -32_768
export const SMALLEST = 1e-9
export const BUCKET_MAX = 32_767

/** SQL: the bucket of a duration in seconds; NULL of NULL. */
export function bucketSql(duration: string): string {
  return `CASE WHEN ${duration} IS NULL THEN NULL WHEN ${duration} <= ${SMALLEST} THEN ${ZERO}
    ELSE least(${BUCKET_MAX}, ceil(ln(${duration}) / ${Math.log(GAMMA)})) END::SMALLINT`
}

/** SQL: the duration that stands for a bucket; seconds. */
function valueSql(bucket: string): string {
  return `CASE WHEN ${bucket} = ${ZERO} THEN 0.0 ELSE ${2 / (GAMMA + 1)} * pow(${GAMMA}, ${bucket}) END`
}

/**
 * SQL of a table of quantiles, interpolated as `quantile_cont` does.
 *
 * @param rows   a table of rows of a roll-up with its columns `at` and `hits` (may be NULL)
 * @param keys   its columns that name what the quantiles are of; none = of all
 * @param shares which quantiles: name of the column, share below
 */
export function quantilesSql(rows: string, keys: readonly string[], shares: Readonly<Record<string, number>>): string {
  const by = keys.map(key => `${key}, `).join('')
  const partition = keys.length === 0 ? '' : `PARTITION BY ${keys.join(', ')} `
  const group = keys.length === 0 ? '' : ` GROUP BY ${keys.join(', ')}`
  const columns = Object.entries(shares).map(([name, share]) => {
    const rank = `((any_value(total) - 1) * ${share})`
    const [low, high] = ['floor', 'ceil'].map(round => `min(v) FILTER (upto > ${round}((total - 1) * ${share}))`)
    return `${low} + (${high} - ${low}) * (${rank} - floor(${rank})) AS ${name}`
  })
  return `SELECT ${by}${columns.join(', ')} FROM (SELECT ${by}${valueSql('b')} AS v, sum(c) OVER (${partition}ORDER BY b) AS upto,
    sum(c) OVER (${partition === '' ? '' : partition.trim()}) AS total
    FROM (SELECT ${by}b, sum(c) AS c FROM (SELECT ${by}unnest("at") AS b, unnest(hits) AS c FROM ${rows}) GROUP BY ${by}b))${group}`
}

/** Different values are counted by the least of their hashes (k minimum values): exactly below so many, with 1 / sqrt(k) above. */
export function leastSql(list: string, count: number): string {
  return `list_sort(list_distinct(${list}))[1:${count}]`
}

/** SQL: the least hashes of all rows of a group. */
export function mergedSeenSql(count: number): string {
  return leastSql('flatten(list(seen))', count)
}

/**
 * SQL: a text's hash, of 32 bits; NULL of NULL. It is DuckDB's own, at a tenth of the cost of MD5: where a newer version of it gives other
 * hashes, which a test sees, roll-ups need a new version (src/sink/store/store-folder.ts), since theirs are merged.
 */
export function hashSql(text: string): string {
  return `CASE WHEN ${text} IS NOT NULL THEN (hash(${text}) >> 32)::UINTEGER END`
}

/** SQL: the same of a whole number that is not negative: those below 2^32 fall evenly, each on a hash of its own. */
export function numberHashSql(number: string): string {
  return `(${number} % 4294967296 * 1640531527 % 4294967296)::UINTEGER`
}

/** SQL: how many different values such a list of hashes stands for. */
export function distinctSql(least: string, count: number): string {
  return `CASE WHEN len(${least}) < ${count} THEN len(${least}) ELSE round(${count - 1} * 4294967296.0 / ${least}[${count}]) END::BIGINT`
}
