import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RowTable } from './row-table.ts'

test('RowTable keeps each row as it was written, whatever is taken and given back beside it', () => {
  const rows = new RowTable(24)
  const model = new Map<number, number>()
  let state = 5
  const random = (below: number): number => (state = Number((BigInt(state) * 48271n) % 0x7fffffffn)) % below
  let made = 0
  for (let step = 0; step < 50_000; step++) {
    const isUp = random(100) < ((step >> 13) % 2 === 0 ? 70 : 30)
    if (isUp) {
      const row = rows.take()
      assert.ok(!model.has(row))
      const at = rows.seek(row)
      rows.view.setFloat64(at, step, true)
      rows.view.setFloat64(at + 16, -step, true)
      model.set(row, step)
      made = Math.max(made, model.size)
    } else if (model.size > 0) {
      const row = [...model.keys()][random(Math.min(model.size, 7))]!
      const at = rows.seek(row)
      assert.deepEqual([rows.view.getFloat64(at, true), rows.view.getFloat64(at + 16, true)], [model.get(row), -model.get(row)!])
      rows.give(row)
      model.delete(row)
    }
    assert.equal(rows.size, model.size)
  }
  assert.ok(made > 2000)
  // What was given back is used again: no row beyond the most that were taken at once.
  assert.ok(Math.max(...model.keys()) < made)
})
