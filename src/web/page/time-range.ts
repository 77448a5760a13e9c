import type { Row, ViewAnswer } from './ask.ts'

/** A span of time: milliseconds since 1970, the end not included. */
export interface TimeRange {
  readonly fromMs: number
  readonly toMs: number
}

/** From when to when the store has exchanges. */
export interface StoreSpan {
  readonly firstMs: number
  readonly lastMs: number
}

const MINUTE = 60_000
/** Words of the parameter `range`. */
export const RANGES: ReadonlyMap<string, number> = new Map([
  ['5m', 5 * MINUTE], ['15m', 15 * MINUTE], ['1h', 60 * MINUTE], ['6h', 360 * MINUTE], ['24h', 1440 * MINUTE], ['7d', 10_080 * MINUTE],
])
export const ALL = 'all'
export const OWN = 'own'

/** Which range an address names: `from` and `to`, a word, or what suits the store: the last hour if it has anything of it. */
export function rangeName(parameters: URLSearchParams, span: StoreSpan | undefined, nowMs: number): string {
  if (ownRange(parameters) !== undefined) return OWN
  const name = parameters.get('range')
  if (name !== null && (RANGES.has(name) || name === ALL)) return name
  return span === undefined || nowMs - span.lastMs < 60 * MINUTE ? '1h' : ALL
}

export function rangeOf(parameters: URLSearchParams, span: StoreSpan | undefined, nowMs: number): TimeRange {
  const own = ownRange(parameters)
  if (own !== undefined) return own
  const name = rangeName(parameters, span, nowMs)
  const length = RANGES.get(name)
  if (length !== undefined) return { fromMs: nowMs - length, toMs: nowMs }
  return span === undefined ? { fromMs: nowMs - 60 * MINUTE, toMs: nowMs } : { fromMs: span.firstMs, toMs: span.lastMs + 1 }
}

/** As long, and just before. */
export function rangeBefore({ fromMs, toMs }: TimeRange): TimeRange {
  return { fromMs: Math.max(0, fromMs - (toMs - fromMs)), toMs: fromMs }
}

function ownRange(parameters: URLSearchParams): TimeRange | undefined {
  const [from, to] = [parameters.get('from'), parameters.get('to')]
  if (from === null || to === null || !/^\d{1,15}$/.test(from) || !/^\d{1,15}$/.test(to) || Number(from) >= Number(to)) return undefined
  return { fromMs: Number(from), toMs: Number(to) }
}

/** The times of a chart's points over a range: multiples of their width, as the store counts them. */
export function pointTimes(bucketMs: number, { fromMs, toMs }: TimeRange): number[] {
  const start = Math.floor(fromMs / bucketMs) * bucketMs
  return Array.from({ length: Math.max(1, Math.ceil((toMs - start) / bucketMs)) }, (_, index) => start + index * bucketMs)
}

/** Rows of a view over time, by their time. */
export function rowsByTime({ rows }: ViewAnswer): ReadonlyMap<number, Row> {
  return new Map(rows.map(row => [row[0] as number, row]))
}
