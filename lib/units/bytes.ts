const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1], ['b', 1],
  ['kb', 1000], ['mb', 1000 ** 2], ['gb', 1000 ** 3], ['tb', 1000 ** 4],
  ['k', 1024], ['m', 1024 ** 2], ['g', 1024 ** 3], ['t', 1024 ** 4],
  ['kib', 1024], ['mib', 1024 ** 2], ['gib', 1024 ** 3], ['tib', 1024 ** 4],
])

/**
 * Whole bytes of `64MiB` (powers of 1024), `1GB` (powers of 1000) or `512`.
 *
 * @throws {RangeError} when it is no such text or not a safe integer
 */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const unit = UNITS.get((match?.[2] ?? '?').toLowerCase())
  if (match === null || unit === undefined) {
    throw new RangeError(`Cannot read "${text}" as a size: write a number and a unit, e.g. 64MiB, 1GB or 4096`)
  }
  const bytes = Math.round(Number(match[1]) * unit)
  if (!Number.isSafeInteger(bytes)) throw new RangeError(`Cannot use the size "${text}": it is more than 8192TiB`)
  return bytes
}

const STEPS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** At most 3 digits before the unit, e.g. `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let step = 0
  while (value >= 1024 && step < STEPS.length - 1) {
    value /= 1024
    step++
  }
  const digits = step === 0 || value >= 100 ? 0 : 1
  return `${value.toFixed(digits)} ${STEPS[step] ?? 'B'}`
}
