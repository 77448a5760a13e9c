import { existsSync } from 'node:fs'

import type { BpfMap } from './bpf-map.ts'
import type { BpfProgram } from './bpf-program.ts'
import { missingCapabilities } from './capabilities.ts'
import { libbpf } from './libbpf.ts'
import { pageSizeBytes } from './mapped-memory.ts'
import { MapType, ProgramType } from './uapi.ts'
import { LoadError } from './verifier-error.ts'

/** A load that failed without a verifier log. */
export interface FailedLoad {
  readonly path: string
  readonly code: string
  readonly reason: string
  readonly maps: ReadonlyMap<string, BpfMap>
  readonly programs: ReadonlyMap<string, BpfProgram>
}

const VMLINUX_BTF = '/sys/kernel/btf/vmlinux'

/** Finds out why: libbpf tells an errno and no more, so privileges and kernel features are looked at. */
export function explainLoad(load: FailedLoad): LoadError {
  return new LoadError(`Cannot load "${load.path}": ${cause(load)}`, load.code)
}

function cause(load: FailedLoad): string {
  if (load.code === 'EPERM' || load.code === 'EACCES') return `${load.reason}; ${privilege()}`
  for (const map of load.maps.values()) {
    const why = causeInMap(map)
    if (why !== undefined) return why
  }
  for (const program of load.programs.values()) {
    if (!program.autoload) continue
    if (program.type === 'unspec') {
      return `the section "${program.section}" of "${program.name}" names no program type libbpf knows; `
        + 'rename it or call setType()'
    }
    // SAFETY: no memory is passed.
    if (libbpf.libbpf_probe_bpf_prog_type(ProgramType[program.type], null) === 0) {
      return `the program "${program.name}" is a ${program.type}, which this kernel does not have; `
        + 'leave it out with setAutoload(false)'
    }
  }
  if (load.code === 'ESRCH' && !existsSync(VMLINUX_BTF)) {
    return `it needs the kernel's BTF and "${VMLINUX_BTF}" is missing; use a kernel with `
      + 'CONFIG_DEBUG_INFO_BTF or give btfPath'
  }
  if (load.code === 'ENOMEM') return `${load.reason}; make its maps smaller with setMaxEntries()`
  return load.reason
}

function causeInMap(map: BpfMap): string | undefined {
  // SAFETY: no memory is passed.
  if (libbpf.libbpf_probe_bpf_map_type(MapType[map.type], null) === 0) {
    const mend = map.type === 'ringbuf'
      ? 'ring buffers came with kernel 5.8; call setType("perf_event_array")'
      : 'leave it out with setAutocreate(false)'
    return `the map "${map.name}" is a ${map.type}, which this kernel does not have; ${mend}`
  }
  const isRing = map.type === 'ringbuf' || map.type === 'user_ringbuf'
  const isPowerOfTwo = (map.maxEntries & (map.maxEntries - 1)) === 0
  if (isRing && (map.maxEntries % pageSizeBytes() !== 0 || !isPowerOfTwo)) {
    return `the ring buffer "${map.name}" has ${map.maxEntries} bytes; make it a power of two `
      + `and a multiple of ${pageSizeBytes()}`
  }
  if (map.maxEntries === 0 && map.type !== 'perf_event_array') {
    return `the map "${map.name}" has no max_entries; set it in its definition or with setMaxEntries()`
  }
  return undefined
}

function privilege(): string {
  const missing = missingCapabilities(['CAP_BPF', 'CAP_NET_ADMIN', 'CAP_PERFMON'])
  if (missing.length > 0) return `this process lacks ${missing.join(', ')}: run as root or grant them`
  return 'the capabilities are there, so a user namespace, seccomp, kernel lockdown or (before kernel 5.11) '
    + 'RLIMIT_MEMLOCK forbids it'
}
