/**
 * ebpf: libbpf's objects, maps, programs, links and buffers for TypeScript.
 *
 * In    an ELF file compiled by `clang -target bpf`, and a Linux kernel (5.8 for ring buffers and links).
 * Out   maps to read and write, programs attached where packets or functions pass, records as bytes.
 * Drops nothing by itself: a full ring is the program's to count, `PerfBuffer.lost` counts for perf.
 *       Everything attached goes with the process, however it ends; only `attachTc` outlives `kill -9`.
 * Limits one reader per buffer; verifier logs up to 16 MiB; little-endian x86-64, arm64 and riscv64.
 *
 * Importing is free of libbpf and of privileges; the library is opened at the first call that needs it.
 * Names are libbpf's. See README.md for a first example.
 *
 * @module
 */
export { BpfError } from './bpf-error.ts'
export { BpfMap } from './bpf-map.ts'
export type { MapHandle } from './bpf-map.ts'
export { BpfObject, GlobalSection } from './bpf-object.ts'
export type { OpenOptions } from './bpf-object.ts'
export { BpfProgram } from './bpf-program.ts'
export { Btf, ScalarKind } from './btf.ts'
export type { BtfField, BtfStruct } from './btf.ts'
export { bpfStats } from './bpf-stats.ts'
export { cgroup2MountPath } from './cgroup2.ts'
export { forbidCoreDumps } from './core-dump.ts'
export { onlineCpus, possibleCpus } from './cpus.ts'
export { feature } from './feature.ts'
export type { FeatureAnswer, NamedFeature } from './feature.ts'
export { releaseFreeMemory } from './free-memory.ts'
export { Globals } from './globals.ts'
export { LinkKind } from './link.ts'
export type { Link } from './link.ts'
export { CgroupHook } from './link-cgroup.ts'
export type { Direction, TcxOptions, XdpMode } from './link-network.ts'
export type { UprobeMultiTarget, UprobePlace, UprobeTarget } from './link-probe.ts'
export type { TcOptions } from './link-tc.ts'
export { MappingWatch } from './mapping-watch.ts'
export type { NewMapping } from './mapping-watch.ts'
export { interfaceIndex } from './network-interface.ts'
export { inNetworkNamespace } from './network-namespace.ts'
export { PerfBuffer } from './perf-buffer.ts'
export type { PerfBufferOptions } from './perf-buffer.ts'
export type { ProgramInfo } from './program-info.ts'
export { RingBuffer } from './ring-buffer.ts'
export type { TestRunOptions, TestRunResult } from './test-run.ts'
export { AttachType, MapType, ProgramType, UpdateFlag } from './uapi.ts'
export { LoadError, VerifierError } from './verifier-error.ts'
