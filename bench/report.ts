/**
 * docs/benchmarks.md, with a plot of each figure that is worth one: `node bench/report.ts`.
 *
 * Takes the tables of build/bench.json, the last run of `make bench`, into docs/benchmarks/figures.json, where they take the place of
 * older ones, and writes only what is there: a table at a time can be measured, and each says by which run it was, where and when.
 *
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { barPlot } from './harness/bar-plot.ts'
import { linePlot } from './harness/line-plot.ts'
import { machineLine } from './harness/machine.ts'
import { type BenchFigures, type BenchRun, withRun } from './harness/result.ts'
import { markdownSection } from './harness/table.ts'
import type { Table } from './harness/table.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const plots = `${root}docs/benchmarks`
const tracked = `${plots}/figures.json`
const last = `${root}build/bench.json`
const HEAD = `# Benchmarks

Made by \`make bench-report\` from the figures of \`make bench\`, each group of tables of one run, on the machine that it names. Absolute
figures belong to that machine; ratios are taken in turns within one run.`

if (!existsSync(last) && !existsSync(tracked)) {
  console.error('report: error: Cannot read build/bench.json; run "make bench" first, which measures and writes it')
  process.exit(1)
}
mkdirSync(plots, { recursive: true })
for (const name of readdirSync(plots)) if (name.endsWith('.svg')) rmSync(`${plots}/${name}`)
const known = existsSync(tracked) ? JSON.parse(readFileSync(tracked, 'utf8')) as BenchFigures : { version: 1 as const, runs: [] }
const figures = existsSync(last) ? withRun(known, JSON.parse(readFileSync(last, 'utf8')) as BenchRun) : known
writeFileSync(tracked, `${JSON.stringify(figures, null, 1)}\n`)
writeFileSync(`${root}docs/benchmarks.md`, `${[HEAD, ...figures.runs.map(report)].join('\n\n')}\n`)

function report({ time, machine, tables, ...run }: BenchRun): string {
  const command = run.arguments.length === 0 ? 'make bench' : `make bench ARGS='${run.arguments.join(' ')}'`
  const intro = `---\n\nMeasured by \`${command}\` on ${time.slice(0, 10)}. ${machineLine(machine)}`
  return [intro, ...tables.map(section)].join('\n\n')
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
