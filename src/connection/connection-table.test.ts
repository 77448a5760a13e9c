import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FRAME_BYTES, FRAME_DISCARD, PACKET_EVENT } from '../capture/mod.ts'
import { CONNECTION_ANOMALIES } from './connection-counters.ts'
import type { Connection, ConnectionEnd } from './connection.ts'
import { CLIENT, MILLISECOND, RecordedTable, SERVER, sharedMemory } from './testing/recorded-table.ts'
import { SegmentBuilder } from './testing/segment-builder.ts'

function told(): { log: string[]; events: object } {
  const log: string[] = []
  return {
    log,
    events: {
      opened: ({ id }: Connection) => { log.push(`opened ${id}`) },
      closed: ({ id, block }: Connection, cause: ConnectionEnd) => {
        assert.notEqual(block, 0)
        log.push(`closed ${id} ${cause}`)
      },
    },
  }
}

test('opening is told with the handshake or the first data, closing once', () => {
  const { log, events } = told()
  const t = new RecordedTable({ events }).client('S', 1000).server('SA', 5000, '', { acknowledgement: 1001 })
  assert.deepEqual(log, [])
  t.client('A', 1001, '', { acknowledgement: 5001 })
  assert.deepEqual(log, ['opened 1'])
  t.client('FPA', 1001, 'x').server('FA', 5001).tick(10_000)
  assert.deepEqual(log, ['opened 1', 'closed 1 fin'])
  t.client('PA', 1, 'late')
  assert.deepEqual(log.slice(2), ['opened 2'])
  assert.equal(t.close(), 0)
  assert.deepEqual(log.slice(3), ['closed 2 shutdown'])
})

test('a SYN that nobody answers times out', () => {
  const { log, events } = told()
  const t = new RecordedTable({ events }).client('S', 1000).tick(29_000)
  assert.equal(t.table.size, 1)
  t.tick(1_000)
  assert.deepEqual(log, ['closed 1 timeout'])
  assert.equal(t.table.size, 0)
  assert.equal(t.close(), 0)
})

test('an idle connection ends, an active one does not', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'a').tick(500_000).client('PA', 1002, 'b').tick(599_000)
  assert.equal(t.table.size, 1)
  t.tick(2_000)
  assert.deepEqual(t.log.slice(2), ['1.0 end idle', '1.1 end idle'])
  assert.equal(t.table.size, 0)
  assert.equal(t.count('idle'), 1)
  assert.equal(t.close(), 0)
})

test('a finished connection is remembered for a while, so that late packets make no ghost', () => {
  const t = new RecordedTable().handshake().client('FPA', 1001, 'a').server('FPA', 5001, 'b').tick(4_000).client('FPA', 1001, 'a')
  assert.equal(t.count('late_packets'), 1)
  assert.equal(t.count('opened'), 1)
  t.tick(2_000)
  assert.equal(t.table.size, 0)
  assert.equal(t.close(), 0)
})

test('a broken clock far in the future blocks no expiry', () => {
  const t = new RecordedTable().client('S', 1000, '', { time: 2 ** 62 }).send({ from: { ...CLIENT, port: 2 }, to: SERVER, flags: 'S', time: 5 }).tick(40_000)
  assert.equal(t.table.size, 0)
  assert.equal(t.close(), 0)
})

test('times keep their nanoseconds beyond 2^32', () => {
  const time = 2 ** 40 + 123
  const t = new RecordedTable().client('PA', 1, 'x', { time })
  assert.equal(t.times[0], time)
  assert.equal(t.table.time, time)
  assert.equal(t.close(), 0)
})

test('every parsed packet is told, of whatever protocol; only TCP makes connections', () => {
  let packets = 0
  const t = new RecordedTable({ events: { packet: () => { packets++ } } }).handshake()
    .client('A', 0, 'dns', { protocol: 17 }).client('A', 0, '', { protocol: 1 })
  assert.equal(packets, 5)
  assert.equal(t.count('not_tcp'), 2)
  assert.equal(t.table.size, 1)
  assert.equal(t.close(), 0)
})

test('whole frames go to the callback, which may feed their segment in at once', () => {
  const inner = new SegmentBuilder(sharedMemory(), 4096).add({ from: CLIENT, to: SERVER, flags: 'PA', sequence: 1, payload: 'inside' })
  const frames: number[] = []
  const t = new RecordedTable({ events: { frame: (event) => {
    frames.push(event)
    t.table.process(inner.pointer, inner.length)
  } } })
  const batch = new SegmentBuilder(t.memory, 8192).add({ from: CLIENT, to: SERVER, kind: 2, payload: 'raw' })
    .add({ from: CLIENT, to: SERVER, flags: 'PA', sequence: 7, payload: 'after' })
  t.table.process(batch.pointer, batch.length)
  assert.deepEqual(frames, [batch.pointer + FRAME_BYTES])
  assert.deepEqual(t.log, ['1.0 inside', '1.0 after'])
  assert.equal(t.close(), 0)
})

test('discarded and malformed records are counted and passed over', () => {
  const t = new RecordedTable()
  const batch = new SegmentBuilder(t.memory, 1 << 16)
  const add = (payload: string): number => {
    const at = batch.pointer + batch.length
    batch.add({ from: CLIENT, to: SERVER, flags: 'PA', sequence: 1, payload })
    return at
  }
  const discarded = add('dropped')
  t.memory.u32[discarded >> 2]! |= FRAME_DISCARD
  const longer = add('captured beyond the record')
  t.memory.u32[(longer + FRAME_BYTES + PACKET_EVENT.captured_length) >> 2] = 5000
  t.memory.u32[(longer + FRAME_BYTES + PACKET_EVENT.payload_length) >> 2] = 5000
  const more = add('captured more than the payload')
  t.memory.u32[(more + FRAME_BYTES + PACKET_EVENT.payload_length) >> 2] = 3
  const kind = add('unknown kind')
  t.memory.u8[kind + FRAME_BYTES + PACKET_EVENT.kind] = 77
  const short = add('a record too short')
  t.memory.u32[short >> 2] = 100
  t.table.process(batch.pointer, short + 8 + 104 - batch.pointer)
  assert.equal(t.count('discarded'), 1)
  assert.equal(t.count('malformed'), 4)
  const good = batch.pointer + batch.length
  add('good')
  t.table.process(good, batch.pointer + batch.length - good)
  t.table.process(good, 40)
  assert.equal(t.count('malformed'), 5)
  assert.deepEqual(t.log, ['1.0 good'])
  assert.equal(t.close(), 0)
})

test('random bytes in every word of an event stop nothing', () => {
  const t = new RecordedTable().handshake()
  const batch = new SegmentBuilder(t.memory, 4096)
  let state = 12345
  const random = (): number => (state = (Math.imul(state, 1103515245) + 12345) | 0) >>> 16
  for (let round = 0; round < 20_000; round++) {
    batch.clear().add({ from: CLIENT, to: SERVER, flags: 'PA', sequence: 1001, payload: 'x'.repeat(random() % 50), time: round * MILLISECOND })
    const event = batch.pointer + FRAME_BYTES
    for (let changes = random() % 4; changes > 0; changes--) t.memory.u8[event + (random() % PACKET_EVENT.bytes)] = random()
    t.table.process(batch.pointer, batch.length)
    if (round % 100 === 0) t.table.tick(round * MILLISECOND)
  }
  assert.ok(t.count('malformed') > 0)
  assert.equal(t.close(), 0)
  assert.equal(t.table.space.heldBytes, 0)
})

test('the anomalies are named counts that start at nothing', () => {
  const t = new RecordedTable()
  assert.deepEqual([...t.table.anomalies()].map(([name]) => name), [...CONNECTION_ANOMALIES])
  assert.equal([...t.table.anomalies()].reduce((sum, [, count]) => sum + count, 0), 0)
  t.handshake().client('R', 1)
  assert.deepEqual([...t.table.anomalies()].filter(([, count]) => count > 0), [['reset_ignored', 1]])
  assert.equal(t.close(), 0)
})
