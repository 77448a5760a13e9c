import type { Value } from './ask.ts'

export type Unit = 'text' | 'count' | 'cost' | 'share' | 'seconds' | 'bytes' | 'time' | 'list'

const COUNT = new Intl.NumberFormat('en')
const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
const AGES: readonly (readonly [unit: string, seconds: number])[] = [['d', 86_400], ['h', 3600], ['min', 60], ['s', 1]]

/** A value of a view, for people. */
export function format(value: Value | undefined, unit: Unit): string {
  if (value === null || value === undefined) return '–'
  if (Array.isArray(value)) return value.map(inner => format(inner as Value, 'text')).join(', ')
  if (typeof value !== 'number') return typeof value === 'object' ? JSON.stringify(value) : String(value)
  switch (unit) {
    case 'count': return COUNT.format(value)
    case 'cost': return cost(value)
    case 'share': return value === 0 || value === 1 ? `${value * 100} %` : `${(value * 100).toFixed(value < 0.01 ? 2 : 1)} %`
    case 'seconds': return seconds(value)
    case 'bytes': return bytes(value)
    case 'time': return time(value)
    default: return String(value)
  }
}

/** Money: of small amounts the digits that say something. */
export function cost(value: number): string {
  return value === 0 || value >= 1 ? value.toFixed(2) : value >= 0.0001 ? value.toFixed(4) : value.toExponential(1)
}

export function seconds(value: number): string {
  if (value >= 100) return `${value.toFixed(0)} s`
  if (value >= 1) return `${value.toFixed(2)} s`
  if (value >= 0.001) return `${(value * 1e3).toFixed(value >= 0.1 ? 0 : 1)} ms`
  return value === 0 ? '0' : `${(value * 1e6).toFixed(0)} µs`
}

/** How long something has been running: `3 d 4 h`, `12 min`. */
export function age(value: number): string {
  const parts = AGES.map(([unit, length], index) => [Math.floor(value % (AGES[index - 1]?.[1] ?? Infinity) / length), unit] as const)
  const first = parts.findIndex(([count]) => count > 0)
  return first === -1 ? '0 s' : parts.slice(first, first + 2).filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`).join(' ')
}

export function bytes(value: number): string {
  let unit = 0
  let left = value
  while (left >= 1024 && unit < BYTES.length - 1) {
    left /= 1024
    unit++
  }
  return `${unit === 0 ? left : left.toFixed(1)} ${BYTES[unit]}`
}

/** Milliseconds since 1970, in this browser's zone. */
export function time(ms: number): string {
  const at = new Date(ms)
  const two = (part: number): string => String(part).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

/** How much more or less than before, e.g. `+12 %`. */
export function change(now: number, before: number): string {
  if (before === 0) return now === 0 ? '±0 %' : 'new'
  const share = (now - before) / before
  return `${share > 0 ? '+' : share < 0 ? '−' : '±'}${Math.abs(share * 100).toFixed(Math.abs(share) < 0.1 ? 1 : 0)} %`
}
