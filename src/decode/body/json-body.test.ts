import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { BODY_BYTES, COUNT_OUTPUT, COUNT_PROMPT } from '../../../wasm/body-contract.ts'
import { JsonBody } from './body-reader.ts'
import { ANSWERS, counts, SECRET } from './testing/answers.ts'

const memory = new ByteMemory()
const input = memory.reserve(12 << 20)

interface Read {
  readonly isEvents?: boolean
  readonly bytesMax?: number
  /** Where pieces end. */
  readonly cuts?: readonly number[]
  /** Bytes of this piece are not seen. */
  readonly missing?: number
}

function read(text: string | Uint8Array, { isEvents = false, bytesMax = 64 << 20, cuts = [], missing = -1 }: Read = {}) {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  const body = new JsonBody({ memory, isEvents, bytesMax })
  let from = 0
  for (const [piece, to] of [...cuts, bytes.length].entries()) {
    memory.u8.set(bytes.subarray(from, to), input)
    // What lies behind a piece must not matter.
    memory.write(input + to - from, Buffer.from('"}]}{"model":"behind","usage":{"pro'))
    body.take(piece === missing ? 0 : input, to - from)
    from = to
  }
  const { model, counts: found, isModelLong, unread } = body.end()
  assert.equal(memory.allocator.allocatedBytes(), 0, 'blocks are left')
  return { model: model === undefined ? undefined : Buffer.from(model).toString(), counts: found, isModelLong, unread }
}

for (const { name, request, response, isEvents, requestModel, model, counts: expected } of ANSWERS) {
  test(`${name}: the model and the counts, cut in two at every byte, and in pieces of one byte`, () => {
    const whole = { model, counts: expected, isModelLong: false, unread: undefined }
    assert.deepEqual(read(response, { isEvents }), whole)
    assert.equal(read(request).model, requestModel)
    const bytes = Buffer.from(response)
    for (let cut = 1; cut < bytes.length; cut++) assert.deepEqual(read(bytes, { isEvents, cuts: [cut] }), whole, `cut at ${cut}`)
    assert.deepEqual(read(bytes, { isEvents, cuts: Array.from(bytes.keys()).slice(1) }), whole)
  })
}

test('whatever JSON it is, and wherever it is cut, the members are those that JSON.parse finds', () => {
  const name = fc.constantFrom('model', 'usage', 'prompt_tokens', 'completion_tokens', 'x', 'm\u006fdel', '', '"', 'usage\\')
  const value = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'medium' }, fc.string(), fc.nat(), fc.constant(null), fc.boolean(), fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(name, tie('value'), { maxKeys: 4 })),
  })).value
  fc.assert(fc.property(fc.dictionary(name, value), fc.array(fc.nat(400), { maxLength: 6 }), fc.integer({ min: 0, max: 3 }), (object, places, indent) => {
    const text = JSON.stringify(object, undefined, indent)
    const length = Buffer.byteLength(text)
    const cuts = [...new Set(places)].filter((place) => place > 0 && place < length).sort((one, other) => one - other)
    const found = read(text, { cuts })
    const parsed = JSON.parse(text) as Record<string, unknown>
    const usage = typeof parsed['usage'] === 'object' && !Array.isArray(parsed['usage']) ? parsed['usage'] as Record<string, unknown> | null : null
    const count = (of: unknown): number => (typeof of === 'number' && Number.isSafeInteger(of) && of >= 0 && !Object.is(of, -0) ? of : -1)
    const isText = typeof parsed['model'] === 'string' && parsed['model'] !== '' && Buffer.byteLength(JSON.stringify(parsed['model'])) <= 258
    if (isText) assert.equal(found.model, Buffer.from(parsed['model'] as string).toString())
    else if (typeof parsed['model'] !== 'string') assert.equal(found.model, undefined)
    assert.deepEqual(found.counts, counts({ 0: count(usage?.['prompt_tokens']), [COUNT_OUTPUT]: count(usage?.['completion_tokens']) }))
  }), { numRuns: 500 })
})

test('names and texts with escapes', () => {
  assert.equal(read('{"\\u006d\\u006fdel":"meta\\/llama \\u00e9\\ud83d\\ude00\\"x\\\\"}').model, 'meta/llama é😀"x\\')
  assert.equal(read('{"model\\u0000":"no","mod\\x65l":"no"}').model, undefined)
  assert.deepEqual(read('{"us\\u0061ge":{"\\u0070rompt_tokens":7}}').counts, counts({ [COUNT_PROMPT]: 7 }))
  assert.equal(read(`{"${'\\u006d'.repeat(400)}":1,"model":"behind a long name"}`).model, 'behind a long name')
  assert.equal(read('{"model":"\\ud83d"}').model, '\ufffd')
})

test('of members that stand there twice the last one counts', () => {
  assert.equal(read('{"model":"a","model":"b"}').model, 'b')
  assert.equal(read(`{"model":"a","model":"${'b'.repeat(300)}"}`).model, undefined)
  assert.deepEqual(read('{"usage":{"prompt_tokens":1},"usage":{"prompt_tokens":2,"prompt_tokens":3}}').counts, counts({ [COUNT_PROMPT]: 3 }))
})

test('counts are whole numbers that can be told exactly; others are none', () => {
  for (const bad of ['-1', '1.5', '1e3', '9007199254740993', '"7"', 'null', 'true', '[7]', '{"a":7}', '1x', '99999999999999999999999']) {
    assert.deepEqual(read(`{"usage":{"prompt_tokens":${bad},"completion_tokens":5}}`).counts, counts({ [COUNT_OUTPUT]: 5 }), bad)
  }
  assert.deepEqual(read('{"usage":{"prompt_tokens": 9007199254740991 ,"completion_tokens":0}}').counts, counts({ [COUNT_PROMPT]: 9007199254740991, [COUNT_OUTPUT]: 0 }))
})

test('members of the same names elsewhere are not those', () => {
  const elsewhere = '{"choices":[{"model":"no","usage":{"prompt_tokens":1}}],"x":{"model":"no"},"metadata":{"usage":{"prompt_tokens":1}},"usage":[{"prompt_tokens":1}]}'
  assert.deepEqual(read(elsewhere), { model: undefined, counts: counts({}), isModelLong: false, unread: undefined })
  assert.equal(read('"{\\"model\\":\\"no\\"} {" {"model":"behind a text"}').model, 'behind a text')
  assert.equal(read('event: {"model":"no"}\nid: {"model":"no"}\n: {"model":"no"}\nxdata: {"model":"no"}\n\ndata:{"x":1}\n', { isEvents: true }).model, undefined)
})

test('hostile bodies: deep, long, cut, binary', () => {
  const deep = `{"a":${'[{"b":'.repeat(1_000_000)}`
  assert.equal(read(`${deep}1${'}]'.repeat(1_000_000)},"model":"behind it"}`).model, 'behind it')
  assert.equal(read(deep).model, undefined)
  const long = 'x'.repeat(10 << 20)
  assert.equal(read(`{"a":"${long}","model":"behind it"}`).model, 'behind it')
  assert.deepEqual(read(`{"model":"${long}","usage":{"prompt_tokens":3}}`), { model: undefined, counts: counts({ [COUNT_PROMPT]: 3 }), isModelLong: true, unread: undefined })
  assert.equal(read(`{"${long}":1,"model":"behind it"}`).model, 'behind it')
  assert.equal(read(`{"model":"${'x'.repeat(256)}"}`).model, 'x'.repeat(256))
  assert.deepEqual(read(`{"model":"${'x'.repeat(257)}"}`).isModelLong, true)
  const invalid = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0]), Buffer.from('","model":"'), Buffer.from([0xff]), Buffer.from('"}')])
  assert.equal(read(invalid).model, '\ufffd')
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, isEvents) => { read(bytes, { isEvents }) }))
})

test('what is no JSON ends the reading; of events the next line is read', () => {
  assert.equal(read('{model:"no"} {"model":"no"}').model, undefined)
  assert.equal(read('{"a":,"model":"no"}').model, undefined)
  assert.equal(read('data: {"a":,"model":"no"}\ndata: {"a":"\ndata: {"model":"yes"}\n', { isEvents: true }).model, 'yes')
})

test('missing bytes: what was found before stands, of events also what comes behind', () => {
  const text = '{"model":"before","a":"xxxxxxxx","usage":{"prompt_tokens":1}}'
  const lost = read(text, { cuts: [25, 30], missing: 1 })
  assert.deepEqual(lost, { model: 'before', counts: counts({}), isModelLong: false, unread: 'missing' })
  const events = `data: ${text}\n\ndata: {"usage":{"prompt_tokens":2}}\n\n`
  assert.deepEqual(read(events, { isEvents: true, cuts: [40, 50], missing: 1 }), { ...lost, counts: counts({ [COUNT_PROMPT]: 2 }) })
})

test('no more is read than the bound, and then nothing is wanted', () => {
  const found = read('{"model":"in time","usage":{"prompt_tokens":1}}', { bytesMax: 30, cuts: [10] })
  assert.deepEqual(found, { model: 'in time', counts: counts({}), isModelLong: false, unread: 'over bound' })
  const body = new JsonBody({ memory, isEvents: false, bytesMax: 2 })
  assert.equal(body.skippable, 0)
  body.take(input, 2)
  assert.equal(body.skippable, Infinity)
  assert.equal(body.end().unread, undefined)
})

test('where the memory refuses nothing is read, and nothing of a body is left in memory', () => {
  const body = new JsonBody({ memory, isEvents: false, bytesMax: 100 })
  memory.write(input, Buffer.from(`{"${SECRET}`))
  body.take(input, 30)
  body.end()
  const block = memory.allocator.alloc(BODY_BYTES)
  assert.ok(!Buffer.from(memory.u8.subarray(block, block + BODY_BYTES)).includes(SECRET))
  memory.allocator.free(block, BODY_BYTES)
  const full = new ByteMemory()
  full.allocator.setLimit(0)
  const refused = new JsonBody({ memory: full, isEvents: false, bytesMax: 100 })
  assert.equal(refused.skippable, Infinity)
  refused.take(input, 30)
  assert.equal(refused.end().unread, 'memory')
})
