import type { ByteMemory } from '../../../../lib/bytes/mod.ts'
import { PACKET_EVENT as E } from '../../events.gen.ts'
import { FRAME_BYTES, RECORD_BYTES_MAX, type PacketCounters } from '../../source.ts'
import type { FileSource } from '../mod.ts'

const PROTOCOL_TCP = 6

export interface Summary {
  readonly events: number
  /** Pairs of endpoints that TCP connects, in both directions and whatever tunnel they are in. */
  readonly tcpPairs: number
}

/** Reads a source to its end and checks each record on the way: framing, bounds, times. */
export function readSource(memory: ByteMemory, source: FileSource, batch: number, room: number): Summary {
  const pairs = new Set<string>()
  let events = 0
  while (!source.ended) {
    const bytes = source.fill(batch, room)
    if (bytes > room || bytes % 8 !== 0) throw new Error(`Cannot accept a batch of ${bytes} bytes in ${room}`)
    for (let at = batch; at < batch + bytes; at += recordBytes(memory, at)) {
      events++
      checkRecord(memory, at, batch + bytes)
      const event = at + FRAME_BYTES
      if (memory.u8[event + E.ip_protocol] === PROTOCOL_TCP) pairs.add(pairOf(memory, event))
    }
  }
  return { events, tcpPairs: pairs.size }
}

function recordBytes(memory: ByteMemory, at: number): number {
  return (FRAME_BYTES + memory.u32[at >> 2]! + 7) & ~7
}

function checkRecord(memory: ByteMemory, at: number, end: number): void {
  const event = at + FRAME_BYTES
  const length = memory.u32[at >> 2]!
  const captured = memory.u32[(event + E.captured_length) >> 2]!
  const payload = memory.u32[(event + E.payload_length) >> 2]!
  const high = memory.u32[(event + E.time_ns + 4) >> 2]!
  if (length !== E.bytes + captured) throw new Error(`Cannot accept a record of ${length} bytes for ${captured}`)
  if (captured > payload) throw new Error(`Cannot accept ${captured} bytes of a payload of ${payload}`)
  if (recordBytes(memory, at) > RECORD_BYTES_MAX || at + recordBytes(memory, at) > end) {
    throw new Error('Cannot accept a record that goes past its batch')
  }
  if (high >= 2 ** 31) throw new Error(`Cannot accept a time of ${high} * 2^32 ns`)
}

function pairOf(memory: ByteMemory, event: number): string {
  const source = endpoint(memory, event + E.source_address, event + E.source_port)
  const destination = endpoint(memory, event + E.destination_address, event + E.destination_port)
  const pair = source < destination ? source + destination : destination + source
  return `${memory.u8[event + E.ip_version]}${pair}`
}

function endpoint(memory: ByteMemory, address: number, port: number): string {
  return `${memory.latin1(address, 16)}${memory.u16[port >> 1]}|`
}

/** What is missing (positive) or too much (negative) in the ledger. */
export function ledgerOff(counters: PacketCounters): number {
  let rest = counters.seen - counters.delivered
  for (const count of [...counters.notWanted.values(), ...counters.lost.values()]) rest -= count
  return rest
}
