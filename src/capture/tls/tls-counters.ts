import type { BpfMap } from '../../../lib/ebpf/mod.ts'
import {
  TLS_BYTES, TLS_BYTES_CUT, TLS_CALLS_CUT, TLS_CALLS_DELIVERED, TLS_CALLS_IGNORED, TLS_CALLS_LOST_COPY, TLS_CALLS_LOST_FULL,
  TLS_CALLS_LOST_TABLE, TLS_CALLS_SEEN, TLS_CALLS_SKIPPED, TLS_CHUNKS, TLS_COUNTER_COUNT, TLS_NOTICES_LOST, TLS_SESSIONS,
  TLS_THREAD_REFUSED, TLS_TOO_DEEP, TLS_UNRETURNED,
} from '../events.gen.ts'
import type { PacketCounters } from '../source.ts'

/** Ledger of TLS calls that moved bytes, as of packets. */
export interface TlsCounters extends PacketCounters {
  /** What else was odd, by name. */
  readonly oddities: ReadonlyMap<string, number>
  readonly sessions: number
  /** Records of the ring with bytes. */
  readonly chunks: number
}

/** `skipped_body`: nothing of the call was wanted. `ignored`: no known protocol, filtered, or told by the connection's other end. */
const NOT_WANTED: ReadonlyMap<string, number> = new Map([['skipped_body', TLS_CALLS_SKIPPED], ['ignored', TLS_CALLS_IGNORED]])
const LOST: ReadonlyMap<string, number> = new Map([
  ['ring_full', TLS_CALLS_LOST_FULL], ['copy', TLS_CALLS_LOST_COPY], ['table_full', TLS_CALLS_LOST_TABLE],
])
const ODD: ReadonlyMap<string, number> = new Map([
  ['tls_call_cut', TLS_CALLS_CUT],
  ['tls_call_lost_ring_full', TLS_CALLS_LOST_FULL],
  ['tls_call_lost_copy', TLS_CALLS_LOST_COPY],
  ['tls_call_lost_table_full', TLS_CALLS_LOST_TABLE],
  ['tls_thread_refused', TLS_THREAD_REFUSED],
  ['tls_call_too_deep', TLS_TOO_DEEP],
  ['tls_call_unreturned', TLS_UNRETURNED],
  ['tls_notice_lost', TLS_NOTICES_LOST],
])

/** Sums the counters of all CPUs. Exact once nothing runs in the probes. */
export function readTlsCounters(map: BpfMap): TlsCounters {
  const totals = new Array<number>(TLS_COUNTER_COUNT).fill(0)
  for (const cpu of map.lookupPerCpu(new Uint8Array(4)) ?? []) {
    const view = new DataView(cpu.buffer, cpu.byteOffset, cpu.byteLength)
    for (let index = 0; index < TLS_COUNTER_COUNT; index++) totals[index]! += Number(view.getBigUint64(index * 8, true))
  }
  const at = (index: number): number => totals[index] ?? 0
  const named = (names: ReadonlyMap<string, number>): Map<string, number> => new Map([...names].map(([name, index]) => [name, at(index)]))
  return {
    seen: at(TLS_CALLS_SEEN),
    delivered: at(TLS_CALLS_DELIVERED),
    notWanted: named(NOT_WANTED),
    lost: named(LOST),
    oddities: named(ODD),
    sessions: at(TLS_SESSIONS),
    chunks: at(TLS_CHUNKS),
    bytesDelivered: at(TLS_BYTES),
    bytesCut: at(TLS_BYTES_CUT),
  }
}
