import type { DuckDBValue } from '@duckdb/node-api'

/** A value of a row without the engine's own classes: a map keeps the order of its keys. */
export type PlainValue = null | string | number | bigint | boolean | readonly PlainValue[] | ReadonlyMap<string, PlainValue>

const BILLION = 1_000_000_000n

/** Times of nanoseconds as records show them, lists as arrays, maps and structs as Map, what JSON has no word for as text. */
export function plainValue(value: DuckDBValue): PlainValue {
  if (value === null || typeof value !== 'object') return value === undefined ? null : value
  if ('items' in value && Array.isArray(value.items)) return value.items.map(plainValue)
  // By shape, not by class: the classes would have to be loaded with the engine.
  if ('nanos' in value && typeof value.nanos === 'bigint') return timeText(value.nanos)
  if ('entries' in value && Array.isArray(value.entries) && !('items' in value)) {
    const entries = value.entries as readonly { readonly key: DuckDBValue, readonly value: DuckDBValue }[]
    return new Map(entries.map(entry => [keyText(plainValue(entry.key)), plainValue(entry.value)]))
  }
  if ('entries' in value && typeof value.entries === 'object' && value.entries !== null) {
    return new Map(Object.entries(value.entries as Record<string, DuckDBValue>).map(([key, inner]) => [key, plainValue(inner)]))
  }
  return String(value)
}

function keyText(key: PlainValue): string {
  return typeof key === 'string' ? key : jsonText(key)
}

/** `2026-01-31T12:00:00.000000000Z`, as in records. */
function timeText(nanoseconds: bigint): string {
  const below = ((nanoseconds % BILLION) + BILLION) % BILLION
  const seconds = Number((nanoseconds - below) / BILLION)
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(below).padStart(9, '0')}Z`
}

/** The value as JSON; whole numbers of any size keep their digits, what is no number in JSON is text. */
export function jsonText(value: PlainValue): string {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && !Number.isFinite(value)) return `"${value}"`
  if (value instanceof Map) {
    return `{${[...value as Map<string, PlainValue>].map(([key, inner]) => `${JSON.stringify(key)}:${jsonText(inner)}`).join(',')}}`
  }
  if (Array.isArray(value)) return `[${(value as readonly PlainValue[]).map(jsonText).join(',')}]`
  return JSON.stringify(value)
}
