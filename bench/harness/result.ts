import type { Machine } from './machine.ts'
import type { Table } from './table.ts'

/** One run of `make bench`: what build/bench.json holds. */
export interface BenchRun {
  /** When it began, RFC 3339. */
  readonly time: string
  readonly machine: Machine
  /** What `make bench` was given as ARGS. */
  readonly arguments: readonly string[]
  readonly tables: readonly Table[]
}

/** The runs whose tables stand in docs/benchmarks.md, the oldest first: what docs/benchmarks/figures.json holds. */
export interface BenchFigures {
  readonly version: 1
  readonly runs: readonly BenchRun[]
}

/** The figures with those of one more run, whose tables take the place of older ones; a run without any left is gone. */
export function withRun({ runs }: BenchFigures, run: BenchRun): BenchFigures {
  const isNew = new Set(run.tables.map(({ name }) => name))
  const older = runs.filter(({ time }) => time !== run.time)
    .map(each => ({ ...each, tables: each.tables.filter(({ name }) => !isNew.has(name)) })).filter(({ tables }) => tables.length > 0)
  return { version: 1, runs: [...older, run].sort((a, b) => a.time < b.time ? -1 : 1) }
}
