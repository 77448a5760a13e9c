import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LINE_BYTES_MAX, LineArea } from './line-area.ts'
import { MemberPicker } from './member-picker.ts'
import type { PickedMember } from './member-table.ts'

const area = new LineArea()

function picked(members: readonly (string | PickedMember)[], line: string): { values: (string | undefined)[], rest: string } | undefined {
  const picker = new MemberPicker(area, members.map(member => typeof member === 'string' ? { name: member } : member))
  if (!picker.pick(Buffer.from(line))) return undefined
  return { values: members.map((_, index) => picker.json(index)), rest: picker.restJson }
}

test('members are found by their names, and the rest keeps the order of the line', () => {
  const line = '{"a":1,"b":{"c":"x","d":{"e":[1,{"f":2}],"g":null},"h":true},"i":{"j":-1.5e3}}'
  assert.deepEqual(picked(['b.c', 'b.d.g', 'i.j', 'missing', 'b.d.missing'], line),
    { values: ['"x"', 'null', '-1.5e3', undefined, undefined], rest: '{"a":1,"b":{"d":{"e":[1,{"f":2}]},"h":true}}' })
  assert.deepEqual(picked(['a', 'b.d', 'b.h'], line), { values: ['1', '{"e":[1,{"f":2}],"g":null}', 'true'], rest: '{"b":{"c":"x"},"i":{"j":-1.5e3}}' })
  assert.deepEqual(picked(['a'], '{"a":1}'), { values: ['1'], rest: '{}' })
  assert.deepEqual(picked(['a.b'], '{}'), { values: [undefined], rest: '{}' })
  assert.deepEqual(picked(['a.b.c'], '{"a":{"b":{"c":{}}},"z":0}'), { values: ['{}'], rest: '{"z":0}' })
})

test('a member that stays is told and left; a group that is no object is left', () => {
  assert.deepEqual(picked([{ name: 'a.b', stays: true }, 'a.c'], '{"a":{"b":1,"c":2}}'), { values: ['1', '2'], rest: '{"a":{"b":1}}' })
  assert.deepEqual(picked(['a.b'], '{"a":"b","c":[]}'), { values: [undefined], rest: '{"a":"b","c":[]}' })
})

test('numbers keep their digits, texts their escapes, and what looks like a member inside a text is none', () => {
  const line = String.raw`{"n":12345678901234567890,"t":"\"}\\","x":"{\"n\":1,\"t\":\"","u":"é😀\u0000","a":["\"]}","\\",",\"n\":2"]}`
  assert.deepEqual(picked(['n', 't', 'u'], line), {
    values: ['12345678901234567890', String.raw`"\"}\\"`, String.raw`"é😀\u0000"`],
    rest: String.raw`{"x":"{\"n\":1,\"t\":\"","a":["\"]}","\\",",\"n\":2"]}`,
  })
})

test('values that are not fit stay in the rest', () => {
  const fits = (fit: 'word' | 'ipv4' | 'ip', json: string): boolean => picked([{ name: 'v', fit }], `{"v":${json}}`)?.values[0] === json
  for (const json of ['"x"', '""', '0', '-1', '7.5']) assert.ok(fits('word', json), json)
  for (const json of ['true', 'false', 'null', '[1]', '{"a":1}']) assert.ok(!fits('word', json), json)
  for (const json of ['"1.2.3.4"', '"255.255.255.255"']) assert.ok(fits('ipv4', json) && fits('ip', json), json)
  for (const json of ['"1.2.3"', '"1.2.3.4.5"', '"1234.1.1.1"', '"1.2.3.a"', '"1.2.3.4 "', '"hash:abc"', '""', '1', '"::1"']) assert.ok(!fits('ipv4', json), json)
  for (const json of ['"::1"', '"fe80::1"', '"::ffff:1.2.3.4"']) assert.ok(fits('ip', json), json)
  for (const json of ['"hmac:12"', '"abc"', '"1.2"', '":g"', '["::1"]']) assert.ok(!fits('ip', json), json)
})

test('what is not in the encoder\'s form is told, never misread', () => {
  for (const line of ['', '{', '[]', '1', '{"a"}', '{"a":}', '{"a":1', '{"a":1,}', '{"a":1}x', '{"a": 1,"b":2}x', '{ "a":1}', '{"a":1 ,"b":"x"} ', '{"a":"x}', '{"a":{"b":1}',
    String.raw`{"\u0061":1}`, String.raw`{"a":"\"}`, '{"a":[1}']) {
    const found = picked(['a.b', 'c'], line)
    assert.ok(found === undefined || found.rest === line, `${line} gave ${JSON.stringify(found)}`)
  }
})

test('lines of 16 bytes more or less, of a mebibyte, and too long ones', () => {
  for (let length = 0; length < 70; length++) {
    const text = `"${'x'.repeat(length)}\\""`
    assert.deepEqual(picked(['b'], `{"a":${text},"b":${text},"c":${text}}`), { values: [text], rest: `{"a":${text},"c":${text}}` })
  }
  const long = `"${'y'.repeat(1024 * 1024)}"`
  assert.deepEqual(picked(['b'], `{"a":${long},"b":${long}}`), { values: [long], rest: `{"a":${long}}` })
  assert.equal(picked(['b'], `{"a":"${'z'.repeat(LINE_BYTES_MAX)}"}`), undefined)
})

test('names that cannot be held apart are refused', () => {
  assert.throws(() => picked(['a.b', 'a'], '{}'), /Cannot pick "a": "a" is picked already/)
  assert.throws(() => picked(['a', 'a.b'], '{}'), /Cannot pick "a.b": "a" is picked already/)
  assert.throws(() => picked(['a.b', 'a.b'], '{}'), /picked already/)
  assert.throws(() => picked(['a.b.c.d.e.f.g.h.i.j'], '{}'), /more than 9 words/)
})

test('any record gives the same as a walk over its objects', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'key', 'a_longer_key', 'header')
  const { record } = fc.letrec(tie => ({
    leaf: fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null), fc.array(fc.string())),
    record: fc.dictionary(key, fc.oneof({ maxDepth: 4, depthSize: 'small', withCrossShrink: true }, tie('leaf'), tie('record')), { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
  }))
  const names = fc.uniqueArray(fc.array(key, { minLength: 1, maxLength: 4 }).map(keys => keys.join('.')), { maxLength: 6 })
    .filter(all => all.every(name => !all.some(other => other.startsWith(`${name}.`))))
  fc.assert(fc.property(record, names, (value, wanted) => {
    const object = JSON.parse(JSON.stringify(value)) as Record<string, unknown>
    const found = picked(wanted, JSON.stringify(object))
    const expected = wanted.map(name => taken(object, name.split('.')))
    assert.deepEqual(found?.values.map(json => json === undefined ? undefined : JSON.parse(json) as unknown), expected)
    assert.deepEqual(JSON.parse(found?.rest as string), object)
  }), { numRuns: 2000 })
})

/** Takes a member out of objects, and the groups that are empty then. */
function taken(at: Record<string, unknown>, [key, ...below]: readonly string[]): unknown {
  const value = at[key as string]
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (value === undefined || (below.length > 0 && !isObject)) return undefined
  const found = below.length === 0 ? value : taken(value as Record<string, unknown>, below)
  if (below.length === 0 || (found !== undefined && Object.keys(value as object).length === 0)) delete at[key as string]
  return found
}
