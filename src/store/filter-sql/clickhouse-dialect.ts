import { EMPTY_FIELDS } from '../clickhouse/click-columns.ts'
import { clickQuote } from '../clickhouse/click-text.ts'
import { DECIMAL, type Dialect, SPACES } from './dialect.ts'
import type { Term } from './term.ts'

const ENDS = clickQuote(`^[${SPACES}]+|[${SPACES}]+$`)

const trim = (text: string): string => `replaceRegexpAll(${text}, ${ENDS}, '')`

/** Lists and maps are never NULL: a missing one is empty. */
function ifThere({ present }: Term, sql: string): string {
  return present === undefined ? sql : `if(${present}, ${sql}, NULL)`
}

/** Of ClickHouse, from 24.8 on. */
export const CLICKHOUSE: Dialect = {
  quote: clickQuote,
  double: sql => `toFloat64(${sql})`,
  missing: type => `CAST(NULL, 'Nullable(${type === 'string' ? 'String' : 'Int64'})')`,
  isThere: column => `${column} IS NOT NULL`,
  listIsThere: (column, field) => `(notEmpty(${column}) OR has(${EMPTY_FIELDS}, ${clickQuote(field)}))`,
  headerValues: (headers, name, isConstant) => isConstant ? { sql: `${headers}[${name}]`, present: `mapContains(${headers}, ${name})` }
    : { sql: `${headers}[ifNull(${name}, '')]`, present: `(${name} IS NOT NULL AND mapContains(${headers}, ifNull(${name}, '')))` },
  reason: (marks, field) => `if(mapContains(${marks}, ifNull(${field}, '')), ${marks}[ifNull(${field}, '')], NULL)`,
  valueAt: (list, place) => `if(length(${list}) > ${place}, (${list})[${place + 1}], NULL)`,
  itemAt: ({ sql }, index) => {
    const place = `toFloat64(${index})`
    const isPlace = `${place} >= 0 AND ${place} < length(${sql}) AND ${place} = floor(${place})`
    return `if(${isPlace}, (${sql})[toInt64(ifNull(${place}, 0)) + 1], NULL)`
  },
  size: term => ifThere(term, term.type === 'string' ? `lengthUTF8(${term.sql})` : `length(${term.sql})`),
  lower: text => `lower(${text})`,
  upper: text => `upper(${text})`,
  trim,
  matches: (text, pattern) => `match(${text}, ${pattern})`,
  startsWith: (text, start) => `startsWith(${text}, ${start})`,
  endsWith: (text, end) => `endsWith(${text}, ${end})`,
  contains: (text, part) => `position(${text}, ${part}) > 0`,
  time: nanoseconds => `fromUnixTimestamp64Nano(toInt64(${nanoseconds}), 'UTC')`,
  parsed: text => `if(match(${trim(text)}, '${DECIMAL}'), toFloat64OrNull(${trim(text)}), NULL)`,
  text: ({ type, sql }) => type === 'bool' ? `multiIf(${sql} IS NULL, NULL, ${sql}, 'true', 'false')` : undefined,
  // IN takes constants only.
  isOneOf: (item, values) => values.map(value => `${item} = ${value}`).join(' OR '),
  listHas: (list, item) => `has(${list}, ${item})`,
  mapHas: (map, key) => `mapContains(${map}, ifNull(${key}, ''))`,
  keys: map => `mapKeys(${map})`,
  count: (list, variable, test) => `arrayCount(${variable} -> ${test}, ${list})`,
  remainder: (a, b) => `${a} - ${b} * trunc(${a} / ${b})`,
}
