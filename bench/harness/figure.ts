/** One measured figure: the median of its rounds and how far they lie apart. */
export interface Figure {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly rounds: number
  readonly unit: string
}

/** What a cell of a table holds: a figure, or words that say why there is none. */
export type Cell = Figure | string

/** The figure of some rounds; rounds that gave none (NaN) do not count. Without any it is a dash. */
export function figure(values: readonly number[], unit: string): Cell {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  if (sorted.length === 0) return '-'
  return { median: percentile(sorted, 0.5), min: sorted[0]!, max: sorted.at(-1)!, rounds: sorted.length, unit }
}

/** The value below which the share lies, of sorted values; between two ranks it is interpolated. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  const rank = (sorted.length - 1) * share
  const low = sorted[Math.floor(rank)] ?? Number.NaN
  const high = sorted[Math.ceil(rank)] ?? Number.NaN
  return low + (high - low) * (rank - Math.floor(rank))
}

export function medianOf(values: readonly number[]): number {
  const cell = figure(values, '')
  return typeof cell === 'string' ? Number.NaN : cell.median
}

/** `41200 (39800..43100)`: the median, and in brackets the least and the most when there is more than one round. */
export function showFigure(cell: Cell): string {
  if (typeof cell === 'string') return cell
  const digits = digitsOf(cell)
  const show = (value: number): string => value.toFixed(digits)
  const median = cell.unit === '' ? show(cell.median) : `${show(cell.median)} ${cell.unit}`
  return cell.rounds > 1 ? `${median} (${show(cell.min)}..${show(cell.max)})` : median
}

/** Three figures that count, two places for shares, none that the measurement cannot give. */
function digitsOf({ median, unit }: Figure): number {
  if (unit === '%' || unit === '') return 2
  const size = Math.abs(median)
  return size >= 100 ? 0 : size >= 10 ? 1 : 2
}
