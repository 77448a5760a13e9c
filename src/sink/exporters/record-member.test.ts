import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { memberPath, memberValue } from './record-member.ts'

function value(record: unknown, field: string): string | undefined {
  return memberValue(Buffer.from(JSON.stringify(record)), memberPath(field))?.toString()
}

test('a field is found by its place, not by its name alone', () => {
  const record = { event: { address: 'no', client: { address: 'no' } }, client: { real: '"address":"no"', address: '192.0.2.7', port: 4 }, trace: { id: 'ab' } }
  assert.equal(value(record, 'client.address'), '192.0.2.7')
  assert.equal(value(record, 'client.port'), '4')
  assert.equal(value(record, 'trace.id'), 'ab')
  assert.equal(value(record, 'address'), undefined)
  assert.equal(value(record, 'client.address.x'), undefined)
  assert.equal(value({}, 'client.address'), undefined)
  assert.equal(value({ client: {} }, 'client.address'), undefined)
  assert.equal(value({ client: null }, 'client.address'), undefined)
  assert.equal(value({ client: { address: null } }, 'client.address'), undefined)
})

test('of a header its first value, whatever is in its name', () => {
  const record = { http: { request: { header: { 'x.y': ['a"\\\u0000b', 'c'], 'x"z': [''], none: [] } } } }
  assert.equal(value(record, 'http.request.header.x.y'), 'a"\\\u0000b')
  assert.equal(value(record, 'http.request.header.x"z'), '')
  assert.equal(value(record, 'http.request.header.none'), undefined)
})

test('what JSON.parse finds is found in any record', () => {
  const name = fc.constantFrom('a', 'b', 'client', 'x"y', '\\', 'é')
  const leaf = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.string(), { maxLength: 3 }))
  const tree = fc.letrec<{ node: unknown }>(tie => ({
    node: fc.oneof({ depthSize: 'small' }, leaf, fc.dictionary(name, tie('node'), { noNullPrototype: true })),
  })).node
  fc.assert(fc.property(fc.dictionary(name, tree, { noNullPrototype: true }), fc.array(name, { minLength: 1, maxLength: 3 }), (record, path) => {
    let wanted: unknown = JSON.parse(JSON.stringify(record))
    for (const step of path) wanted = typeof wanted === 'object' && wanted !== null && !Array.isArray(wanted) ? (wanted as Record<string, unknown>)[step] : undefined
    const first = Array.isArray(wanted) ? wanted[0] as unknown : wanted
    const expected = first === undefined || first === null ? undefined : typeof first === 'string' ? Buffer.from(first).toString() : JSON.stringify(first)
    const found = memberValue(Buffer.from(JSON.stringify(record)), path.map(step => Buffer.from(JSON.stringify(step))))?.toString()
    assert.equal(found, expected)
  }), { numRuns: 300 })
})
