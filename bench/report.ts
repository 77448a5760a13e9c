/**
 * docs/benchmarks.md, with a plot of each figure that is worth one, from build/bench.json: `node bench/report.ts`.
 *
 * Writes only what a run of `make bench` measured; the plots go to docs/benchmarks/.
 *
 * @module
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { barPlot } from './harness/bar-plot.ts'
import { linePlot } from './harness/line-plot.ts'
import { machineLine } from './harness/machine.ts'
import type { BenchResult } from './harness/result.ts'
import { markdownSection } from './harness/table.ts'
import type { Table } from './harness/table.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const plots = `${root}docs/benchmarks`

let text: string
try {
  text = readFileSync(`${root}build/bench.json`, 'utf8')
} catch {
  console.error('report: error: Cannot read build/bench.json; run "make bench" first, which measures and writes it')
  process.exit(1)
}
const result = JSON.parse(text) as BenchResult
rmSync(plots, { recursive: true, force: true })
mkdirSync(plots, { recursive: true })
writeFileSync(`${root}docs/benchmarks.md`, report(result))

function report({ time, machine, tables, ...result }: BenchResult): string {
  const command = result.arguments.length === 0 ? 'make bench' : `make bench ARGS='${result.arguments.join(' ')}'`
  const intro = [
    '# Benchmarks', '',
    `Measured by \`${command}\` on ${time.slice(0, 10)}; this file is made from its figures by`,
    '`make bench-report`. Absolute figures belong to this machine; ratios are taken in turns within one run.', '',
    machineLine(machine),
  ]
  return `${[intro.join('\n'), ...tables.map(section)].join('\n\n')}\n`
}

function section(table: Table): string {
  const images = table.plots.flatMap((plot) => {
    const isLines = 'columns' in plot
    const svg = isLines ? linePlot(table, plot.title, plot.columns) : barPlot(table, plot.title, plot.column)
    if (svg === undefined) return []
    const name = isLines ? `${table.name}.svg` : `${table.name}-${slug(plot.column)}.svg`
    writeFileSync(`${plots}/${name}`, svg)
    return [`![${plot.title}](benchmarks/${name})`]
  })
  return [markdownSection(table), ...images].join('\n\n')
}

function slug(column: string): string {
  return column.toLowerCase().replaceAll('÷', 'by').replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '')
}
