/** Against @msgpack/msgpack, which is another's. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, encode, ExtData } from '@msgpack/msgpack'
import fc from 'fast-check'
import { LineArea } from '../record/mod.ts'
import { Packer, unpack, type Unpacked } from './mod.ts'

const area = new LineArea()

function packed(json: string): Buffer {
  return new Packer(0).json(area, Buffer.from(json)).bytes
}

function reread(json: string): unknown {
  return decode(packed(json), { useBigInt64: false })
}

test('packs JSON as JSON.parse reads it', () => {
  fc.assert(fc.property(fc.json({ maxDepth: 5, stringUnit: 'binary' }), json => {
    const compact = JSON.stringify(JSON.parse(json))
    fc.pre(!compact.includes('"__proto__"')) // which the other refuses
    assert.deepEqual(JSON.stringify(reread(compact)), compact)
  }), { numRuns: 2000 })
})

test('packs whole numbers in the shortest form, at every edge of one', () => {
  for (const power of [0, 5, 7, 8, 15, 16, 31, 32, 49, 52, 53]) {
    for (const value of [2 ** power - 1, 2 ** power, 2 ** power + 1].flatMap(same => [same, 0 - same]).filter(Number.isSafeInteger)) {
      const bytes = packed(String(value))
      assert.equal(Number(decode(bytes, { useBigInt64: true })), value)
      assert.deepEqual(new Packer(0).integer(value).bytes, bytes)
      assert.equal(unpack(bytes)?.value, value)
      if (Math.abs(value) < 2 ** 31) assert.deepEqual(bytes, Buffer.from(encode(value)), String(value))
    }
  }
  assert.deepEqual([decode(packed('18446744073709551615'), { useBigInt64: true }), decode(packed('-9223372036854775808'), { useBigInt64: true })], [2n ** 64n - 1n, -(2n ** 63n)])
  assert.deepEqual([reread('18446744073709551616'), reread('1e400'), reread('-0.5'), reread('1E-7')], [2 ** 64, Infinity, -0.5, 1e-7])
})

test('packs texts and containers of every size of head', () => {
  for (const count of [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536, 70_000]) {
    const text = 'é'.repeat(count).slice(0, count)
    assert.equal(reread(JSON.stringify(text)), text)
    assert.equal(decode(new Packer(0).text(text).bytes), text)
    assert.deepEqual(Buffer.from(decode(new Packer(0).binary(Buffer.alloc(count, 7)).bytes) as Uint8Array), Buffer.alloc(count, 7))
    const list = Array.from({ length: count }, (_, index) => index % 3)
    assert.deepEqual(reread(JSON.stringify([list, 'end'])), [list, 'end'])
    const pairs = Object.fromEntries(list.map((value, index) => [`k${index}`, value]))
    assert.deepEqual(reread(JSON.stringify({ pairs, end: true })), { pairs, end: true })
  }
})

test('puts pairs in front of an object, keeps doubled names, and makes U+FFFD of half a pair', () => {
  const tagged = (json: string): Buffer => new Packer(0).jsonObject(area, Buffer.from(json), 1, packer => packer.text('id').text('x-1')).bytes
  assert.deepEqual(decode(tagged('{}')), { id: 'x-1' })
  assert.deepEqual(decode(tagged('{"a":[],"b":{}}')), { id: 'x-1', a: [], b: {} })
  assert.equal(tagged(`{${Array.from({ length: 15 }, (_, index) => `"${index}":1`).join(',')}}`)[0], 0xde)
  assert.equal(packed('{"a":1,"a":2}').toString('hex'), '82a16101a16102')
  assert.equal(reread('"\\ud800x"'), '\ufffdx')
  assert.deepEqual(reread('"\\ud83d\\ude00\\u0000\\"\\\\\\/\\b"'), '\u{1f600}\0"\\/\b')
})

test('what is no compact JSON is refused', () => {
  for (const text of ['', ' 1', '{', '{"a"}', '{"a":1', '{"a":1,}', '{a:1}', '[1,]', '[1', '"a', '"a\\', '"a\\"', 'nul', 'x', '-', '1 2', '[1]]', '1.2.3', '["\\x"]', '['.repeat(70)]) {
    assert.throws(() => packed(text), SyntaxError, text)
  }
  assert.throws(() => new Packer(0).jsonObject(area, Buffer.from('[1]'), 0, () => undefined), /no compact JSON/)
})

test('an extension is what others read as one', () => {
  assert.deepEqual(decode(new Packer(0).extension8(0, 0xffff_ffff, 999_999_999).bytes), new ExtData(0, Buffer.from('ffffffff3b9ac9ff', 'hex')))
})

/** As `unpack` has it. */
function plain(value: unknown): unknown {
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (Array.isArray(value)) return value.map(plain)
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value).map(([name, member]) => [name, plain(member)])) : value
}

test('unpacks what another packed, says when more is to come, and takes no nonsense', () => {
  const double = fc.double().map(number => number + 0) // the other encoder writes -0 as the integer 0
  fc.assert(fc.property(fc.object({ values: [fc.string(), fc.integer(), double, fc.boolean(), fc.constant(null), fc.uint8Array()] }), object => {
    const bytes = Buffer.from(encode(object))
    const expected = { value: plain(object) as Unpacked, used: bytes.length }
    assert.deepEqual(unpack(Buffer.concat([bytes, Buffer.from('x')])), expected)
    for (let end = 0; end < bytes.length; end++) assert.equal(unpack(bytes.subarray(0, end)), undefined)
  }))
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
    try {
      unpack(Buffer.from(bytes))
    } catch (error) {
      assert.ok(error instanceof SyntaxError)
    }
  }))
  assert.throws(() => unpack(Buffer.from([0xc1])), /code 0xc1 at byte 0/)
  assert.throws(() => unpack(Buffer.from([0x81, 0x01, 0x01])), /a name that is no text/)
  assert.throws(() => unpack(Buffer.alloc(40, 0x91)), /too deep/)
  assert.equal(unpack(Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])), undefined)
})
