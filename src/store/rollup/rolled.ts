import { quote } from '../columns.ts'
import { CUBES, type Cube, partialSql, rowsOfParts } from './cubes.ts'

/** A span of time; milliseconds since 1970, the end not included. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * SQL of a cube's rows for all exchanges of a span: of the slots that lie wholly in it out of the roll-ups, of what is left over at
 * its ends, and of what has no roll-up (yet), out of the records. The sums are those of the records, exactly.
 *
 * Over `rollup`, `rolled_records`, `other_records` of `StoreReader`. A key may stand in many rows.
 */
export function rolledSql(cube: Cube, span: Span): string {
  const { fromMs, toMs } = wholeSlots(cube, span)
  const rows = [
    `SELECT * FROM rollup WHERE cube = '${cube}' AND slot >= ${fromMs} AND slot < ${toMs}`,
    `SELECT * FROM (${partialSql(cube, 'other_records', within(span))})`,
    ...endsOf(span, { fromMs, toMs }).map(end => `SELECT * FROM (${partialSql(cube, 'rolled_records', within(end))})`),
  ]
  return rowsOfParts(cube, rows.join(' UNION ALL BY NAME '))
}

/**
 * SQL of how many exchanges of a span stand in rows `(other)`, because a slot had more keys than a roll-up keeps.
 *
 * @param first only those with this first key
 */
export function restSql(cube: Cube, span: Span, first?: string): string {
  const { fromMs, toMs } = wholeSlots(cube, span)
  const only = first === undefined ? '' : ` AND k1 = ${quote(first)}`
  return `SELECT coalesce(sum(n), 0)::BIGINT FROM rollup WHERE cube = '${cube}' AND slot >= ${fromMs} AND slot < ${toMs} AND rest${only}`
}

/** Empty, and at its beginning, where the span holds no whole slot. */
export function wholeSlots(cube: Cube, { fromMs, toMs }: Span): Span {
  const { slotMs } = CUBES[cube]
  const [first, last] = [Math.ceil(fromMs / slotMs) * slotMs, Math.floor(toMs / slotMs) * slotMs]
  return first < last ? { fromMs: first, toMs: last } : { fromMs, toMs: fromMs }
}

function endsOf({ fromMs, toMs }: Span, whole: Span): readonly Span[] {
  return [{ fromMs, toMs: whole.fromMs }, { fromMs: whole.toMs, toMs }].filter(end => end.fromMs < end.toMs)
}

function within({ fromMs, toMs }: Span): string {
  const [first, last] = [fromMs, toMs].map(ms => `make_timestamp_ns(${BigInt(ms) * 1_000_000n})`)
  return `"time" >= ${first} AND "time" < ${last}`
}
