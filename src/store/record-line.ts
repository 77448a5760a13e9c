import type { Column } from './columns.ts'
import { jsonText, type PlainValue } from './plain-value.ts'

/**
 * Rows of all columns as the lines of NDJSON that they were stored from: nested by the dots of the fields' names.
 *
 * @param columns in the order of the rows' values, fields of one prefix together
 */
export function recordLine(columns: readonly Column[], row: readonly PlainValue[]): string {
  let open: readonly string[] = []
  let text = '{'
  let isFirst = true
  columns.forEach(({ field }, index) => {
    const value = row[index]
    if (value === null || value === undefined) return
    const groups = field.split('.')
    const name = groups.pop() as string
    let shared = 0
    while (shared < open.length && shared < groups.length && open[shared] === groups[shared]) shared++
    text += '}'.repeat(open.length - shared)
    if (!isFirst) text += ','
    for (const group of groups.slice(shared)) text += `${JSON.stringify(group)}:{`
    text += `${JSON.stringify(name)}:${jsonText(value)}`
    open = groups
    isFirst = false
  })
  return `${text}${'}'.repeat(open.length)}}`
}
