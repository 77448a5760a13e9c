import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FieldCopier } from './field-copier.ts'
import { LINE_BYTES_MAX, LineArea } from './line-area.ts'

const area = new LineArea()
const known = [{ name: 'a.b' }, { name: 'apart', isApart: true }, { name: 's', isDouble: true }, { name: 'j', isJson: true }]
const copier = new FieldCopier(area, 'line', known)
const protobuf = new FieldCopier(area, 'protobuf', known)

function copied(line: string): string | undefined {
  return copier.copy(Buffer.from(line)) ? copier.bytes.toString() : undefined
}

test('fields are copied by their names with dots, and known ones are told where they stand', () => {
  const line = String.raw`{"a":{"b":"x\"\\\n","c":[1,"]}"]},"apart":["k"],"s":2,"n":-3,"f":1.5,"t":true,"z":null,"j":{"x":{"y":"\""}},"e":{}}`
  assert.equal(copied(line), String.raw`,a.b="x\"\\` + '\n' + String.raw`",a.c="[1,\"]}\"]",s=2,n=-3i,f=1.5,t=true,j="{\"x\":{\"y\":\"\\\"\"}}"`)
  const values = known.map((_, number) => line.slice(copier.start(number), copier.end(number)))
  assert.deepEqual(values, [String.raw`"x\"\\\n"`, '["k"]', '2', String.raw`{"x":{"y":"\""}}`])
  assert.equal(copied('{}'), '')
  assert.deepEqual(known.map((_, number) => copier.start(number)), [0, 0, 0, 0])
})

test('what is not in the encoder\'s form is told, also where a longer line stood before', () => {
  const whole = '{"a":{"b":"x"},"c":[1,"y"],"d":1,"e":true}'
  for (let length = 0; length < whole.length; length++) {
    copied(whole)
    assert.equal(copied(whole.slice(0, length)), undefined, whole.slice(0, length))
    assert.equal(protobuf.copy(Buffer.from(whole.slice(0, length))), false, whole.slice(0, length))
  }
  for (const line of [' {}', '{}x', '[]', '{"a" :1}', '{"a": 1}', '{"a":1,}', '{"a":"\\x"}', '{"a":"\\u12"}', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`]) {
    assert.equal(copied(line), undefined, line)
  }
  assert.equal(copied(`${'{"a":'.repeat(32)}1${'}'.repeat(32)}`), `,${Array.from({ length: 32 }, () => 'a').join('.')}=1i`)
})

test('texts of all lengths and characters are those of JSON.parse; so are escaped ones', () => {
  const text = fc.string({ unit: fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), fc.constantFrom('"', '\\', '\n', '\ud83d', '😀', 'a')), maxLength: 70 })
  fc.assert(fc.property(text, value => {
    const json = JSON.stringify(value)
    assert.equal(copied(`{"t":${json},"u":1}`), `,t="${value.toWellFormed().replaceAll(/["\\]/g, '\\$&')}",u=1i`)
    const [from, to] = [Buffer.from(json), Buffer.alloc(json.length * 8)]
    assert.equal(`"${to.toString('utf8', 0, area.escape(from, to, 0, 0x22))}"`, JSON.stringify(json))
    if (area.isPrintable(from)) assert.doesNotMatch(json, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
  }), { numRuns: 1000 })
  assert.deepEqual(['a'.repeat(40), 'é', '\u001b', '\u007f', '\u0085', '\u2028'].map(each => area.isPrintable(Buffer.from(each))), [true, true, false, false, false, false])
})

test('a line may be of LINE_BYTES_MAX, and what has no room is refused', () => {
  const frame = '{"t":""}'.length
  assert.equal(copied(`{"t":"${'x'.repeat(LINE_BYTES_MAX - frame)}"}`)?.length, LINE_BYTES_MAX - frame + 5)
  assert.equal(copied(`{"t":"${'x'.repeat(LINE_BYTES_MAX - frame + 1)}"}`), undefined)
  const group = `{"${'g'.repeat(1000)}":{${Array.from({ length: 100_000 }, () => '"k":1').join(',')}}}`
  assert.equal(copied(group), undefined, 'a hundred megabytes of names')
  assert.equal(copied('{"t":1}'), ',t=1i')
})

test('bytes of any length are escaped, in parts', () => {
  const from = Buffer.alloc(LINE_BYTES_MAX + 100, 'a"')
  const to = Buffer.alloc(from.length * 2)
  assert.ok(to.subarray(0, area.escape(from, to, 0, 0x22)).equals(Buffer.alloc(from.length * 3 / 2, 'a\\"')))
})
