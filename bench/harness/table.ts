import { showFigure } from './figure.ts'
import type { Cell } from './figure.ts'

/** A column of a table to be drawn as bars, one bar a row; or columns as points, one line a row. */
export type Plot = BarPlot | LinePlot

export interface BarPlot {
  readonly title: string
  readonly column: string
}

export interface LinePlot {
  readonly title: string
  readonly columns: readonly string[]
}

/** What one question gave: figures with everything a stranger needs to weigh them. */
export interface Table {
  /** Its name on the command line, and of its plots. */
  readonly name: string
  readonly title: string
  /** Sentences: the load, what each column means, what is not in it. */
  readonly about: readonly string[]
  readonly columns: readonly string[]
  /** The first cells of a row, up to the first figure, name it. */
  readonly rows: readonly (readonly Cell[])[]
  readonly plots: readonly Plot[]
}

/** The table as Markdown. */
function markdownTable({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map((row) => line(row.map(showFigure)))].join('\n')
}

/** Title, what was done, and the figures. */
export function markdownSection(table: Table): string {
  return [`## ${table.title}`, '', ...table.about, '', markdownTable(table)].join('\n')
}
