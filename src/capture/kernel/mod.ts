/**
 * kernel: packets of this machine, live, from eBPF programs (`bpf/`).
 *
 * In    network interfaces (TCX, clsact, XDP, packet socket) or a cgroup; filters and directives, at any time.
 * Out   framed packet events (`bpf/events.h`) in shared memory, straight from the ring or perf buffer.
 * Drops what the filters do not want, what user space asked to skip, what finds no room: each under a counter, and
 *       `seen` is their sum.
 * Limit the ring, the connection table (least recently used goes), one reader a ring; interfaces are looked at each second.
 *       Several workers have a ring each, and a connection is in one of them for good (`KernelSource`, `ShardSource`).
 *
 * @module
 */
export type { KernelShard } from './event-rings.ts'
export { KernelSource } from './kernel-source.ts'
export type { ProgramCost } from './kernel-source.ts'
export type { AttachmentChange, AttachmentCounts, AttachmentRefusal, KernelAttachment } from './attachments.ts'
export { KernelProtocol } from './filters.ts'
export type { KernelFilters } from './filters.ts'
export type { KernelCounters } from './kernel-counters.ts'
export { KernelAttach, KernelTransport } from './options.ts'
export type { KernelOptions } from './options.ts'
export { ShardSource } from './shard-source.ts'
export { readTallyKey, TALLY_LABELS } from './tally-key.ts'
export type { TallyLabel } from './tally-key.ts'
export type { TallyCounts, TallyReader, TallyTotals } from './tally-reader.ts'
export { TallySource } from './tally-source.ts'
