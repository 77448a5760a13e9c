/**
 * Nanoseconds per packet event in the connection stage: `node bench/connection.ts`. The best of five rounds a
 * line.
 *
 * @module
 */
import { ByteMemory } from '../lib/bytes/mod.ts'
import { ConnectionTable } from '../src/connection/mod.ts'
import type { StreamHandler } from '../src/connection/mod.ts'
import { FRAME_BYTES, PACKET_EVENT } from '../src/capture/mod.ts'
import { SegmentBuilder } from '../src/connection/testing/segment-builder.ts'

const ROUNDS = 5
const EVENTS = 1_000_000
const PAYLOAD_BYTES = 400
const SERVER = { address: '10.0.0.2', port: 80 }

const memory = new ByteMemory()
const builder = new SegmentBuilder(memory, 16 << 20)
let bytesSeen = 0
const handler: StreamHandler = {
  data: (_side, _pointer, length) => { bytesSeen += length },
  gap: () => {},
  skipped: () => {},
  end: () => {},
}

/**
 * Established connections, in-order data on both sides; one batch holds one segment of each, with the words
 * that move on.
 */
function measure(name: string, connections: number, isNumbered: boolean, isSwapped: boolean): void {
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const table = new ConnectionTable(memory, { skip: () => {}, ignore: () => {} }, () => handler)
    const payload = new Uint8Array(PAYLOAD_BYTES)
    const clientOf = (index: number) => ({ address: `10.1.${index >> 8}.${index & 255}`, port: 40000 })
    for (let index = 0; index < connections; index++) {
      const client = clientOf(index)
      builder.clear().add({ from: client, to: SERVER, flags: 'S', sequence: 0 })
        .add({ from: SERVER, to: client, flags: 'SA', sequence: 0, acknowledgement: 1 })
      table.process(builder.pointer, builder.length)
    }
    builder.clear()
    for (let index = 0; index < connections; index++) {
      builder.add({
        from: SERVER, to: clientOf(index), sequence: 1, acknowledgement: 1, payload, time: 1,
        ...(isNumbered ? { record: 0, tag: index + 1 } : {}),
      })
    }
    best = Math.min(best, run(table, connections, isSwapped))
    table.close(2)
  }
  console.log(`${name.padEnd(44)} ${best.toFixed(0).padStart(6)} ns`)
}

function run(table: ConnectionTable, connections: number, isSwapped: boolean): number {
  const framed = builder.length / connections
  const batches = Math.floor(EVENTS / connections)
  let spent = 0n
  for (let batch = 0; batch < batches; batch++) {
    // Swapped: of each two segments the later one comes first.
    const place = isSwapped ? batch ^ 1 : batch
    for (let at = builder.pointer; at < builder.pointer + builder.length; at += framed) {
      memory.u32[(at + FRAME_BYTES + PACKET_EVENT.tcp_sequence) >> 2] = 1 + place * PAYLOAD_BYTES
      memory.u32[(at + FRAME_BYTES + PACKET_EVENT.record_number) >> 2] = batch
      memory.u32[(at + FRAME_BYTES + PACKET_EVENT.time_ns) >> 2] = batch * 1000
    }
    const start = process.hrtime.bigint()
    table.process(builder.pointer, builder.length)
    spent += process.hrtime.bigint() - start
  }
  return Number(spent) / (batches * connections)
}

measure('in order, 1,000 connections', 1000, false, false)
measure('in order, 1,000 connections, numbered', 1000, true, false)
measure('in order, 20,000 connections', 20_000, true, false)
measure('every second segment out of order', 1000, false, true)

/** A flood of SYNs from distinct endpoints. */
function measureFlood(): void {
  const table = new ConnectionTable(memory, { skip: () => {}, ignore: () => {} }, () => handler)
  builder.clear().add({ from: { address: '10.0.0.0', port: 1 }, to: SERVER, flags: 'S', sequence: 0 })
  const event = builder.pointer + FRAME_BYTES
  const start = process.hrtime.bigint()
  for (let index = 0; index < EVENTS; index++) {
    memory.u32[(event + PACKET_EVENT.source_address) >> 2] = index
    table.process(builder.pointer, builder.length)
  }
  const spent = Number(process.hrtime.bigint() - start) / EVENTS
  console.log(`${'SYN flood, table full'.padEnd(44)} ${spent.toFixed(0).padStart(6)} ns`)
  table.close(2)
}

measureFlood()
if (bytesSeen === 0) throw new Error('Cannot measure: no byte was delivered')
