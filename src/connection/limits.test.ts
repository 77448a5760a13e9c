import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EVENT_LEFT, FRAME_BYTES, PACKET_EVENT } from '../capture/mod.ts'
import { MILLISECOND, RecordedTable, SERVER } from './testing/recorded-table.ts'
import type { RecordedOptions } from './testing/recorded-table.ts'
import { SegmentBuilder } from './testing/segment-builder.ts'
import type { Endpoint } from './testing/segment-builder.ts'

const HOST = (port: number): Endpoint => ({ address: '10.0.0.1', port })

function table(limits: RecordedOptions['limits'], more: RecordedOptions = {}): RecordedTable {
  return new RecordedTable({ ...more, ...(limits === undefined ? {} : { limits }) })
}

/** An established connection from `port`, with initial sequence numbers 0. */
function connect(t: RecordedTable, port: number): RecordedTable {
  return t.send({ from: HOST(port), to: SERVER, flags: 'S', sequence: 0 })
    .send({ from: SERVER, to: HOST(port), flags: 'SA', sequence: 0, acknowledgement: 1 })
    .send({ from: HOST(port), to: SERVER, flags: 'A', sequence: 1, acknowledgement: 1 })
}

function data(t: RecordedTable, port: number, sequence: number, payload: string): RecordedTable {
  return t.send({ from: HOST(port), to: SERVER, flags: 'PA', sequence, payload })
}

test('a side that holds more than its bound gives up its hole, and keeps what was captured', () => {
  const t = table({ bufferBytesMax: 1000 }).handshake()
  for (let i = 1; i <= 5; i++) {
    t.client('PA', 1001 + i * 300, String(i).repeat(300))
    assert.ok(t.table.space.heldBytes <= 1000)
  }
  assert.deepEqual(t.log.map((entry) => entry.slice(0, 8)), ['1.0 gap ', '1.0 1111', '1.0 2222', '1.0 3333', '1.0 4444', '1.0 5555'])
  assert.equal(t.log[0], '1.0 gap 300 bound')
  t.client('PA', 1001, '0'.repeat(300))
  assert.equal(t.count('retransmitted'), 1)
  assert.equal(t.close(), 0)
})

test('a segment larger than all room goes out at once behind its gap', () => {
  const t = table({ bufferBytesMax: 100 }).handshake().client('PA', 1011, 'x'.repeat(500)).client('PA', 1511, 'y')
  assert.deepEqual(t.log, ['1.0 gap 10 bound', `1.0 ${'x'.repeat(500)}`, '1.0 y'])
  assert.equal(t.close(), 0)
})

test('when all sides together hold too much, the one that has waited longest gives up its hole', () => {
  const t = table({ bufferBytesTotalMax: 1000 })
  for (const port of [1, 2, 3]) connect(t, port)
  data(t, 1, 11, 'a'.repeat(400))
  data(t, 2, 11, 'b'.repeat(400))
  assert.deepEqual(t.log, [])
  data(t, 3, 11, 'c'.repeat(400))
  assert.deepEqual(t.log, ['1.0 gap 10 bound', `1.0 ${'a'.repeat(400)}`])
  data(t, 2, 1, '0123456789')
  assert.equal(t.log.length, 4)
  assert.equal(t.close(), 0)
})

test('a side holds a bounded number of pieces', () => {
  const t = table({ segmentCountMax: 8 }).handshake()
  for (let i = 0; i < 9; i++) t.client('PA', 1002 + i * 2, 'x')
  assert.deepEqual(t.log, ['1.0 gap 1 bound', '1.0 x'])
  assert.equal(t.close(), 0)
})

test('without memory for blocks and held bytes, packets are counted and passed over', () => {
  const t = table({})
  connect(t, 1)
  const { allocator } = t.memory
  allocator.setLimit(64)
  try {
    for (let port = 2; port < 600; port++) t.send({ from: HOST(port), to: SERVER, flags: 'S', sequence: 0 })
    assert.ok(t.count('memory_refused') > 0)
    for (let i = 0; i < 200; i++) data(t, 1, 11 + i * 5000, 'x'.repeat(4000))
  } finally {
    allocator.setLimit(0xf000000)
  }
  assert.ok(t.count('gaps_bound') > 0)
  assert.equal(t.close(), 0)
  assert.equal(t.log.filter((entry) => entry.startsWith('1.0 xxx')).length, 200)
})

test('a full table gives up finished connections, SYNs, half-confirmed ones, and only then the one idle for longest', () => {
  const t = table({ connectionCountMax: 4 })
  for (const port of [1, 2]) connect(t, port)
  data(t, 1, 1, 'one')
  data(t, 2, 1, 'two')
  data(connect(t, 3), 3, 1, 'x').send({ from: HOST(3), to: SERVER, flags: 'FA', sequence: 2 }).send({ from: SERVER, to: HOST(3), flags: 'FA', sequence: 1 })
  t.send({ from: HOST(4), to: SERVER, flags: 'S', sequence: 0 })
  assert.equal(t.table.size, 4)
  t.send({ from: HOST(5), to: SERVER, flags: 'PA', sequence: 9, payload: 'mid' })
  assert.equal(t.count('linger_cut'), 1)
  t.send({ from: HOST(6), to: SERVER, flags: 'PA', sequence: 9, payload: 'mid' })
  assert.equal(t.count('evicted_half_open'), 1)
  data(t, 1, 4, 'still')
  t.send({ from: HOST(7), to: SERVER, flags: 'PA', sequence: 9, payload: 'mid' })
  assert.equal(t.count('evicted_half_open'), 2)
  assert.equal(t.log.at(-3), '5.0 end evicted')
  connect(t, 6)
  connect(t, 7)
  t.send({ from: SERVER, to: HOST(6), sequence: 5, payload: 's' }).send({ from: SERVER, to: HOST(7), sequence: 5, payload: 's' })
  const open = t.count('evicted')
  data(t, 1, 9, '!')
  t.send({ from: HOST(8), to: SERVER, flags: 'S', sequence: 0 })
  assert.equal(t.table.size, 4)
  assert.equal(t.count('evicted') - open, 1)
  assert.ok(t.log.includes('2.0 end evicted') && !t.log.includes('1.0 end evicted'))
  assert.equal(t.close(), 0)
})

test('a million SYNs keep the table in its bound, and an established connection whole', () => {
  for (const isAnswered of [false, true]) {
    const t = table({ connectionCountMax: 4096 }).handshake().client('PA', 1001, 'before', { acknowledgement: 5001 })
    const batch = new SegmentBuilder(t.memory, 1024)
    const attacker = { address: '0.0.0.0', port: 1024 }
    batch.add({ from: attacker, to: SERVER, flags: 'S', sequence: 0, time: t.now })
    const answer = batch.pointer + batch.length
    batch.add({ from: SERVER, to: attacker, flags: 'SA', sequence: 0, acknowledgement: 1, time: t.now })
    const length = isAnswered ? batch.length : answer - batch.pointer
    for (let index = 0; index < (isAnswered ? 200_000 : 1_000_000); index++) {
      t.memory.u32[(batch.pointer + FRAME_BYTES + PACKET_EVENT.source_address) >> 2] = index
      t.memory.u32[(answer + FRAME_BYTES + PACKET_EVENT.destination_address) >> 2] = index
      t.table.process(batch.pointer, length)
    }
    assert.equal(t.table.size, 4096)
    assert.ok(t.memory.allocator.allocatedBytes() - t.allocatedBefore < 4096 * 256)
    assert.equal(t.count('evicted'), 0)
    t.server('PA', 5001, 'after', { acknowledgement: 1007 }).client('PA', 1007, 'more')
    assert.deepEqual(t.log, ['1.0 before', '1.1 after', '1.0 more'])
    t.table.tick(t.now + 40_000 * MILLISECOND)
    if (!isAnswered) assert.equal(t.table.size, 4096 - 1024)
    assert.equal(t.close(), 0)
  }
})

/** Steps of reassembly for `count` segments of one side; `place` = sequence offset and bytes of the index-th. */
function steps(count: number, place: (index: number) => [number, number]): number {
  const t = table({ segmentCountMax: 256 }).handshake()
  for (let index = 0; index < count; index++) {
    const [offset, bytes] = place(index)
    t.send({ from: { address: '10.0.0.1', port: 40000 }, to: SERVER, flags: 'PA', sequence: 1001 + offset, payload: 'x'.repeat(bytes), time: t.now + 1000 })
  }
  const { steps: spent } = t.table.space
  assert.equal(t.close(), 0)
  return spent
}

test('reassembly costs in proportion to the segments, whatever their order', () => {
  const attacks: Record<string, (count: number) => (index: number) => [number, number]> = {
    'last first': (count) => (index) => [(count - index) * 2, 1],
    'islands': () => (index) => [2 + index * 2, 1],
    'far ahead, ever further': () => (index) => [1000 + index * 100_000, 1],
    'both ends in turn': (count) => (index) => [index % 2 === 0 ? 10 + index : 4 * count - index, 1],
    'islands under one blanket': () => (index) => index % 100 === 99 ? [2, 400] : [2 + (index % 100) * 4, 1],
    'the same held segment': () => () => [50, 40],
  }
  for (const [name, attack] of Object.entries(attacks)) {
    const once = steps(3000, attack(3000))
    const twice = steps(6000, attack(6000))
    assert.ok(twice <= once * 2.2, `${name}: ${once} steps, then ${twice}`)
    // A binary search, its neighbours, and at most all held pieces moved by one place.
    assert.ok(once <= 3000 * (256 + 40), `${name}: ${once} steps for 3000 segments`)
  }
})

test('a connection that its source gives up ends as that, and one that comes back is another, joined midway', () => {
  const t = connect(table(undefined), 1)
  data(t, 1, 1, 'GET 1')
  t.send({ from: HOST(1), to: SERVER, kind: EVENT_LEFT, sequence: 6 })
  assert.deepEqual([t.log, t.count('overload_left'), t.table.size], [['1.0 GET 1', '1.0 end overload', '1.1 end overload'], 1, 0])
  t.send({ from: HOST(1), to: SERVER, kind: EVENT_LEFT, sequence: 6 })
  data(t, 1, 100, 'GET 9')
  assert.deepEqual([t.log.slice(3), t.count('late_join')], [['2.0 GET 9'], 1])
  assert.equal(t.close(), 0)
})

test('a bound that is lowered while it runs ends two of the oldest for each new connection', () => {
  const t = table({ connectionCountMax: 100 })
  for (let port = 1; port <= 10; port++) connect(t, port)
  t.table.bound(6)
  for (let port = 11; port <= 14; port++) connect(t, port)
  assert.deepEqual([t.table.size, t.count('evicted')], [6, 8])
  t.table.bound(1000)
  for (let port = 15; port <= 130; port++) connect(t, port)
  assert.equal(t.table.size, 100)
  assert.equal(t.close(), 0)
})
