/** Blocks that no orderly encoder sends, and what a bounded decoder makes of them. */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import * as C from '../../../wasm/hpack-contract.ts'
import * as L from '../../../wasm/layout.ts'
import { oddityNames } from '../oddity.ts'
import { headFields } from './testing/head-fields.ts'
import { HpackDecoder, HpackTable } from './hpack-decoder.ts'

const memory = new ByteMemory()
const decoder = new HpackDecoder(memory)
const input = memory.reserve(1 << 20)
let table = new HpackTable(decoder, true)
afterEach(() => {
  table.close()
  assert.equal(memory.allocator.allocatedBytes(), 0)
  table = new HpackTable(decoder, true)
})

interface Result {
  readonly code: number | undefined
  readonly fields: [string, string][]
  readonly unknown: number
  readonly dropped: number
  readonly oddities: string[]
  readonly secret: boolean[]
}

function decode(...parts: (Buffer | string)[]): Result {
  const bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : part)))
  memory.write(input, bytes)
  const code = table.decode(input, bytes.length)
  const { block } = decoder
  const count = memory.u32[(block + L.HEAD_COUNT) >>> 2]!
  const result = {
    code,
    fields: headFields(memory, block),
    unknown: decoder.unknown,
    dropped: memory.u16[(block + L.HEAD_DROPPED) >>> 1]!,
    oddities: oddityNames(decoder.oddities),
    secret: Array.from({ length: count }, (_, index) =>
      (memory.u16[(block + L.HEAD_SPANS + index * L.SPAN_BYTES + L.SPAN_NAME_ID) >>> 1]! & L.SPAN_SECRET) !== 0),
  }
  decoder.free(block)
  return result
}

/** A literal with a name and value in plain bytes; `first` is the representation. */
function literal(first: number, name: string, value: string): Buffer {
  const text = (string: string): Buffer => {
    const bytes = Buffer.from(string, 'latin1')
    return Buffer.concat([integer(0, 7, bytes.length), bytes])
  }
  return Buffer.concat([Buffer.of(first), text(name), text(value)])
}

function integer(first: number, prefix: number, value: number): Buffer {
  const mask = (1 << prefix) - 1
  if (value < mask) return Buffer.of(first | value)
  const bytes = [first | mask]
  for (value -= mask; value >= 128; value >>>= 7) bytes.push((value & 127) | 128)
  return Buffer.from([...bytes, value])
}

test('examples of RFC 7541 C.4: requests with Huffman coding on one table', () => {
  assert.deepEqual(decode('828684418cf1e3c2e5f23a6ba0ab90f4ff').fields,
    [[':method', 'GET'], [':path', '/'], [':authority', 'www.example.com'], [':scheme', 'http']])
  assert.deepEqual(decode('828684be5886a8eb10649cbf').fields.at(-1), ['cache-control', 'no-cache'])
  const third = decode('828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf')
  assert.deepEqual(third.fields.slice(-2), [[':scheme', 'https'], ['custom-key', 'custom-value']])
  assert.equal(table.size, 164)
})

test('examples of RFC 7541 C.6: responses, with evictions in a table of 256 bytes', () => {
  table.announce(4096)
  decode('3fe101', '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3')
  assert.equal(table.size, 222)
  assert.deepEqual(decode('4883640effc1c0bf').fields[0], [':status', '307'])
  assert.equal(table.size, 222)
  const third = decode('88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af2708' +
    '7f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007')
  assert.deepEqual(third.fields.at(-1), ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'])
  assert.equal(table.size, 215)
})

test('faults end the block with their name, and what came before stands', () => {
  const faults: [string, number][] = [
    ['82ffffffffffff01', C.HPACK_ERROR_INTEGER],
    ['82ff8080808080808000', C.HPACK_ERROR_INTEGER],
    ['82ff', C.HPACK_ERROR_TRUNCATED],
    ['8240', C.HPACK_ERROR_TRUNCATED],
    ['82400361', C.HPACK_ERROR_TRUNCATED],
    ['8280', C.HPACK_ERROR_INDEX],
    ['8220', C.HPACK_ERROR_UPDATE],
    ['820081ff0161', C.HPACK_ERROR_HUFFMAN], // padding of a whole byte
    ['820084ffffffff0161', C.HPACK_ERROR_HUFFMAN], // EOS
    ['8200811f0161', C.HPACK_OK], // "0001 1111": a, then padding
    ['820081180161', C.HPACK_ERROR_HUFFMAN], // padding that is not all ones
  ]
  for (const [hex, expected] of faults) {
    const { code, fields, unknown } = decode(hex)
    assert.equal(code, expected, hex)
    assert.deepEqual(fields[0], [':method', 'GET'], hex)
    assert.equal(unknown, expected === C.HPACK_OK ? 0 : 1, hex)
  }
})

test('an index beyond a table that is known whole: unknown, and nothing older is trusted any more', () => {
  decode(literal(0x40, 'x-a', '1'))
  const { code, fields, unknown } = decode('82bebf', literal(0x40, 'x-b', '2'))
  assert.equal(code, C.HPACK_OK)
  assert.deepEqual(fields, [[':method', 'GET'], ['x-a', '1'], ['x-b', '2']])
  assert.equal(unknown, 1)
  assert.equal(decoder.flags, C.HPACK_INFO_INDEX)
  const after = decode('bebf')
  assert.deepEqual(after.fields, [['x-b', '2']])
  assert.equal(after.unknown, 1)
  assert.equal(decoder.flags, 0, 'what is missing may exist now')
})

test('a field whose name is not known is left out, and keeps its place in the table', () => {
  table.lose()
  const first = decode('7e0131', literal(0x40, 'x-b', '2'))
  assert.deepEqual(first.fields, [['x-b', '2']])
  assert.equal(first.unknown, 1)
  const second = decode('bebfc0', '7f000133')
  assert.deepEqual(second.fields, [['x-b', '2']])
  assert.equal(second.unknown, 3)
})

test('an entry larger than the table empties it (RFC 7541 4.4)', () => {
  decode(literal(0x40, 'x-a', '1'), literal(0x40, 'x-big', 'v'.repeat(5000)))
  assert.equal(table.size, 0)
  decode(literal(0x40, 'x-b', '2'))
  assert.deepEqual(decode('be').fields, [['x-b', '2']])
})

test('a size update over what SETTINGS allow is told, and followed', () => {
  decode('3fe17f')
  assert.equal(decoder.flags, C.HPACK_INFO_UPDATE)
  table.announce(16_384)
  decode('3fe17f')
  assert.equal(decoder.flags, 0)
})

test('entries behind 64 KiB of a larger table are unknown, not wrong', () => {
  table.announce(1 << 20)
  decode(integer(0x20, 5, 1 << 20), ...Array.from({ length: 30 }, (_, index) => literal(0x40, `x-${index}`, 'v'.repeat(4000))))
  assert.ok(table.size <= C.HPACK_KEPT_BYTES_MAX)
  const kept = Math.floor(C.HPACK_KEPT_BYTES_MAX / (4000 + 36))
  const newest = decode('be', integer(0x80, 7, 62 + kept - 1), integer(0x80, 7, 62 + kept))
  assert.deepEqual(newest.fields.map(([name]) => name), ['x-29', `x-${30 - kept}`])
  assert.equal(newest.unknown, 1)
  assert.equal(decode(literal(0x40, 'x-huge', 'v'.repeat(70_000)), literal(0x40, 'x-c', 'd'), 'bebf').unknown, 1)
})

test('a small block that unfolds to much is cut at the bounds of a head, and costs no more than its bytes', () => {
  decode(literal(0x40, 'x-bomb', 'v'.repeat(4000)))
  const bomb = decode(Buffer.alloc(1000, 0xbe))
  assert.ok(bomb.fields.length <= 262_144 / 4000 + 1)
  assert.equal(bomb.dropped, 1000 - bomb.fields.length)
  assert.deepEqual(bomb.oddities, ['headers_over_bound'])
  const endless = decode(Buffer.alloc(200_000, 0xbe))
  assert.equal(endless.code, C.HPACK_ERROR_BOUND)
  assert.equal(endless.fields.length, bomb.fields.length)
  const many = decode(Buffer.alloc(20_000, 0x90))
  assert.equal(many.fields.length, 8192)
  assert.equal(many.dropped, 20_000 - 8192)
})

test('never-indexed literals are told apart from those that are merely not indexed', () => {
  const { fields, secret } = decode(literal(0x10, 'x-token', 'a'), literal(0x00, 'x-plain', 'b'), literal(0x40, 'x-kept', 'c'))
  assert.deepEqual(fields.map(([name]) => name), ['x-token', 'x-plain', 'x-kept'])
  assert.deepEqual(secret, [true, false, false])
})

test('pseudo-headers that are repeated, unknown or misplaced, and fields of HTTP/1, are named; the first stands', () => {
  assert.deepEqual(decode('8283').oddities, ['pseudo_header'])
  assert.deepEqual(decode('8283').fields, [[':method', 'GET']])
  assert.deepEqual(decode(literal(0, ':other', 'x')), { ...decode(), oddities: ['pseudo_header'] })
  assert.deepEqual(decode('90', '82').oddities, ['pseudo_header'])
  assert.deepEqual(decode(literal(0, ':status', '2x0')).oddities, ['pseudo_header'])
  assert.deepEqual(decode(literal(0, 'transfer-encoding', 'chunked')).oddities, ['connection_field'])
  assert.deepEqual(decode(literal(0, 'X-Upper', 'a')).oddities, ['name_invalid'])
  assert.deepEqual(decode(literal(0, 'x y', 'a')).oddities, ['name_invalid'])
  assert.deepEqual(decode(literal(0x40, 'x', 'a\r\nb')).oddities, ['value_invalid'])
  assert.deepEqual(decode('be').oddities, ['value_invalid'], 'from the table as well')
  assert.deepEqual(decode(literal(0, ':authority', 'a'), literal(0, 'host', 'b')).oddities, ['host_differs'])
  assert.deepEqual(decode(literal(0, ':authority', 'a'), literal(0, 'host', 'a')).oddities, [])
})

test('without memory: entries that cannot be kept are unknown, not wrong', () => {
  const scarce = new ByteMemory()
  const poor = new HpackDecoder(scarce)
  const at = scarce.reserve(1 << 16)
  const poorTable = new HpackTable(poor, true)
  const give = (...parts: Buffer[]): number => {
    const bytes = Buffer.concat(parts)
    scarce.write(at, bytes)
    assert.equal(poorTable.decode(at, bytes.length), C.HPACK_OK)
    const { unknown, block } = poor
    poor.free(block)
    return unknown
  }
  give(literal(0x40, 'x-a', '1'))
  scarce.allocator.setLimit(1)
  give(literal(0x40, 'x-big', 'v'.repeat(3000)))
  assert.equal(poor.block, 0)
  assert.equal(give(literal(0x40, 'x-b', '2'), Buffer.of(0xbe, 0xbf, 0xc0)), 2)
  scarce.allocator.setLimit(1 << 24)
  assert.equal(give(Buffer.of(0xbe, 0xbf)), 1)
  poorTable.close()
})
