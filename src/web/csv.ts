import { csvQuoted, jsonText, type PlainValue } from '../store/mod.ts'

/** What a spreadsheet takes for a formula, and what it skips before one. */
const FORMULA = /^[\s]*[=+\-@]|^[\t\r\n]/

/**
 * Rows as CSV (RFC 4180). Texts that a spreadsheet would run as a formula get an apostrophe in front: whoever sends a request
 * chooses what stands in its headers. Numbers stay numbers.
 */
export function csvText(names: readonly string[], rows: readonly (readonly PlainValue[])[]): string {
  return [names, ...rows].map(row => `${row.map(cell).join(',')}\r\n`).join('')
}

function cell(value: PlainValue): string {
  if (value === null) return ''
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  const text = typeof value === 'string' ? value : jsonText(value)
  return csvQuoted(FORMULA.test(text) ? `'${text}` : text)
}
