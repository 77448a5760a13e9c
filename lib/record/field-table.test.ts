import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../bytes/mod.ts'
import { FieldTable, RecordView, RecordWriter } from './mod.ts'
import type { FieldSpec } from './mod.ts'

const memory = new ByteMemory()

function table(...names: string[]): FieldTable {
  return new FieldTable(memory, names.map((name): FieldSpec => ({ name, type: 'int' })))
}

test('a name that is a field and a group is refused', () => {
  assert.throws(() => table('a.b', 'a.b.c'), /Cannot nest under "a.b": it is a field and a group/)
  assert.throws(() => table('a.b.c', 'a.b'), /field and a group/)
})

test('a group that is broken in two is refused', () => {
  assert.throws(() => table('a.b', 'c', 'a.d'), /Cannot nest field "a.d": other fields stand between/)
  assert.throws(() => table('a.b.c', 'a.d', 'a.b.e'), /rest of "a.b"/)
  assert.doesNotThrow(() => table('a.b.c', 'a.b.e', 'a.d', 'c'))
})

test('a name twice, an empty word and nine levels are refused', () => {
  assert.throws(() => table('a', 'a'), /there already/)
  assert.throws(() => table('a..b'), /Cannot nest field "a..b"/)
  assert.throws(() => table(''), /Cannot nest field ""/)
  assert.throws(() => table('a.b.c.d.e.f.g.h.i'), RangeError)
})

test('ids are places in the list, from 1', () => {
  const three = table('a', 'b.c', 'b.d')
  assert.equal(three.id('b.d'), 3)
  assert.equal(three.field(2).name, 'b.c')
  assert.throws(() => three.id('nope'), /Cannot find field "nope"/)
  assert.throws(() => three.field(4), /Cannot find field 4/)
})

test('the writer refuses the wrong type, the wrong order and what does not fit', () => {
  const fields = new FieldTable(memory, [{ name: 'a', type: 'int' }, { name: 'b', type: 'string' }])
  const writer = new RecordWriter(memory, fields)
  const record = memory.reserve(256)
  writer.begin(1, record, 64)
  assert.throws(() => writer.string(1, 'x'), /Cannot write field "a" as string: it is int/)
  writer.string(2, 'x')
  assert.throws(() => writer.int(1, 1), /ascending id/)
  assert.throws(() => writer.begin(1, record + 4, 64), /multiple of 8/)

  memory.u8.fill(0xa5, record, record + 256)
  writer.begin(1, record, 64)
  writer.string(2, 'x'.repeat(49))
  assert.equal(writer.end(), 0)
  assert.ok(memory.u8.subarray(record + 64, record + 256).every((byte) => byte === 0xa5))
  writer.begin(1, record, 64)
  writer.string(2, 'x'.repeat(48))
  assert.equal(writer.end(), 64)
})

test('the view finds fields, their flags, single headers, and walks in ascending id', () => {
  const fields = new FieldTable(memory, [{ name: 'a', type: 'int' }, { name: 'b', type: 'string' },
    { name: 'c', type: 'headers' }, { name: 'd', type: 'marks' }], ['first', 'second'])
  const writer = new RecordWriter(memory, fields)
  const record = memory.reserve(512)
  writer.begin(3, record, 512)
  writer.int(1, -5)
  writer.string(2, 'x', 1)
  writer.headers(3, [{ name: 'k', value: '1' }, { name: 'j', value: 'é' }, { name: 'k', value: '2' }])
  writer.marks(4, [[2, 2], [1, 1], [2, 1], [99, 1], [1, 99]])
  assert.ok(writer.end() > 0)
  const view = new RecordView(memory, fields).at(record)
  assert.deepEqual([...view], [[1, -5], [2, 'x'], [3, new Map([['k', ['1', '2']], ['j', ['é']]])],
    [4, new Map([['b', 'second'], ['a', 'first']])]])
  assert.equal(view.flags(2), 1)
  assert.equal(view.flags(1), 0)
  assert.equal(view.header(3, 'j'), 'é')
  assert.equal(view.header(3, 'nope'), undefined)
  assert.equal(view.get(5), undefined)
})
