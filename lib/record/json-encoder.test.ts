import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { ByteMemory } from '../bytes/mod.ts'
import { FieldTable, JSON_ROOM_SLACK, JsonEncoder, RecordView, RecordWriter, formatAddress, formatMac, formatTime,
} from './mod.ts'
import type { FieldSpec, HeaderText, RecordValue } from './mod.ts'

const FIELDS: readonly FieldSpec[] = [
  { name: 'kind', type: 'string' },
  { name: 'time', type: 'time' },
  { name: 'took', type: 'seconds' },
  { name: 'a.address', type: 'address' },
  { name: 'a.mac', type: 'mac' },
  { name: 'a.deep.er.header', type: 'headers' },
  { name: 'a.deep.er.count', type: 'int' },
  { name: 'a.deep.flag', type: 'bool' },
  { name: 'b.deep.names', type: 'strings' },
  { name: 'b.codes', type: 'ints' },
  { name: 'q"\\uote.te\u00e9xt', type: 'string' },
  { name: 'marks', type: 'marks' },
]
const REASONS = ['cut: more than "the" bound', 'lost']

const memory = new ByteMemory()
const table = new FieldTable(memory, FIELDS, REASONS)
const writer = new RecordWriter(memory, table)
const view = new RecordView(memory, table)
const encoder = new JsonEncoder(memory, table)
const RECORD_ROOM = 8 << 20
const LINE_ROOM = 48 << 20
const record = memory.reserve(RECORD_ROOM)
const line = memory.reserve(LINE_ROOM)

type Bytes = Uint8Array
interface Model {
  kind?: Bytes, time?: bigint, took?: bigint, address?: { version: 4 | 6, bytes: Bytes }, mac?: Bytes
  header?: { name: Bytes, value: Bytes }[], count?: bigint, flag?: boolean, names?: Bytes[], codes?: bigint[]
  text?: Bytes, marks?: [number, number][]
}

function write(model: Model): number {
  writer.begin(7, record, RECORD_ROOM)
  if (model.kind) writer.string(1, model.kind)
  if (model.time !== undefined) writer.time(2, model.time)
  if (model.took !== undefined) writer.seconds(3, model.took)
  if (model.address) writer.address(4, model.address.version, model.address.bytes)
  if (model.mac) writer.mac(5, model.mac)
  if (model.header) writer.headers(6, model.header)
  if (model.count !== undefined) writer.int(7, model.count)
  if (model.flag !== undefined) writer.bool(8, model.flag)
  if (model.names) writer.strings(9, model.names)
  if (model.codes) writer.ints(10, model.codes)
  if (model.text) writer.string(11, model.text)
  if (model.marks) writer.marks(12, model.marks)
  return writer.end()
}

function encode(room = LINE_ROOM): string {
  const length = encoder.encode(record, line, room)
  assert.ok(length > 0, 'the line fits')
  const bytes = Buffer.from(memory.read(line, length))
  assert.equal(bytes[length - 1], 10)
  assert.ok(isUtf8(bytes))
  const text = bytes.toString().slice(0, -1)
  assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f]/, 'no control character in the line')
  return text
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^"{}[\]:,\s]+/y

/** JSON.parse takes some names with an escape for others that it has read before (nodejs/node#63785): here it reads values only. */
function parse(text: string): unknown {
  TOKEN.lastIndex = 0
  const next = (): string => TOKEN.exec(text)?.[0] ?? assert.fail(`no token at ${TOKEN.lastIndex} of ${text}`)
  const scalar = (token: string): unknown => (JSON.parse(`[${token}]`) as unknown[])[0]
  const value = (token: string): unknown => {
    if (token === '[') return list(']', () => value(next()))
    if (token !== '{') return scalar(token)
    return Object.fromEntries(list('}', () => {
      const name = scalar(next())
      assert.equal(next(), ':')
      return [name, value(next())] as [string, unknown]
    }))
  }
  const list = <T>(close: string, item: () => T): T[] => {
    const items: T[] = []
    if (text[TOKEN.lastIndex] === close) {
      next()
      return items
    }
    for (;;) {
      items.push(item())
      const token = next()
      if (token === close) return items
      assert.equal(token, ',')
    }
  }
  const whole = value(next())
  assert.equal(TOKEN.lastIndex, text.length, 'nothing behind it')
  return whole
}

function textOf(bytes: Bytes): string {
  return Buffer.from(bytes).toString(isUtf8(bytes) ? 'utf8' : 'latin1')
}

function grouped(header: { name: Bytes, value: Bytes }[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { name, value } of header) {
    const key = Buffer.from(name).toString('latin1')
    groups.set(key, [...groups.get(key) ?? [], textOf(value)])
  }
  return groups
}

function secondsText(nanoseconds: bigint): string {
  const digits = String(nanoseconds < 0n ? -nanoseconds : nanoseconds).padStart(10, '0')
  const fraction = digits.slice(-9).replace(/0+$/, '')
  return (nanoseconds < 0n ? '-' : '') + digits.slice(0, -9) + (fraction === '' ? '' : `.${fraction}`)
}

/** JSON text of a model by the slow and obvious way: the same nesting, escapes undone by JSON.parse on both sides. */
function expected(model: Model): unknown {
  const a: [string, unknown][] = []
  const er: [string, unknown][] = []
  const raw = (text: string): unknown => JSON.parse(`{"value":${text}}`).value
  if (model.address) a.push(['address', formatAddress(model.address.version, model.address.bytes)])
  if (model.mac) a.push(['mac', formatMac(model.mac)])
  if (model.header) er.push(['header', Object.fromEntries(grouped(model.header))])
  if (model.count !== undefined) er.push(['count', raw(String(model.count))])
  const deep: [string, unknown][] = er.length > 0 ? [['er', Object.fromEntries(er)]] : []
  if (model.flag !== undefined) deep.push(['flag', model.flag])
  if (deep.length > 0) a.push(['deep', Object.fromEntries(deep)])
  const b: [string, unknown][] = []
  if (model.names) b.push(['deep', { names: model.names.map(textOf) }])
  if (model.codes) b.push(['codes', model.codes.map((code) => raw(String(code)))])
  const all: [string, unknown][] = []
  if (model.kind) all.push(['kind', textOf(model.kind)])
  if (model.time !== undefined) all.push(['time', formatTime(model.time)])
  if (model.took !== undefined) all.push(['took', raw(secondsText(model.took))])
  if (a.length > 0) all.push(['a', Object.fromEntries(a)])
  if (b.length > 0) all.push(['b', Object.fromEntries(b)])
  if (model.text) all.push(['q"\\uote', Object.fromEntries([['te\u00e9xt', textOf(model.text)]])])
  if (model.marks) {
    const marks = new Map<string, string>()
    for (const [id, reason] of model.marks) {
      const name = FIELDS[id - 1]!.name
      if (!marks.has(name)) marks.set(name, REASONS[reason - 1]!)
    }
    all.push(['marks', Object.fromEntries(marks)])
  }
  return Object.fromEntries(all)
}

const HOSTILE = ['\0', '"', '\\', '\x1b[2J', '\x7f', '\u0085', '\u009b31m', '\u2028', '\u2029', '\ufeff', '\r\n', '\t',
  '\u{1f600}', '\uffff', '\u0080', '\u00a0', 'é', 'ÿ', '\u0800', '\ud7ff', '\ue000', '\u{10000}', '\u{10ffff}', '</script>',
  '__proto__', 'constructor'].map((text) => Buffer.from(text))
const BROKEN = [[0xff], [0xc0, 0x80], [0xc1, 0xbf], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf],
  [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80], [0xf0, 0x80, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80],
  [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0x80], [0xc3], [0x9b]].map((bytes) => Buffer.from(bytes))

const chunk = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme-ascii' }).map((text) => Buffer.from(text)) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)) },
  { weight: 2, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 1, arbitrary: fc.constantFrom(...BROKEN) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
)
const bytes = fc.array(chunk, { maxLength: 6 }).map((chunks): Bytes => Buffer.concat(chunks))
const nameBytes = fc.oneof(fc.constantFrom('a', 'b', 'host', 'x-request-id', '__proto__').map((name): Bytes => Buffer.from(name)),
  bytes)
const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const version = fc.constantFrom<4 | 6>(4, 6)
const model: fc.Arbitrary<Model> = fc.record({
  kind: bytes,
  time: i64,
  took: i64,
  address: fc.record({ version, bytes: fc.uint8Array({ minLength: 16, maxLength: 16 }) }),
  mac: fc.uint8Array({ minLength: 6, maxLength: 6 }),
  header: fc.array(fc.record({ name: nameBytes, value: bytes }), { maxLength: 12 }),
  count: i64,
  flag: fc.boolean(),
  names: fc.array(bytes, { maxLength: 4 }),
  codes: fc.array(i64, { maxLength: 4 }),
  text: bytes,
  marks: fc.array(fc.tuple(fc.integer({ min: 1, max: FIELDS.length }), fc.integer({ min: 1, max: REASONS.length })),
    { maxLength: 5 }),
}, { requiredKeys: [] })

test('a record of any values becomes the JSON of its model, and reads back as written', () => {
  fc.assert(fc.property(model, (value) => {
    const length = write(value)
    assert.ok(length > 0)
    assert.deepEqual(parse(encode()), expected(value))
    view.at(record)
    assert.equal(view.length, length)
    assert.equal(view.kind, 7)
    if (value.header) assert.deepEqual(view.get(6), grouped(value.header))
    if (value.text) assert.equal(view.get(11), textOf(value.text))
    if (value.count !== undefined) assert.equal(BigInt(view.get(7) as number | bigint), value.count)
    if (value.took !== undefined) assert.equal(view.integer(3), value.took)
    assert.equal(view.has(7), value.count !== undefined)
  }), { numRuns: 2000 })
})

test('a line that does not fit is refused, and nothing is written behind the room', () => {
  fc.assert(fc.property(model, fc.double({ min: 0, max: 1, noNaN: true }), (value, share) => {
    write(value)
    const whole = Buffer.from(encode() + '\n')
    const room = Math.floor((whole.length + JSON_ROOM_SLACK) * share)
    memory.u8.fill(0xa5, line, line + whole.length + 2 * JSON_ROOM_SLACK)
    const length = encoder.encode(record, line, room)
    if (length === 0) assert.ok(room < whole.length + JSON_ROOM_SLACK)
    else assert.deepEqual(Buffer.from(memory.read(line, length)), whole)
    for (let at = room; at < whole.length + 2 * JSON_ROOM_SLACK; at++) assert.equal(memory.u8[line + at], 0xa5)
  }), { numRuns: 1000 })
})

test('a line and its slack always fit', () => {
  fc.assert(fc.property(model, (value) => {
    write(value)
    const whole = encode().length
    assert.ok(encoder.encode(record, line, Buffer.byteLength(encode()) + 1 + JSON_ROOM_SLACK) > 0, `${whole}`)
  }), { numRuns: 500 })
})

test('every byte survives, twice in a row, at every place of the 16-byte steps', () => {
  for (const offset of [0, 1, 14, 15, 16, 17]) {
    for (let first = 0; first < 256; first++) {
      const value = Buffer.concat([Buffer.alloc(offset, 0x61), Buffer.from([first, first]), Buffer.alloc(16, 0x62)])
      write({ text: value })
      assert.deepEqual(JSON.parse(encode()), expected({ text: value }))
    }
  }
})

test('values of 64 KiB and more are whole', () => {
  for (const unit of [Buffer.from('x'), Buffer.from('"'), Buffer.from([0]), Buffer.from('é'), Buffer.from([0xff]),
    Buffer.from('\u{1f600}'), Buffer.from('\u009b')]) {
    const value = Buffer.alloc(256 << 10, unit)
    write({ text: value, header: [{ name: Buffer.from('x'), value }] })
    assert.deepEqual(JSON.parse(encode()), expected({ text: value, header: [{ name: Buffer.from('x'), value }] }))
  }
})

test('the room rule is exact where six times the value would not fit', () => {
  const value = Buffer.alloc(200_000, 'y')
  write({ text: value })
  assert.ok(encoder.encode(record, line, 200_000 + 40 + JSON_ROOM_SLACK) > 200_000)
  assert.equal(encoder.encode(record, line, 200_000), 0)
})

test('8,192 headers, of one name, of as many names and of names that repeat', () => {
  const shapes = [() => 'a', (index: number) => `name-${index}`, (index: number) => `name-${index % 97}`]
  for (const shape of shapes) {
    const header = Array.from({ length: 8192 }, (_, index) => (
      { name: Buffer.from(shape(index)), value: Buffer.from(String(index)) }))
    write({ header })
    const json = JSON.parse(encode()) as { a: { deep: { er: { header: Record<string, string[]> } } } }
    const entries = Object.entries(json.a.deep.er.header)
    assert.deepEqual(entries, [...grouped(header)])
  }
})

test('more than 32,768 headers are refused, 32,768 are not', () => {
  const header = (count: number): HeaderText[] => Array.from({ length: count }, (_, index) => ({ name: `n${index}`, value: '' }))
  for (const [count, fits] of [[32768, true], [32769, false]] as const) {
    writer.begin(7, record, RECORD_ROOM)
    writer.headers(6, header(count))
    assert.ok(writer.end() > 0)
    assert.equal(encoder.encode(record, line, LINE_ROOM) > 0, fits)
  }
})

test('addresses follow RFC 5952', () => {
  const vectors: [string, string][] = [
    ['20010db8000000000000000000000001', '2001:db8::1'],
    ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
    ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['20010000000000010000000000000001', '2001:0:0:1::1'],
    ['20010db8aaaabbbbccccddddeeee0aaa', '2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaa'],
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000000000001', '::1'],
    ['fe800000000000000000000000000000', 'fe80::'],
    ['00010000000000000000000000000000', '1::'],
    ['00000000000000010000000000010000', '::1:0:0:1:0'],
    ['00000000000000000000ffffc0000201', '::ffff:192.0.2.1'],
    ['0000000000000000000000000a000001', '::a00:1'],
    ['0064ff9b0000000000000000c0000221', '64:ff9b::c000:221'],
  ]
  for (const [hex, text] of vectors) {
    write({ address: { version: 6, bytes: Buffer.from(hex, 'hex') } })
    assert.deepEqual(JSON.parse(encode()), { a: { address: text } })
    assert.equal(view.at(record).get(4), text)
  }
  for (const text of ['0.0.0.0', '255.255.255.255', '10.0.100.9']) {
    write({ address: { version: 4, bytes: Buffer.from(text.split('.').map(Number)) } })
    assert.equal(view.at(record).get(4), text)
    assert.deepEqual(JSON.parse(encode()), { a: { address: text } })
  }
})

test('times are right at leap days, year ends and before 1970', () => {
  const times: [string, bigint][] = ['1970-01-01T00:00:00', '1969-12-31T23:59:59', '2000-02-29T12:00:00', '2024-02-29T23:59:59',
    '2023-03-01T00:00:00', '2100-02-28T23:59:59', '2100-03-01T00:00:00', '1900-03-01T00:00:00', '2026-12-31T23:59:59',
    '2027-01-01T00:00:00', '2261-01-01T00:00:00', '1678-01-01T00:00:00', '2026-11-22T14:13:03',
  ].map((text) => [text, BigInt(Date.parse(`${text}Z`)) * 1_000_000n])
  for (const [text, base] of times) {
    for (const fraction of [0n, 1n, 123456789n, 999999999n]) {
      write({ time: base + fraction })
      const shown = `${text}.${String(fraction).padStart(9, '0')}Z`
      assert.deepEqual(JSON.parse(encode()), { time: shown })
      assert.equal(view.at(record).get(2), shown)
    }
  }
})

test('seconds have up to nine digits, no exponent, no trailing zeros', () => {
  const vectors: [bigint, string][] = [[0n, '0'], [1n, '0.000000001'], [1_500_000_000n, '1.5'], [-1n, '-0.000000001'],
    [10n ** 9n, '1'], [123_456_789n, '0.123456789'], [100n, '0.0000001'], [2n ** 63n - 1n, '9223372036.854775807'],
    [-(2n ** 63n), '-9223372036.854775808'], [86_400n * 10n ** 9n, '86400']]
  for (const [nanoseconds, text] of vectors) {
    write({ took: nanoseconds })
    assert.equal(encode(), `{"took":${text}}`)
  }
})

test('integers keep their full 64 bits', () => {
  const numbers: bigint[] = [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, -(2n ** 53n), 2n ** 53n - 1n]
  for (let power = 0n; power < 19n; power++) numbers.push(10n ** power, 10n ** power - 1n, -(10n ** power))
  for (const number of numbers) {
    write({ count: number })
    assert.equal(encode(), `{"a":{"deep":{"er":{"count":${number}}}}}`)
    assert.equal(BigInt(view.at(record).get(7) as number | bigint), number)
  }
})

test('an empty record is an empty object', () => {
  write({})
  assert.equal(encode(), '{}')
})

const corpora = resolve(fileURLToPath(new URL('../..', import.meta.url)), process.env['LINTEL_CORPORA'] ?? '../shared/corpora')
const blns = `${corpora}/security/blns/blns.json`
const missing = !existsSync(blns)
if (missing && process.env['CI'] === 'true') throw new Error(`Cannot read "${blns}": it is missing; set LINTEL_CORPORA`)

test('the list of naughty strings round trips', { skip: missing ? 'corpus is not here' : false }, () => {
  const strings = JSON.parse(readFileSync(blns, 'utf8')) as string[]
  assert.ok(strings.length > 400)
  for (const text of strings) {
    const value = { text: Buffer.from(text), header: [{ name: Buffer.from(text).subarray(0, 60000), value: Buffer.from(text) }] }
    write(value)
    assert.deepEqual(parse(encode()), expected(value))
    const shown: RecordValue | undefined = view.at(record).get(11)
    assert.equal(shown, Buffer.from(text).toString())
  }
})

after(() => assert.ok(memory.allocator.allocationRefusals() === 0))
