import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../lib/bytes/mod.ts'
import { FactsTable, FieldTable, RecordWriter } from '../lib/record/mod.ts'
import { EVENT_FRAME, FRAME_BYTES, PACKET_EVENT, RECORD_BYTES_MAX } from './capture/mod.ts'
import type { PacketSource } from './capture/mod.ts'
import { defaultConfig } from './config.ts'
import { FIELDS, MARK_REASONS, ProcessTable } from './exchange/mod.ts'
import { FlowTrack } from './flow-track.ts'
import { Wall } from './privacy/wall.ts'

const LINK_TYPE_ETHERNET = 1
const LINK_TYPE_USER0 = 147

/** Frames as the kernel hands them over; a source that gives nothing else. */
const SOURCE: PacketSource = {
  name: 'frames', ended: false, seesBothDirections: true,
  fill: () => 0, epochNanoseconds: () => 0n, interfaceName: () => 'lo', skip: () => {}, ignore: () => {},
  counters: () => ({ seen: 0, delivered: 0, notWanted: new Map(), lost: new Map(), bytesDelivered: 0, bytesCut: 0 }), close: () => {},
}

test('a whole frame that gives no segment is counted under the name of what became of it', () => {
  const memory = new ByteMemory({ imports: Wall.imports() })
  const batch = memory.reserve(RECORD_BYTES_MAX)
  const table = new FieldTable(memory, FIELDS, MARK_REASONS)
  const facts = new FactsTable({ memory, writer: new RecordWriter(memory, table), protect: (raw) => raw, countMax: 1 })
  const told = new Map<string, number>()
  const track = new FlowTrack(memory, SOURCE, defaultConfig(), memory.reserve(RECORD_BYTES_MAX), facts,
    new ProcessTable(memory, facts, () => {}), {
    exchange: () => {}, dropped: () => {}, record: () => {}, epoch: () => 0n,
    anomaly: (name, count) => { told.set(name, (told.get(name) ?? 0) + count) },
  })
  const frame = (linkType: number, bytes: readonly number[]): void => {
    const event = batch + FRAME_BYTES
    memory.u8.fill(0, batch, event + PACKET_EVENT.bytes + 64)
    memory.u32[batch >>> 2] = PACKET_EVENT.bytes + bytes.length
    memory.u8[event + PACKET_EVENT.kind] = EVENT_FRAME
    memory.u16[(event + PACKET_EVENT.data_offset) >>> 1] = PACKET_EVENT.bytes
    memory.u16[(event + PACKET_EVENT.link_type) >>> 1] = linkType
    memory.u32[(event + PACKET_EVENT.captured_length) >>> 2] = bytes.length
    memory.u32[(event + PACKET_EVENT.frame_length) >>> 2] = bytes.length
    memory.u8.set(bytes, event + PACKET_EVENT.bytes)
    track.process(batch, (FRAME_BYTES + PACKET_EVENT.bytes + bytes.length + 7) & ~7)
  }
  const addresses = Array<number>(12).fill(2)
  frame(LINK_TYPE_USER0, [1, 2, 3, 4])
  frame(LINK_TYPE_ETHERNET, [...addresses, 0x08, 0x00, 0x45, 0]) // IPv4 that ends in its header
  frame(LINK_TYPE_ETHERNET, [...addresses, 0x88, 0xcc, 0, 0]) // LLDP: no IP inside
  track.tick(0)
  track.tick(0)
  assert.deepEqual(told, new Map([['frame_not_read', 1], ['link_type_unknown', 1], ['header_short', 1]]))
})
