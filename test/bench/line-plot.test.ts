import assert from 'node:assert/strict'
import { test } from 'node:test'
import { figure } from '../../bench/harness/figure.ts'
import { linePlot } from '../../bench/harness/line-plot.ts'
import type { Table } from '../../bench/harness/table.ts'

const COLUMNS = ['1,000 /s', 'saturating']

function tableOf(rows: Table['rows']): Table {
  return { name: 'rate', title: '', about: [], columns: ['tool', ...COLUMNS], rows, plots: [] }
}

test('a line for each row, its points in the order of the columns, from 0 to the next round figure', () => {
  const svg = linePlot(tableOf([
    ['lintel', figure([100, 100.01], '%'), figure([100], '%')],
    ['a & b', figure([50], '%'), figure([0], '%')],
  ]), 'Kept', COLUMNS)
  const lines = [...svg!.matchAll(/<polyline points="([^"]+)"/g)].map(([, points]) => (
    points!.split(' ').map((point) => point.split(',').map(Number) as [number, number])))
  assert.equal(lines.length, 2)
  const [other, own] = lines // its own is drawn last
  assert.equal(own![0]![0], other![0]![0])
  assert.ok(own![0]![0] < own![1]![0])
  const [top, bottom] = [own![1]![1], other![1]![1]]
  assert.equal(other![0]![1], (top + bottom) / 2)
  assert.match(svg!, />100 %</)
  assert.match(svg!, />a &amp; b</)
})

test('a cell of words leaves its point out; without figures, or with two units, there is no plot', () => {
  const svg = linePlot(tableOf([['a', '-', figure([3], '%')]]), 'Kept', COLUMNS)
  assert.equal(/<polyline points="([^"]+)"/.exec(svg!)![1]!.split(' ').length, 1)
  assert.equal(linePlot(tableOf([['a', '-', '-']]), 'Kept', COLUMNS), undefined)
  assert.equal(linePlot(tableOf([['a', figure([1], '%'), figure([1], '/s')]]), 'Kept', COLUMNS), undefined)
  assert.throws(() => linePlot(tableOf([]), 'Kept', ['none']), /has no such column/)
})
