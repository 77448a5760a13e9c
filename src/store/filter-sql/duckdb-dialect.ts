import { quote } from '../columns.ts'
import { headerColumnSql } from '../header-columns.ts'
import { DECIMAL, type Dialect, SPACES } from './dialect.ts'

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const LOWER = UPPER.toLowerCase()

const trim = (text: string): string => `trim(${text}, ${quote(SPACES)})`

/** Of stores. */
export const DUCKDB: Dialect = {
  quote,
  double: sql => `(${sql})::DOUBLE`,
  missing: type => `NULL::${type === 'string' ? 'VARCHAR' : 'BIGINT'}`,
  isThere: column => `${column} IS NOT NULL`,
  listIsThere: () => undefined,
  headerValues: (headers, name) => {
    const first = headerColumnSql(headers, name)
    return { sql: `${headers}[${name}]`, ...first !== undefined && { first, present: `${first} IS NOT NULL` } }
  },
  reason: (marks, field) => `${marks}[${field}]`,
  valueAt: (list, place) => `(${list})[${place + 1}]`,
  // SQL counts from 1, and from the end below 0.
  itemAt: ({ sql }, index) => {
    const place = `(${index})::DOUBLE`
    return `(CASE WHEN ${place} >= 0 AND ${place} < 2147483647 AND ${place} = floor(${place}) THEN (${sql})[(${place} + 1)::BIGINT] END)`
  },
  size: ({ type, sql }) => `${type === 'headers' || type === 'reasons' ? 'cardinality' : type === 'string' ? 'length' : 'len'}(${sql})`,
  lower: text => `translate(${text}, '${UPPER}', '${LOWER}')`,
  upper: text => `translate(${text}, '${LOWER}', '${UPPER}')`,
  trim,
  matches: (text, pattern) => `regexp_matches(${text}, ${pattern})`,
  startsWith: (text, start) => `starts_with(${text}, ${start})`,
  endsWith: (text, end) => `suffix(${text}, ${end})`,
  contains: (text, part) => `contains(${text}, ${part})`,
  time: nanoseconds => `make_timestamp_ns(${nanoseconds})`,
  parsed: text => `(CASE WHEN regexp_matches(${trim(text)}, '${DECIMAL}') THEN try_cast(${trim(text)} AS DOUBLE) END)`,
  text: ({ sql }) => `(${sql})::VARCHAR`,
  isOneOf: (item, values) => `${item} IN (${values.join(', ')})`,
  listHas: (list, item) => `list_contains(${list}, ${item})`,
  mapHas: (map, key) => `map_contains(${map}, ${key})`,
  keys: map => `map_keys(${map})`,
  count: (list, variable, test) => `len(list_filter(${list}, lambda ${variable}: ${test}))`,
  remainder: (a, b) => `${a} % ${b}`,
}
