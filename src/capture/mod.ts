/**
 * capture: the kernel or a capture file → packet events.
 *
 * In    live traffic at a hook (`kernel/`), or a pcap or pcapng file (`file/`, through `dissect/`).
 * Out   batches of framed `struct packet_event` (bpf/events.h) in shared memory.
 * Drops what no filter wants, and what a full ring refuses; each under a counter (`PacketCounters`).
 *
 * @module
 */
export * from './events.gen.ts'
export { connectionSample } from './connection-sample.ts'
export { ALL_FLOWS, FlowShares } from './flow-share.ts'
export type { FlowShare } from './flow-share.ts'
export { packetFilter } from './packet-filter.ts'
export { FRAME_BUSY, FRAME_BYTES, FRAME_DISCARD, RECORD_BYTES_MAX } from './source.ts'
export type { PacketCounters, PacketSource } from './source.ts'
export { DISSECT_OUTCOME, Dissector, FIRST_LOSS, FrameMeta, PROTOCOL_BIT } from './dissect/mod.ts'
export type { TlsProcess } from './tls/mod.ts'
export { FileSource, PacketCopy } from './file/mod.ts'
export type { CopyCounts, FileSourceOptions } from './file/mod.ts'
export { KernelSource, readTallyKey, ShardSource, TALLY_LABELS, TallySource } from './kernel/mod.ts'
export type { KernelFilters, KernelOptions, KernelShard, TallyCounts, TallyLabel, TallyReader, TallyTotals } from './kernel/mod.ts'
export { placeOf, readProcess, UserNames } from './process/mod.ts'
export type { CgroupPlace, ProcessInfo } from './process/mod.ts'
export { globFilter, processFilter, tlsProcesses } from './tls/mod.ts'
