import { clickRouted } from '../clickhouse/click-routes.ts'
import { CLICK_CUBES, clickAgentClass, clickBucketValue, clickRolled } from '../clickhouse/click-rollup.ts'
import { recordColumns, recordRow } from '../clickhouse/click-records.ts'
import { clickQuote } from '../clickhouse/click-text.ts'
import { CLICKHOUSE } from '../filter-sql/mod.ts'
import { CREDENTIALS } from '../header-columns.ts'
import type { Span } from '../rollup/rolled.ts'
import type { RolledGroups, Words } from './words.ts'

const nanoseconds = (time: string): string => `toUnixTimestamp64Nano(${time})`
const quotient = (dividend: string, divisor: number): string => `intDiv(${dividend}, ${divisor})`

/** Of ClickHouse, from 24.8 on. */
export const CLICK_WORDS: Words = {
  filter: CLICKHOUSE,
  recordList: recordColumns,
  record: recordRow,
  nanoseconds,
  firstSeen: quotient(`minOrNull(${nanoseconds('time')})`, 1_000_000),
  lastSeen: quotient(`maxOrNull(${nanoseconds('time')})`, 1_000_000),
  quotient,
  whole: text => `toInt64OrNull(${text})`,
  text: number => `toString(${number})`,
  quantile: share => `quantileExactInclusive(${share})(duration)`,
  listed: (value, max) => {
    const list = `arraySort(groupUniqArray(${value}))`
    return max === undefined ? list : `arraySlice(${list}, 1, ${max})`
  },
  joined: (separator, values) => `arrayStringConcat(arrayFilter(x -> x IS NOT NULL, [${values.join(', ')}]), ${clickQuote(separator)})`,
  unnest: list => `arrayJoin(${list})`,
  entries: map => `CAST(${map} AS Array(Tuple(key String, value String)))`,
  keysOf: (map, other) => `arrayDistinct(arrayConcat(mapKeys(${map}), mapKeys(${other})))`,
  hasCredential: `(${CREDENTIALS.map(name => `mapContains(http_request_header, ${clickQuote(name)})`).join(' OR ')})`,
  agentClass: clickAgentClass,
  routed: clickRouted,
  cubes: CLICK_CUBES,
  rolled: clickRolled,
  rolledGroups,
  rolledClients: span => `SELECT count(DISTINCT r.k1) FROM (${clickRolled('client', span)}) AS r`,
}

function rolledGroups(span: Span, { cube, by, first, sums, shares, order, limit }: RolledGroups): string {
  const ordered = order === undefined ? '' : ` ORDER BY ${order}`
  const only = first === undefined ? '' : ` WHERE r.k1 = ${clickQuote(first)}`
  const columns = [...by === undefined ? [] : [`${by} AS value`], ...sums, 'sumMap(r.durations) AS hist']
  const grouped = `SELECT ${columns.join(', ')} FROM (${clickRolled(cube, span)}) AS r${only}${by === undefined ? '' : ' GROUP BY 1'}` +
    (limit === undefined ? '' : `${ordered} LIMIT ${limit}`)
  const quantiles = Object.entries(shares).map(([name, share]) => `${quantileOf(share)} AS ${name}`)
  return `SELECT * EXCEPT (hist, pairs, upto), ${quantiles.join(', ')} FROM (SELECT *, arraySort(CAST(hist AS Array(Tuple(Int16, UInt64)))) AS pairs,
    arrayCumSum(pair -> pair.2, pairs) AS upto FROM (${grouped}))${ordered}`
}

/** Over `pairs` of bucket and count, in order, and their running sum `upto`: interpolated as `quantile` does. */
function quantileOf(share: number): string {
  const rank = `((toFloat64(upto[-1]) - 1) * ${share})`
  const value = (round: string): string => clickBucketValue(`(pairs[arrayFirstIndex(u -> u > ${round}(${rank}), upto)].1)`)
  const [low, high] = [value('floor'), value('ceil')]
  return `if(empty(pairs), NULL, ${low} + (${high} - ${low}) * (${rank} - floor(${rank})))`
}
