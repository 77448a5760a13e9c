import { AGENT_CLASSES } from '../rollup/agent-class.ts'
import { CLIENT, type Cube, CUBES } from '../rollup/cubes.ts'
import { type Span, wholeSlots } from '../rollup/rolled.ts'
import { BUCKET_MAX, GAMMA, SMALLEST, ZERO } from '../rollup/sketch.ts'
import { clickQuote } from './click-text.ts'

/**
 * Roll-ups of ClickHouse: of the overview's cubes, those of a store with the same slots and the same buckets of durations, so that both
 * say the same. A row of `rollup` is of a cube, a slot and a key; a view adds each insert's rows, merges add up those of one key.
 *
 * A view sees what is inserted after it: `rollup_since` says from when on, by the records' time, all of them went through it. What is older,
 * and what a span holds of a slot in part, is counted out of the records by the same SELECT.
 */
const KEYS: Readonly<Partial<Record<Cube, string>>> = {
  minute: 'toString(http_response_status_code)', method: 'http_request_method', host: 'url_domain', client: CLIENT, agent: 'user_agent_original',
}

/** What there are roll-ups of. */
export const CLICK_CUBES: ReadonlySet<Cube> = new Set(Object.keys(KEYS) as Cube[])

/** Columns of `rollup`: a key is a list of one text, or empty where there is none. */
export const ROLLUP_COLUMNS: readonly string[] = [
  'counted_by LowCardinality(String)', "slot DateTime64(3, 'UTC')", 'key Array(String)',
  ...['n', 'refused', 'failed', 'answered'].map(name => `${name} SimpleAggregateFunction(sum, UInt64)`),
  'bytes SimpleAggregateFunction(sum, Nullable(Int64))', 'first_ns SimpleAggregateFunction(min, Int64)',
  'last_ns SimpleAggregateFunction(max, Int64)', 'durations SimpleAggregateFunction(sumMap, Map(Int16, UInt64))',
]

const SUMS = 'sum(r.refused) AS refused, sum(r.failed) AS failed, sum(r.answered) AS answered, sum(r.bytes) AS bytes, ' +
  'min(r.first_ns) AS first_ns, max(r.last_ns) AS last_ns'
/** Of durations in seconds; as `bucketSql` of a store's roll-ups has it. */
const BUCKET = `multiIf(duration IS NULL, NULL, duration <= ${SMALLEST}, ${ZERO},
  toInt16(least(${BUCKET_MAX}, ceil(log(duration) / ${Math.log(GAMMA)}))))`
/** Beyond all times: where nothing says from when on roll-ups are whole. */
const NEVER = "toDateTime64('2262-01-01 00:00:00', 3, 'UTC')"

/** Rows of `rollup` of the exchanges of a table. @param where a condition over its columns */
export function rollupSelect(table: string, where: string, cubes: Iterable<Cube> = CLICK_CUBES): string {
  const parts = [...cubes].map(cube => {
    const key = `CAST(${KEYS[cube] ?? 'NULL'} AS Nullable(String))`
    return `('${cube}', ${CUBES[cube].slotMs}, if(${key} IS NULL, [], [ifNull(${key}, '')]))`
  })
  return `SELECT counted_by, slot, key, sum(r.n) AS n, ${SUMS}, sumMap(r.durations) AS durations
FROM (
  SELECT part.1 AS counted_by, fromUnixTimestamp64Milli(intDiv(ns, 1000000 * part.2) * part.2, 'UTC') AS slot, part.3 AS key, bucket, count() AS n,
    countIf(status >= 400 AND status < 500) AS refused, countIf(status >= 500) AS failed, count(status) AS answered, sum(size) AS bytes,
    min(ns) AS first_ns, max(ns) AS last_ns, if(bucket IS NULL, map(), map(assumeNotNull(bucket), count())) AS durations
  FROM (
    SELECT toUnixTimestamp64Nano(time) AS ns, http_response_status_code AS status, http_response_body_size AS size, ${BUCKET} AS bucket,
      arrayJoin([${parts.join(', ')}]) AS part
    FROM ${table} WHERE kind = 'exchange' AND ${where}
  )
  GROUP BY counted_by, slot, key, bucket
) AS r
GROUP BY counted_by, slot, key`
}

/**
 * SQL of a cube's rows for all exchanges of a span, named as those of a store: `slot` in milliseconds, `k1`, `k2`, sums, and `durations`, how many
 * by bucket.
 */
export function clickRolled(cube: Cube, span: Span): string {
  const whole = wholeSlots(cube, span)
  const [from, first, end, to] = [span.fromMs, whole.fromMs, whole.toMs, span.toMs].map(at) as [string, string, string, string]
  const since = `greatest(${first}, (SELECT ifNull(maxOrNull(since), ${NEVER}) FROM rollup_since))`
  const counted = (where: string): string => rollupSelect('records', where, [cube])
  const rows = [
    `SELECT * FROM rollup WHERE counted_by = '${cube}' AND slot >= ${since} AND slot < ${end}`,
    counted(`time >= ${from} AND time < least(${end}, ${since})`),
    ...whole.toMs < span.toMs ? [counted(`time >= ${end} AND time < ${to}`)] : [],
  ]
  const key = 'if(empty(r.key), NULL, r.key[1])'
  const keys = cube === 'agent' ? [clickAgentClass(key), key] : [key, 'NULL']
  return `SELECT toUnixTimestamp64Milli(r.slot) AS slot, ${keys[0]} AS k1, ${keys[1]} AS k2, n, refused, failed, answered, bytes, first_ns, last_ns,
    durations FROM (${rows.join('\nUNION ALL\n')}) AS r`
}

/** SQL: what kind of user agent calls itself so. */
export function clickAgentClass(agent: string): string {
  const cases = AGENT_CLASSES.map(([name, pattern]) => `match(${agent}, ${clickQuote(pattern)}), '${name}'`)
  return `multiIf(${agent} IS NULL, 'none', ${cases.join(', ')}, 'other')`
}

/** SQL: the duration that stands for a bucket; seconds. */
export function clickBucketValue(bucket: string): string {
  return `if(${bucket} = ${ZERO}, 0, ${2 / (GAMMA + 1)} * pow(${GAMMA}, ${bucket}))`
}

function at(ms: number): string {
  return `fromUnixTimestamp64Milli(toInt64(${ms}), 'UTC')`
}
