import type { Column } from '../columns.ts'
import type { Dialect } from '../filter-sql/mod.ts'
import type { PlainValue } from '../plain-value.ts'
import type { Cube } from '../rollup/cubes.ts'
import type { Span } from '../rollup/rolled.ts'

/** What a view asks of a cube's rows: sums by one value, with quantiles of durations behind them. */
export interface RolledGroups {
  readonly cube: Cube
  /** SQL over a row's `slot`, `k1`, `k2`: what rows are added up by, the first column then, `value`. Missing = one row of all. */
  readonly by?: string
  /** Only rows of this first key. */
  readonly first?: string
  /** SQL of sums over rows, each with its name. */
  readonly sums: readonly string[]
  readonly shares: Readonly<Record<string, number>>
  /** SQL; over names of columns. */
  readonly order?: string
  readonly limit?: number
}

/** Exchanges that a view is about. */
export interface Matching {
  /** SQL over their columns. */
  readonly where: string
  /** They are more than the engine's memory holds: they are read twice. */
  readonly isReadTwice?: boolean
}

/**
 * The words in which views are written, for each engine its own. Arguments and results are SQL; NULL stands for a missing value, and sums of
 * nothing are NULL but for counts. What both engines know alike is no word: `count(*) FILTER (WHERE ...)`, `sum`, `coalesce`, `nullif`,
 * `count(DISTINCT ...)`, windows, `GROUP BY 1`, NULLs that come last.
 */
export interface Words {
  /** Words of conditions: for filters, and for texts, times, headers of views. */
  readonly filter: Dialect
  /** What a SELECT of whole records lists, and a row of it as all columns in their order. */
  recordList(columns: readonly Column[]): string
  record(columns: readonly Column[], row: readonly PlainValue[]): readonly PlainValue[]
  /** Of a time: nanoseconds since 1970. */
  nanoseconds(time: string): string
  /** First and last time of a group; milliseconds since 1970. */
  readonly firstSeen: string
  readonly lastSeen: string
  /** Whole numbers, rounded down. */
  quotient(dividend: string, divisor: number): string
  /** A text of digits as a number, and the other way round. */
  whole(text: string): string
  text(number: string): string
  /** Of all durations of a group, interpolated between the two that are nearest; exact. */
  quantile(share: number): string
  /** The different values of a group, in order; so many at most. */
  listed(value: string, max?: number): string
  /** Those that are there. */
  joined(separator: string, values: readonly string[]): string
  /** A row for each value of a list. */
  unnest(list: string): string
  /** A map's `key` and `value`, as a list. */
  entries(map: string): string
  /** Keys of two maps, each once. */
  keysOf(map: string, other: string): string
  /** True where a request shows a credential. */
  readonly hasCredential: string
  /** What kind of user agent calls itself so. */
  agentClass(agent: string): string
  /** What stands behind WITH: a table `routed`, the exchanges for which a condition is true, with a column `route`. */
  routed(matching: Matching): string
  /** What the engine keeps roll-ups of. */
  readonly cubes: ReadonlySet<Cube>
  /** A cube's rows of a span, whose sums are those of the records; a key may stand in many. */
  rolled(cube: Cube, span: Span): string
  rolledGroups(span: Span, groups: RolledGroups): string
  /** How many clients the exchanges of a span have. */
  rolledClients(span: Span): string
  /** How many exchanges of a span a cube counts as one, whatever their key; missing = none. */
  readonly rest?: (cube: Cube, span: Span, first?: string) => string
}
