import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SlotLists } from './slot-lists.ts'

function contents(lists: SlotLists, list: number): number[] {
  const found: number[] = []
  for (let slot = lists.first(list); slot >= 0; slot = lists.after(slot)) found.push(slot)
  return found
}

test('lists keep the order of arrays under any appends, removals and touches', () => {
  const step = fc.record({ slot: fc.nat(9), list: fc.nat(2), what: fc.nat(2) })
  fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    const lists = new SlotLists(10, 3)
    const model: number[][] = [[], [], []]
    for (const { slot, list, what } of steps) {
      const at = model.findIndex((entries) => entries.includes(slot))
      if (at < 0) {
        lists.append(list, slot)
        model[list]!.push(slot)
      } else {
        model[at] = model[at]!.filter((entry) => entry !== slot)
        if (what === 0) lists.remove(slot)
        else {
          lists.touch(at, slot)
          model[at].push(slot)
        }
      }
      for (const each of [0, 1, 2]) assert.deepEqual(contents(lists, each), model[each])
    }
  }))
})
