import type { Figure } from './figure.ts'
import { columnIndex, escapeXml } from './plot.ts'
import type { Table } from './table.ts'

const LEFT = 70
const TOP = 40
const WIDTH = 540
const HEIGHT = 240
const LEGEND = 260
const STEPS = 5
/** Okabe and Ito's colours, which the colour-blind tell apart too. */
const COLOURS = ['#0072b2', '#009e73', '#cc79a7', '#56b4e9', '#8a7f00', '#7f7f7f', '#332288', '#44aa99']
const OWN = '#d55e00'

interface Line {
  readonly label: string
  readonly colour: string
  /** A figure for each column; undefined where the cell holds words. */
  readonly points: readonly (Figure | undefined)[]
}

/**
 * Rows of a table as lines over some of its columns, from 0, a point for each median and a stroke from the least to the
 * most, as SVG. Undefined when there is no figure, or there is more than one unit. Works on light and dark pages.
 */
export function linePlot(table: Table, title: string, columns: readonly string[]): string | undefined {
  const indexes = columns.map((column) => columnIndex(table, column))
  const lines = linesOf(table, indexes)
  const figures = lines.flatMap(({ points }) => points.filter((point) => point !== undefined))
  const unit = figures[0]?.unit
  if (unit === undefined || figures.some((figure) => figure.unit !== unit)) return undefined
  const top = niceTop(Math.max(...figures.map(({ max }) => max)))
  const width = LEFT + WIDTH + LEGEND
  const height = TOP + Math.max(HEIGHT + 40, lines.length * 20 + 20)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" `
      + `role="img" aria-label="${escapeXml(title)}">`,
    '<style>text{font:13px sans-serif;fill:#24292f}.grid{stroke:#8c959f;stroke-width:.5}',
    '@media(prefers-color-scheme:dark){text{fill:#e6edf3}}</style>',
    `<text x="4" y="20" font-weight="bold">${escapeXml(title)}</text>`,
    ...Array.from({ length: STEPS + 1 }, (_, step) => gridLine(top * step / STEPS, top, unit)),
    ...columns.map((column, index) => (
      `<text x="${x(index, columns.length)}" y="${TOP + HEIGHT + 20}" text-anchor="middle">${escapeXml(column)}</text>`)),
    ...lines.map((line, row) => legend(line, row)),
    // Its own line last, so that none lies over it.
    ...lines.toSorted((a, b) => Number(a.colour === OWN) - Number(b.colour === OWN)).map((line) => draw(line, top)),
    '</svg>', '',
  ].join('\n')
}

function linesOf(table: Table, indexes: readonly number[]): Line[] {
  return table.rows.map((row, place) => {
    const label = typeof row[0] === 'string' ? row[0] : ''
    const cells = indexes.map((index) => row[index])
    return {
      label,
      colour: label.startsWith('lintel') ? OWN : COLOURS[place % COLOURS.length]!,
      points: cells.map((cell) => (cell === undefined || typeof cell === 'string' ? undefined : cell)),
    }
  })
}

/** The next of 1, 2, 5 times a power of ten; a hair above one of them is that one. */
function niceTop(most: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, Number.MIN_VALUE)))
  return [1, 2, 5, 10].map((step) => step * power).find((top) => most <= top * 1.02) ?? most
}

function x(index: number, count: number): string {
  return (LEFT + WIDTH * (index + 0.5) / count).toFixed(1)
}

function y(value: number, top: number): string {
  return (TOP + HEIGHT * (1 - value / top)).toFixed(1)
}

function gridLine(value: number, top: number, unit: string): string {
  const at = y(value, top)
  return `<line class="grid" x1="${LEFT}" x2="${LEFT + WIDTH}" y1="${at}" y2="${at}"/>`
    + `<text x="${LEFT - 6}" y="${Number(at) + 4}" text-anchor="end">${Number(value.toPrecision(3))} ${escapeXml(unit)}</text>`
}

function legend({ label, colour }: Line, row: number): string {
  const at = TOP + 10 + row * 20
  return `<line x1="${LEFT + WIDTH + 14}" x2="${LEFT + WIDTH + 34}" y1="${at}" y2="${at}" stroke="${colour}" stroke-width="3"/>`
    + `<text x="${LEFT + WIDTH + 40}" y="${at + 4}">${escapeXml(label)}</text>`
}

function draw({ colour, points }: Line, top: number): string {
  const places = points.flatMap((point, index) => (point === undefined ? [] : [{ point, at: x(index, points.length) }]))
  const path = places.map(({ point, at }) => `${at},${y(point.median, top)}`).join(' ')
  return `<g stroke="${colour}" fill="${colour}"><polyline points="${path}" fill="none" stroke-width="${colour === OWN ? 3 : 1.5}"/>`
    + places.map(({ point, at }) => `<line x1="${at}" x2="${at}" y1="${y(point.min, top)}" y2="${y(point.max, top)}"/>`
      + `<circle cx="${at}" cy="${y(point.median, top)}" r="3"/>`).join('') + '</g>'
}
