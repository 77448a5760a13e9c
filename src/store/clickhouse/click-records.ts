import type { Column } from '../columns.ts'
import type { PlainValue } from '../plain-value.ts'
import { EMPTY_FIELDS } from './click-columns.ts'

/** List of a SELECT whose rows `recordRow` makes records of. */
export function recordColumns(columns: readonly Column[]): string {
  return [...columns.map(({ name }) => name), EMPTY_FIELDS].join(', ')
}

/** A row of `recordColumns` as a store has it: missing lists and maps are NULL. */
export function recordRow(columns: readonly Column[], row: readonly PlainValue[]): PlainValue[] {
  const empty = row[columns.length] as readonly PlainValue[]
  return columns.map(({ field }, index) => {
    const value = row[index] as PlainValue
    const isEmpty = Array.isArray(value) ? value.length === 0 : value instanceof Map && value.size === 0
    return isEmpty && !empty.includes(field) ? null : value
  })
}
