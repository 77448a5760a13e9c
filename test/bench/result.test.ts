import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BenchFigures, type BenchRun, withRun } from '../../bench/harness/result.ts'
import type { Table } from '../../bench/harness/table.ts'

const run = (time: string, ...names: string[]): BenchRun => ({
  time, machine: { cpu: time, cores: 2, memoryGiB: 1, kernel: '', system: '', node: '', packages: {}, commit: '', loadBefore: 0 }, arguments: [],
  tables: names.map((name): Table => ({ name, title: name, about: [], columns: [], rows: [], plots: [] })),
})
const names = ({ runs }: BenchFigures): string[] => runs.map(({ time, tables }) => `${time}: ${tables.map(({ name }) => name).join(' ')}`)

test('a run takes the place of older tables of its names, and the rest stays with the run that it is of', () => {
  const first = withRun({ version: 1, runs: [] }, run('2026-01-01', 'saturation', 'kernel'))
  const second = withRun(first, run('2026-01-02', 'store'))
  assert.deepEqual(names(second), ['2026-01-01: saturation kernel', '2026-01-02: store'])
  assert.deepEqual(names(withRun(second, run('2026-01-03', 'kernel'))), ['2026-01-01: saturation', '2026-01-02: store', '2026-01-03: kernel'])
  assert.deepEqual(names(withRun(second, run('2026-01-03', 'kernel', 'store', 'saturation'))), ['2026-01-03: kernel store saturation'])
  assert.deepEqual(names(withRun(second, run('2026-01-02', 'store'))), names(second), 'the same run twice is once there')
})
