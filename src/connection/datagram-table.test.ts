import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import * as L from '../../wasm/layout.ts'
import { PACKET_EVENT as E } from '../capture/mod.ts'
import { DatagramTable } from './mod.ts'
import type { DatagramHandler, Side, StreamControl } from './mod.ts'

const memory = new ByteMemory()
const event = memory.reserve(2048)

interface Datagram {
  readonly from: readonly [last: number, port: number]
  readonly to: readonly [last: number, port: number]
  readonly text: string
  readonly time?: number
}

/** Writes a UDP packet event between 10.0.0.x and 10.0.0.y. */
function write({ from, to, text, time = 0 }: Datagram): number {
  memory.u8.fill(0, event, event + 2048)
  const { view } = memory
  view.setBigUint64(event + E.time_ns, BigInt(time), true)
  view.setUint32(event + E.payload_length, text.length, true)
  view.setUint32(event + E.captured_length, text.length, true)
  view.setUint16(event + E.data_offset, E.bytes, true)
  view.setUint16(event + E.source_port, from[1], true)
  view.setUint16(event + E.destination_port, to[1], true)
  view.setUint8(event + E.ip_version, 4)
  view.setUint8(event + E.ip_protocol, 17)
  memory.write(event + E.source_address, Uint8Array.of(10, 0, 0, from[0]))
  memory.write(event + E.destination_address, Uint8Array.of(10, 0, 0, to[0]))
  memory.write(event + E.bytes, Buffer.from(text))
  return event
}

class Handler implements DatagramHandler {
  readonly log: string[] = []
  readonly control: StreamControl
  isDone = false

  constructor(control: StreamControl) {
    this.control = control
  }

  datagram(side: Side, bytes: Uint8Array, time: number): void {
    this.log.push(`${side} ${Buffer.from(bytes).toString()} ${time}`)
    if (this.log.length === 3) this.isDone = true
  }

  end(time: number): void {
    this.log.push(`end ${time}`)
  }
}

function open(): { table: DatagramTable; handlers: Handler[]; freed: number[] } {
  const handlers: Handler[] = []
  const freed: number[] = []
  const table = new DatagramTable(memory, (control) => {
    handlers.push(new Handler(control))
    return handlers.at(-1)!
  }, { freeing: (block) => { freed.push(block) } })
  return { table, handlers, freed }
}

test('datagrams go by flow, with the side that sent them, until the handler is done', () => {
  const { table, handlers, freed } = open()
  const [a, b] = [[1, 50000], [2, 443]] as const
  table.process(write({ from: b, to: a, text: 'x', time: 1 }))
  table.process(write({ from: a, to: b, text: 'y', time: 2 }))
  table.process(write({ from: a, to: [2, 444], text: 'other', time: 3 }))
  assert.equal(handlers.length, 2)
  assert.equal(handlers[0]!.control.client, undefined)
  handlers[0]!.control.setClient(0)
  assert.equal(memory.u8[handlers[0]!.control.block + L.CONNECTION_CLIENT], 0)
  assert.equal(memory.u16[(handlers[0]!.control.block + L.CONNECTION_PORT + 2) >>> 1], 443)
  table.process(write({ from: b, to: a, text: 'z', time: 4 }))
  table.process(write({ from: b, to: a, text: 'too late', time: 5 }))
  assert.deepEqual(handlers[0]!.log, ['1 x 1', '0 y 2', '1 z 4'])
  assert.equal(freed.length, 1)
  table.close(9)
  assert.deepEqual(handlers.map(({ log }) => log.at(-1)), ['end 9', 'end 9'])
  assert.equal(freed.length, 2)
  assert.equal(memory.allocator.allocatedBytes(), 0)
})

test('a flow that is quiet is forgotten, and a new one on its ports is another', () => {
  const { table, handlers } = open()
  const packet: Datagram = { from: [1, 50000], to: [2, 443], text: 'x' }
  table.process(write({ ...packet, time: 1e9 }))
  table.tick(5.9e9)
  assert.deepEqual(handlers[0]!.log.length, 1)
  table.tick(6.1e9)
  assert.equal(handlers[0]!.log.at(-1), 'end 6100000000')
  table.process(write({ ...packet, time: 7e9 }))
  assert.equal(handlers.length, 2)
  table.close(8e9)
  assert.equal(memory.allocator.allocatedBytes(), 0)
})

test('flows are bounded: the one that was quiet longest goes first, counted', () => {
  const { table, handlers } = open()
  for (let port = 0; port < 4096; port++) table.process(write({ from: [1, port], to: [2, 443], text: 'x', time: port }))
  table.process(write({ from: [1, 0], to: [2, 443], text: 'again', time: 5000 }))
  assert.equal(table.evicted, 0)
  table.process(write({ from: [1, 5000], to: [2, 443], text: 'x', time: 5001 }))
  assert.equal(table.evicted, 1)
  assert.equal(handlers[0]!.log.at(-1), '0 again 5000')
  assert.equal(handlers[1]!.log.at(-1), 'end 5001')
  table.close(6000)
  assert.equal(memory.allocator.allocatedBytes(), 0)
})
