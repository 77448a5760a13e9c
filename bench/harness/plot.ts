import type { Table } from './table.ts'

/** Place of a column. Throws when the table has none of that name. */
export function columnIndex(table: Table, column: string): number {
  const index = table.columns.indexOf(column)
  if (index === -1) throw new Error(`Cannot plot "${column}": the table "${table.name}" has no such column`)
  return index
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
