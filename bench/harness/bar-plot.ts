import type { Figure } from './figure.ts'
import { showFigure } from './figure.ts'
import { columnIndex, escapeXml } from './plot.ts'
import type { Table } from './table.ts'

const LABEL_WIDTH = 300
const BAR_WIDTH = 360
const VALUE_WIDTH = 210
const ROW_HEIGHT = 26
const TOP = 34

/**
 * One column of a table as horizontal bars from 0, with a line from the least to the most, as SVG. Undefined when no row
 * has a figure in it, or the figures have more than one unit. Works on light and dark pages.
 */
export function barPlot(table: Table, title: string, column: string): string | undefined {
  const index = columnIndex(table, column)
  const bars = table.rows.flatMap((row) => {
    const cell = row[index]
    return cell === undefined || typeof cell === 'string' ? [] : [{ label: labelOf(table, row), figure: cell }]
  })
  if (bars.length === 0 || new Set(bars.map(({ figure }) => figure.unit)).size > 1) return undefined
  const most = Math.max(...bars.map(({ figure }) => figure.max), Number.MIN_VALUE)
  const width = LABEL_WIDTH + BAR_WIDTH + VALUE_WIDTH
  const height = TOP + bars.length * ROW_HEIGHT + 8
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" `
      + `role="img" aria-label="${escapeXml(title)}">`,
    '<style>text{font:13px sans-serif;fill:#24292f}.bar{fill:#4c8bf5}.own{fill:#e8710a}line{stroke:#24292f;stroke-width:1.5}',
    '@media(prefers-color-scheme:dark){text{fill:#e6edf3}line{stroke:#e6edf3}}</style>',
    `<text x="4" y="20" font-weight="bold">${escapeXml(title)}</text>`,
    ...bars.map(({ label, figure }, row) => bar(label, figure, TOP + row * ROW_HEIGHT, BAR_WIDTH / most)),
    '</svg>', '',
  ].join('\n')
}

function bar(label: string, figure: Figure, top: number, scale: number): string {
  const x = (value: number): string => (LABEL_WIDTH + Math.max(0, value) * scale).toFixed(1)
  const length = (Math.max(0, figure.median) * scale).toFixed(1)
  const middle = top + ROW_HEIGHT / 2
  const own = label.startsWith('lintel') || label.endsWith(', Lintel') ? 'own' : 'bar'
  return [
    `<text x="${LABEL_WIDTH - 8}" y="${middle + 4}" text-anchor="end">${escapeXml(label)}</text>`,
    `<rect class="${own}" x="${LABEL_WIDTH}" y="${top + 4}" width="${length}" height="${ROW_HEIGHT - 8}"/>`,
    `<line x1="${x(figure.min)}" x2="${x(figure.max)}" y1="${middle}" y2="${middle}"/>`,
    `<text x="${LABEL_WIDTH + BAR_WIDTH + 8}" y="${middle + 4}">${escapeXml(showFigure(figure))}</text>`,
  ].join('')
}

/** The first cell, and what tells this row from others with the same. */
function labelOf(table: Table, row: Table['rows'][number]): string {
  const [first, second] = row.map((cell) => (typeof cell === 'string' ? cell : ''))
  const isUnique = table.rows.filter((each) => each[0] === row[0]).length === 1
  if (isUnique) return first ?? ''
  return table.columns[1] === 'Lintel' ? `${first}, ${second === 'yes' ? 'Lintel' : 'bare'}` : `${first}, ${second}`
}
