const UNITS: ReadonlyMap<string, number> = new Map([
  ['us', 0.001], ['ms', 1], ['s', 1000], ['m', 60_000], ['min', 60_000], ['h', 3_600_000], ['d', 86_400_000],
])
/** setTimeout takes no more than 2^31 - 1 ms; nothing here needs longer than 10 years. */
const MS_MAX = 3650 * 86_400_000

/**
 * Milliseconds of `500ms`, `10s`, `1h30m`, `7d`.
 *
 * @throws {RangeError} when it is no such text; a bare number has no unit and is refused
 */
export function parseDuration(text: string): number {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)([a-z]+)/gi)]
  const whole = parts.map(part => part[0]).join('')
  let ms = 0
  for (const [, number, unit] of parts) ms += Number(number) * (UNITS.get((unit ?? '').toLowerCase()) ?? Number.NaN)
  if (parts.length === 0 || whole !== text.trim() || Number.isNaN(ms)) {
    throw new RangeError(`Cannot read "${text}" as a duration: write numbers and units, e.g. 500ms, 10s, 1h30m or 7d`)
  }
  if (ms > MS_MAX) throw new RangeError(`Cannot use the duration "${text}": it is more than 3650d`)
  return ms
}

/** Two units at most, e.g. `1h30m`, `12s`, `0.34ms`. */
export function formatDuration(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)}ms`
  if (ms < 10) return `${ms.toFixed(1)}ms`
  if (ms < 1000) return `${Math.round(ms)}ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)}s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return `${minutes}m${Math.floor((ms % 60_000) / 1000)}s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours}h${minutes % 60}m` : `${Math.floor(hours / 24)}d${hours % 24}h`
}
