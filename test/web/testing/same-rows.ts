import assert from 'node:assert/strict'
import { type PlainValue, QUANTILE_ERROR } from '../../../src/store/mod.ts'
import type { View } from '../../../src/web/view.ts'

type Rows = readonly (readonly PlainValue[])[]

/** Of costs: sums of fractions differ in their last digits with the order in which they are added. */
const COST_DIGITS = 12

/** Rows as they are compared: in one order, durations apart. */
function compared(view: View, rows: Rows): { exact: string[], durations: (number | null)[][] } {
  const isDuration = (index: number): boolean => view.columns[index]?.unit === 'seconds' && view.columns[index]?.title !== 'Longest'
  const isCost = (index: number): boolean => view.columns[index]?.unit === 'cost'
  const each = rows.map(row => {
    const others = row.map((value, index) => isCost(index) && typeof value === 'number' ? Number(value.toPrecision(COST_DIGITS)) : value)
      .filter((_, index) => !isDuration(index))
    const exact = JSON.stringify(others, (_, value: unknown) => typeof value === 'bigint' ? Number(value) : value)
    return { exact, durations: row.filter((_, index) => isDuration(index)) as (number | null)[] }
  }).sort((a, b) => a.exact < b.exact ? -1 : 1)
  return { exact: each.map(({ exact }) => exact), durations: each.map(({ durations }) => durations) }
}

/** That a view has the same rows twice. @param error of durations, but for the longest, as a part of each */
export function assertSameRows(view: View, rows: Rows, others: Rows, what: string, error = QUANTILE_ERROR): void {
  const [got, wanted] = [compared(view, rows), compared(view, others)]
  assert.deepEqual(got.exact, wanted.exact, what)
  got.durations.forEach((row, at) => {
    row.forEach((value, index) => {
      const exact = wanted.durations[at]?.[index] ?? null
      if (value === null || exact === null) assert.equal(value, exact, what)
      else assert.ok(Math.abs(value - exact) <= exact * error * 1.000_001, `${what}: ${value} instead of ${exact} in ${got.exact[at]}`)
    })
  })
}
