import type { PlainValue } from '../plain-value.ts'

/**
 * A value of an answer (JSONCompactEachRow, whole numbers of 64 bits as text, times by ISO 8601, maps as lists of pairs, tuples as
 * lists) as a store's rows have it: whole numbers keep their digits, maps their order, times their nanoseconds.
 *
 * @param type as ClickHouse writes it: `Map(LowCardinality(String), Array(String))`
 */
export function clickValue(type: string, value: unknown): PlainValue {
  if (value === null || value === undefined) return null
  const [, outer = '', inner = ''] = /^(\w+)(?:\((.*)\))?$/s.exec(type) ?? []
  switch (outer) {
    case 'Nullable': case 'LowCardinality': return clickValue(inner, value)
    case 'Array': return (value as readonly unknown[]).map(item => clickValue(inner, item))
    case 'Map': {
      const [keyType, valueType] = partsOf(inner) as [string, string]
      return new Map((value as readonly [unknown, unknown][]).map(([key, item]) => [String(clickValue(keyType, key)), clickValue(valueType, item)]))
    }
    case 'Tuple': {
      const types = partsOf(inner).map(part => /^`?\w+`? (.+)$/s.exec(part)?.[1] ?? part)
      return (value as readonly unknown[]).map((item, index) => clickValue(types[index] ?? '', item))
    }
    default: return /^U?Int\d/.test(outer) && typeof value === 'string' ? BigInt(value) : plain(value)
  }
}

function plain(value: unknown): PlainValue {
  return typeof value === 'object' ? JSON.stringify(value) : value as PlainValue
}

/** `String, Array(String)` in its parts. */
function partsOf(list: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < list.length; at++) {
    const character = list[at]
    if (character === '(') depth++
    else if (character === ')') depth--
    else if (character === ',' && depth === 0) {
      parts.push(list.slice(start, at).trim())
      start = at + 1
    }
  }
  return [...parts, list.slice(start).trim()]
}
