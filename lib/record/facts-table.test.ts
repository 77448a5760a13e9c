import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../bytes/mod.ts'
import * as L from '../../wasm/layout.ts'
import { FactsTable, FieldTable, RecordView, RecordWriter } from './mod.ts'
import type { FieldSpec, RecordSpan } from './mod.ts'

const FIELDS: FieldSpec[] = [{ name: 'kind', type: 'string' }, { name: 'owner.name', type: 'string' }, { name: 'owner.id', type: 'int' }]
const memory = new ByteMemory()
const table = new FieldTable(memory, FIELDS)
const view = new RecordView(memory, table)
const other = memory.reserve(4096)

function facts(countMax = 4, protect: (raw: RecordSpan) => RecordSpan = (raw) => raw): FactsTable {
  return new FactsTable({ memory, writer: new RecordWriter(memory, table), protect, countMax })
}

function entries(record: number): [string, unknown][] {
  return [...view.at(record)].map(([id, value]) => [table.field(id).name, value])
}

test('facts are held raw and behind the wall, and given back with the last reference', () => {
  const before = memory.allocator.allocatedBytes()
  const kept = facts()
  const block = kept.add((writer) => {
    writer.string(2, 'nginx')
    writer.int(3, 42)
  })
  const raw = entries(block + L.FACTS_RAW)
  assert.deepEqual(raw.map(([name]) => name), ['owner.name', 'owner.id'])
  assert.deepEqual(entries(memory.u32[(block + L.FACTS_SAFE) >>> 2]!), raw)
  kept.retain(block)
  kept.release(block)
  assert.equal(kept.size, 1)
  kept.release(block)
  assert.equal(kept.size, 0)
  assert.equal(memory.allocator.allocatedBytes(), before)
})

test('a slot holds one reference: what stood there before is released', () => {
  const before = memory.allocator.allocatedBytes()
  const kept = facts()
  const slot = other
  memory.u32[slot >>> 2] = 0
  const [first, second] = ['a', 'b'].map((name) => kept.add((writer) => { writer.string(2, name) })) as [number, number]
  kept.setSlot(slot, first)
  kept.release(first)
  assert.equal(kept.size, 2)
  kept.setSlot(slot, second)
  kept.setSlot(slot, second)
  assert.equal(kept.size, 1)
  kept.release(second)
  assert.equal(memory.u32[slot >>> 2], second)
  kept.releaseSlots(slot, 1)
  assert.equal(memory.u32[slot >>> 2], 0)
  assert.equal(memory.allocator.allocatedBytes(), before)
})

test('what is over the bound, or too long, is refused and counted', () => {
  const kept = facts(1)
  const block = kept.add((writer) => { writer.int(3, 1) })
  assert.notEqual(block, 0)
  assert.equal(kept.add((writer) => { writer.int(3, 2) }), 0)
  kept.release(block)
  assert.equal(kept.add((writer) => { writer.string(2, 'x'.repeat(70_000)) }), 0)
  assert.equal(kept.refused, 2)
})

test('new rules of the wall reach what is held; facts that it refuses are in no record', () => {
  let isHidden = false
  const kept = facts(4, (raw) => (isHidden ? { pointer: raw.pointer, length: 0 } : raw))
  const block = kept.add((writer) => { writer.int(3, 7) })
  const safe = (block + L.FACTS_SAFE) >>> 2
  assert.notEqual(memory.u32[safe], 0)
  isHidden = true
  kept.protectAll()
  assert.equal(memory.u32[safe], 0)
  assert.equal(kept.refused, 1)
  isHidden = false
  kept.protectAll()
  assert.notEqual(memory.u32[safe], 0)
  kept.release(block)
})

test('a writer copies the raw entries into a record, between others', () => {
  const kept = facts()
  const block = kept.add((writer) => { writer.int(3, 9) })
  const writer = new RecordWriter(memory, table)
  writer.begin(L.KIND_CONNECTION, other, 4096)
  writer.string(1, 'connection')
  writer.copy(block + L.FACTS_RAW)
  assert.notEqual(writer.end(), 0)
  assert.deepEqual(entries(other).map(([name]) => name), ['kind', 'owner.id'])
  kept.release(block)
})
