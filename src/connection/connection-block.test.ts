import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as L from '../../wasm/layout.ts'
import { sideBlock } from './connection-block.ts'
import type { Connection } from './connection.ts'
import { CLIENT, MILLISECOND, RecordedTable, SERVER } from './testing/recorded-table.ts'

test('the block says who talks to whom, over what, and how the handshake went', () => {
  const t = new RecordedTable().client('S', 1000, '', { windowScale: 7, mss: 1460, interfaceIndex: 3, direction: 1, tunnel: 1 })
    .server('SA', 5000, '', { acknowledgement: 1001, windowScale: 8, mss: 1400, direction: 2 })
    .client('A', 1001, '', { acknowledgement: 5001, interfaceIndex: 3, direction: 1, tunnel: 1 })
    .client('PA', 1001, 'GET', { acknowledgement: 5001, window: 501, interfaceIndex: 3, direction: 1, tunnel: 1 })
  const { u8, u16, u32, f64 } = t.memory
  const { block } = t.controls[0]!
  assert.equal(u8[block + L.CONNECTION_IP_VERSION], 4)
  assert.equal(u8[block + L.CONNECTION_TRANSPORT], 6)
  assert.equal(u8[block + L.CONNECTION_CLIENT], 0)
  assert.equal(u8[block + L.CONNECTION_TUNNEL], 1)
  assert.equal(u32[(block + L.CONNECTION_INTERFACE) >> 2], 3)
  assert.equal(u32[(block + L.CONNECTION_ID) >> 2], 1)
  assert.deepEqual([...u8.subarray(block + L.CONNECTION_ADDRESS, block + L.CONNECTION_ADDRESS + 5)], [10, 0, 0, 1, 0])
  assert.deepEqual([...u8.subarray(block + L.CONNECTION_ADDRESS + 16, block + L.CONNECTION_ADDRESS + 21)], [10, 0, 0, 2, 0])
  assert.deepEqual([...u16.subarray((block + L.CONNECTION_PORT) >> 1, ((block + L.CONNECTION_PORT) >> 1) + 2)], [CLIENT.port, SERVER.port])
  assert.deepEqual([u8[block + L.CONNECTION_DIRECTION], u8[block + L.CONNECTION_DIRECTION + 1]], [1, 2])
  assert.equal(f64[(block + L.CONNECTION_START_TIME) >> 3], MILLISECOND)
  assert.equal(f64[(block + L.CONNECTION_HANDSHAKE) >> 3], 2 * MILLISECOND)
  const client = sideBlock(block, 0)
  assert.equal(u16[(client + L.SIDE_TCP_FLAGS) >> 1], 2 | 8 | 16)
  assert.equal(u16[(client + L.SIDE_WINDOW) >> 1], 501)
  assert.equal(u8[client + L.SIDE_WINDOW_SCALE], 7)
  assert.equal(u16[(client + L.SIDE_MSS) >> 1], 1460)
  assert.equal(u32[(client + L.SIDE_PACKETS) >> 2], 3)
  assert.equal(f64[(client + L.SIDE_BYTES) >> 3], 3)
  assert.equal(u8[sideBlock(block, 1) + L.SIDE_WINDOW_SCALE], 8)
  assert.equal(t.close(), 0)
})

test('an IPv6 address fills its 16 bytes, and a joined connection says so', () => {
  const from = { address: '2001:db8::99', port: 7 }
  const t = new RecordedTable().send({ from, to: { address: '2001:db8::1', port: 9 }, flags: 'PA', sequence: 1, payload: 'x' })
  const { block } = t.controls[0]!
  const at = block + L.CONNECTION_ADDRESS
  assert.equal(Buffer.from(t.memory.read(at, 32)).toString('hex'), '20010db8000000000000000000000001' + '20010db8000000000000000000000099')
  assert.equal(t.memory.u8[block + L.CONNECTION_FLAGS]! & L.CONNECTION_FLAG_MIDSTREAM, L.CONNECTION_FLAG_MIDSTREAM)
  assert.equal(t.memory.u8[block + L.CONNECTION_CLIENT], 255)
  assert.equal(t.memory.f64[(block + L.CONNECTION_HANDSHAKE) >> 3], -1)
  t.controls[0]!.setClient(1)
  assert.equal(t.memory.u8[block + L.CONNECTION_CLIENT], 1)
  assert.equal(t.close(), 0)
})

test('packets, bytes and retransmissions come from the kernel where it counts, else from here', () => {
  const t = new RecordedTable().handshake().client('PA', 1001, 'ab', { seen: { packets: 40, bytes: 5 * 2 ** 32 + 1, retransmissions: 6 } })
  t.server('PA', 5001, 'x').server('PA', 5001, 'x')
  const client = sideBlock(t.controls[0]!.block, 0)
  const server = sideBlock(t.controls[0]!.block, 1)
  assert.equal(t.memory.u32[(client + L.SIDE_PACKETS) >> 2], 40)
  assert.equal(t.memory.f64[(client + L.SIDE_BYTES) >> 3], 5 * 2 ** 32 + 1)
  assert.equal(t.memory.u32[(client + L.SIDE_RETRANSMISSIONS) >> 2], 6)
  assert.equal(t.memory.u32[(server + L.SIDE_PACKETS) >> 2], 3)
  assert.equal(t.memory.u32[(server + L.SIDE_RETRANSMISSIONS) >> 2], 1)
  assert.equal(t.close(), 0)
})

test('lost bytes and resets are in the block', () => {
  let lost = -1
  let resets = -1
  const closed = ({ block }: Connection): void => {
    const server = sideBlock(block, 1)
    lost = t.memory.f64[(server + L.SIDE_LOST_BYTES) >> 3]!
    resets = t.memory.u32[(server + L.SIDE_RESETS) >> 2]!
  }
  const t = new RecordedTable({ events: { closed } })
  t.handshake().server('PA', 5004, 'd').server('R', 5005)
  assert.deepEqual([lost, resets], [3, 1])
  assert.equal(t.close(), 0)
})

test('a live source that leaves out bare acknowledgements does not make a late request the end of the handshake', () => {
  const live = { hook: 1 }
  const t = new RecordedTable().client('S', 1000, '', live).server('SA', 5000, '', { acknowledgement: 1001, ...live })
    .client('PA', 1001, 'x', { acknowledgement: 5001, ...live, seen: { packets: 3, bytes: 1, retransmissions: 0 } })
  assert.equal(t.memory.f64[(t.controls[0]!.block + L.CONNECTION_HANDSHAKE) >> 3], -1)
  const second = new RecordedTable().client('S', 1000, '', live).server('SA', 5000, '', { acknowledgement: 1001, ...live })
    .client('PA', 1001, 'x', { acknowledgement: 5001, ...live, seen: { packets: 2, bytes: 1, retransmissions: 0 } })
  assert.equal(second.memory.f64[(second.controls[0]!.block + L.CONNECTION_HANDSHAKE) >> 3], 2 * MILLISECOND)
  assert.equal(t.close() + second.close(), 0)
})

test('the block lives until both sides have ended and every retain is released', () => {
  const t = new RecordedTable({ onData: (control) => { control.retain() } }).handshake().client('FPA', 1001, 'a').server('FA', 5001)
  const control = t.controls[0]!
  assert.notEqual(control.block, 0)
  assert.ok(t.close() > 0)
  assert.equal(t.memory.u16[(control.block + L.CONNECTION_PORT) >> 1], CLIENT.port)
  control.release()
  assert.equal(t.memory.allocator.allocatedBytes(), t.allocatedBefore)
})
