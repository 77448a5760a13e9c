import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as L from '../../wasm/layout.ts'
import { sideBlock } from './connection-block.ts'
import { MILLISECOND, RecordedTable } from './testing/recorded-table.ts'

const OTHER = { interfaceIndex: 2 }

function packets(t: RecordedTable, side: 0 | 1): number {
  return t.memory.u32[(sideBlock(t.controls[0]!.block, side) + L.SIDE_PACKETS) >> 2]!
}

test('every packet seen on two interfaces is one packet', () => {
  const t = new RecordedTable()
  const twice = (send: (more: object) => void): void => {
    send({})
    send(OTHER)
  }
  twice((more) => t.client('S', 1000, '', more))
  twice((more) => t.server('SA', 5000, '', { acknowledgement: 1001, ...more }))
  twice((more) => t.client('A', 1001, '', { acknowledgement: 5001, ...more }))
  twice((more) => t.client('PA', 1001, 'GET', { acknowledgement: 5001, ...more }))
  twice((more) => t.server('PA', 5001, '200', { acknowledgement: 1004, ...more }))
  assert.equal(packets(t, 0), 3)
  assert.equal(packets(t, 1), 2)
  twice((more) => t.client('FA', 1004, '', { acknowledgement: 5004, ...more }))
  assert.deepEqual(t.log, ['1.0 GET', '1.1 200', '1.0 end fin'])
  assert.equal(t.count('duplicates_other_path'), 6)
  assert.equal(t.count('retransmitted'), 0)
  assert.equal(t.close(), 0)
})

test('inside and outside of a tunnel, and both directions of one interface, are paths of their own', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'a').client('PA', 1001, 'a', { tunnel: 1 }).client('PA', 1001, 'a', { direction: 2 })
  assert.equal(t.count('duplicates_other_path'), 2)
  assert.equal(t.close(), 0)
})

test('another path that is first loses nothing, and its double at home is no retransmission', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'a', OTHER).client('PA', 1001, 'a').client('PA', 1002, 'b', OTHER).client('PA', 1002, 'b')
  assert.deepEqual(t.log, ['1.0 a', '1.0 b'])
  assert.equal(t.count('duplicates_other_path'), 2)
  assert.equal(t.count('retransmitted'), 0)
  assert.equal(t.close(), 0)
})

test('a double of a held segment is dropped', () => {
  const t = new RecordedTable().handshake().client('PA', 1003, 'cd').client('PA', 1003, 'cd', OTHER).client('PA', 1001, 'ab')
  assert.deepEqual(t.log, ['1.0 ab', '1.0 cd'])
  assert.equal(t.count('duplicates_other_path'), 1)
  assert.equal(t.count('overlap_same'), 0)
  assert.equal(t.close(), 0)
})

test('a connection that moves to another path stays whole, and the path becomes home after a second', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'a')
  t.client('PA', 1002, 'b', { ...OTHER, time: t.now + 2000 * MILLISECOND }).client('PA', 1003, 'c', OTHER)
  assert.equal(t.count('rehomed'), 1)
  t.client('PA', 1003, 'c', OTHER)
  assert.equal(t.count('retransmitted'), 1)
  t.client('PA', 1003, 'c')
  assert.deepEqual(t.log, ['1.0 a', '1.0 b', '1.0 c'])
  assert.equal(t.count('duplicates_other_path'), 1)
  assert.equal(t.close(), 0)
})

test('a sender whose packets alternate between two paths loses nothing', () => {
  const t = new RecordedTable().handshake()
  for (let i = 0; i < 10; i++) t.client('PA', 1001 + i, String(i), i % 2 === 0 ? OTHER : {})
  assert.equal(t.log.map((entry) => entry.slice(4)).join(''), '0123456789')
  assert.equal(t.close(), 0)
})
