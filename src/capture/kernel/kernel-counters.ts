import type { BpfMap } from '../../../lib/ebpf/mod.ts'
import {
  COUNTER_BYTES_CUT, COUNTER_BYTES_DELIVERED, COUNTER_CONNECTIONS_NEW, COUNTER_COUNT, COUNTER_DELIVERED, COUNTER_IGNORED,
  COUNTER_LOST_COPY, COUNTER_LOST_FULL, COUNTER_LOST_TABLE, COUNTER_MALFORMED, COUNTER_NOT_WANTED_ADDRESS,
  COUNTER_NOT_WANTED_INTERFACE, COUNTER_NOT_WANTED_PORT, COUNTER_NOT_WANTED_PROTOCOL, COUNTER_NO_PAYLOAD,
  COUNTER_OTHER_PATH, COUNTER_OVERLOAD, COUNTER_PACKETS_SEEN, COUNTER_SAMPLED, COUNTER_SKIPPED, COUNTER_TALLIED, COUNTER_UNKNOWN_PROTOCOL,
} from '../events.gen.ts'
import type { PacketCounters } from '../source.ts'

const NOT_WANTED = new Map<string, number>([
  ['port', COUNTER_NOT_WANTED_PORT],
  ['address', COUNTER_NOT_WANTED_ADDRESS],
  ['protocol', COUNTER_NOT_WANTED_PROTOCOL],
  ['interface', COUNTER_NOT_WANTED_INTERFACE],
  ['no_payload', COUNTER_NO_PAYLOAD],
  ['unknown_protocol', COUNTER_UNKNOWN_PROTOCOL],
  ['sampled', COUNTER_SAMPLED],
  ['skipped_body', COUNTER_SKIPPED],
  ['other_path', COUNTER_OTHER_PATH],
  ['ignored', COUNTER_IGNORED],
  ['overload', COUNTER_OVERLOAD],
  ['tallied', COUNTER_TALLIED],
])

const LOST = new Map<string, number>([
  ['ring_full', COUNTER_LOST_FULL],
  ['copy', COUNTER_LOST_COPY],
  ['table_full', COUNTER_LOST_TABLE],
  ['malformed', COUNTER_MALFORMED],
])

export interface KernelCounters extends PacketCounters {
  /** Connections that entered the table. */
  connectionsNew: number
}

/**
 * Sums the counters of all CPUs. While programs run, a packet on its way is in `seen` and in nothing else yet; once they
 * are detached the sum is exact.
 */
export function readCounters(map: BpfMap): KernelCounters {
  const totals = new Array<number>(COUNTER_COUNT).fill(0)
  for (const cpu of map.lookupPerCpu(new Uint8Array(4)) ?? []) {
    const view = new DataView(cpu.buffer, cpu.byteOffset, cpu.byteLength)
    for (let index = 0; index < COUNTER_COUNT; index++) totals[index]! += Number(view.getBigUint64(index * 8, true))
  }
  const at = (index: number): number => totals[index] ?? 0
  const named = (names: ReadonlyMap<string, number>): Map<string, number> =>
    new Map([...names].map(([name, index]) => [name, at(index)]))
  return {
    seen: at(COUNTER_PACKETS_SEEN),
    delivered: at(COUNTER_DELIVERED),
    notWanted: named(NOT_WANTED),
    lost: named(LOST),
    bytesDelivered: at(COUNTER_BYTES_DELIVERED),
    bytesCut: at(COUNTER_BYTES_CUT),
    connectionsNew: at(COUNTER_CONNECTIONS_NEW),
  }
}
