import { accessSync, constants, readFileSync } from 'node:fs'
import { constants as system } from 'node:os'

import { cgroup2MountPath } from './cgroup2.ts'
import { helperNumber } from './helper-names.ts'
import { libbpf, libc } from './libbpf.ts'
import { createLink } from './link-network.ts'
import { CStruct, bpfSyscall, cString, failureOf } from './syscall.ts'
import { AttachType, BPF_F_MMAPABLE, BpfCommand, MapType, ProgramType, XDP_FLAGS_DRV_MODE } from './uapi.ts'

/** What a probe found. `unknown` is neither: the kernel would not say, mostly for want of privileges. */
export interface FeatureAnswer {
  readonly answer: 'yes' | 'no' | 'unknown'
  readonly reason: string
}

/** A named probe of `feature.all()`. */
export interface NamedFeature extends FeatureAnswer {
  readonly name: string
}

const VMLINUX_BTF = '/sys/kernel/btf/vmlinux'
/** An interface index nobody has. */
const NO_INTERFACE = 0x7fff_fffe
/** `lo` is the first interface of every network namespace. */
const LOOPBACK = 1
const PROG_LOAD_BYTES = 128
const LOG_BYTES = 4096
const MAP_CREATE_BYTES = 72

const cache = new Map<string, FeatureAnswer>()

/** Asks the running kernel what it can do. Every answer is kept for the life of the process. */
// SAFETY of libbpf's probes: they take numbers and NULL, no memory.
export const feature = {
  /** Whether the kernel has a program type. */
  programType(type: ProgramType): FeatureAnswer {
    return cached(`program type ${type}`, () => type === 'tracing' ? probeTracing()
      : probed(libbpf.libbpf_probe_bpf_prog_type(ProgramType[type], null), `program type ${type}`))
  },

  /** Whether the kernel has a map type. */
  mapType(type: MapType): FeatureAnswer {
    return cached(`map type ${type}`, () =>
      probed(libbpf.libbpf_probe_bpf_map_type(MapType[type], null), `map type ${type}`))
  },

  /** Whether programs of a type may call a helper, such as `ringbuf_reserve`. */
  helper(type: ProgramType, name: string): FeatureAnswer {
    const number = helperNumber(name)
    if (number === undefined) return { answer: 'unknown', reason: `no helper is called "${name}"` }
    const what = `helper bpf_${name.replace(/^bpf_/, '')} in ${type}`
    return cached(what, () => {
      // libbpf takes a refusal for want of privileges for a yes here, so those are looked at first.
      const refusal = privilegeRefusal()
      if (refusal !== undefined) return { answer: 'unknown', reason: `${what}: ${refusal}` }
      return isHelperRefused(type, number) ? { answer: 'no', reason: `the verifier refuses the ${what}` }
        : probed(libbpf.libbpf_probe_bpf_helper(ProgramType[type], number, null), what)
    })
  },

  /** TCX links, kernel 6.6. */
  tcxLink(): FeatureAnswer {
    return cached('TCX link', () => probeLink('sched_cls', AttachType.tcx_ingress, {
      // Not there: the kernel looks for it only if it knows the kind of link.
      what: 'TCX links (kernel 6.6)', interfaceIndex: NO_INTERFACE, flags: 0, expected: system.errno.ENODEV,
    }))
  },

  /** XDP links, kernel 5.9. */
  xdpLink(): FeatureAnswer {
    return cached('XDP link', () => probeLink('xdp', AttachType.xdp, {
      // The loopback has no native XDP, so nothing can be attached by this.
      what: 'XDP links (kernel 5.9)', interfaceIndex: LOOPBACK, flags: XDP_FLAGS_DRV_MODE,
      expected: system.errno.EOPNOTSUPP,
    }))
  },

  /** Ring buffers, kernel 5.8. */
  ringBuffer(): FeatureAnswer {
    return feature.mapType('ringbuf')
  },

  /** Type information of the kernel itself, for CO-RE. */
  btf(): FeatureAnswer {
    return cached('BTF', () => {
      try {
        accessSync(VMLINUX_BTF, constants.R_OK)
        return { answer: 'yes', reason: `"${VMLINUX_BTF}" is there` }
      } catch (error) {
        const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
        return isMissing
          ? { answer: 'no', reason: `"${VMLINUX_BTF}" is missing: the kernel lacks CONFIG_DEBUG_INFO_BTF` }
          : { answer: 'unknown', reason: `"${VMLINUX_BTF}" cannot be read` }
      }
    })
  },

  /** A tracepoint with typed arguments, by its kernel name: `sock_send_length`. */
  typedTracepoint(name: string): FeatureAnswer {
    return cached(`tracepoint ${name}`, () => {
      const types = feature.btf()
      if (types.answer !== 'yes') return types
      // The name of the type that describes the arguments, a string of its own in the BTF.
      const has = readFileSync(VMLINUX_BTF).includes(`\0btf_trace_${name}\0`)
      return { answer: has ? 'yes' : 'no', reason: `the kernel has ${has ? 'the' : 'no'} tracepoint "${name}"` }
    })
  },

  /** Array maps shared with user space as memory, kernel 5.5. */
  mmapableArray(): FeatureAnswer {
    return cached('mmapable array', () => {
      const attr = new CStruct(MAP_CREATE_BYTES)
        .u32(0, MapType.array).u32(4, 4).u32(8, 8).u32(12, 1).u32(16, BPF_F_MMAPABLE)
      return answerOfFd(bpfSyscall(BpfCommand.MAP_CREATE, attr), 'BPF_F_MMAPABLE arrays (kernel 5.5)')
    })
  },

  /** Dynamic pointers, kernel 5.19. */
  dynptr(): FeatureAnswer {
    return feature.helper('sched_cls', 'dynptr_from_mem')
  },

  /** Whether cgroup v2 is mounted, and where. */
  cgroup2(): FeatureAnswer {
    return cached('cgroup2', () => {
      const path = cgroup2MountPath()
      return path === undefined ? { answer: 'no', reason: 'no cgroup2 file system is mounted' }
        : { answer: 'yes', reason: `mounted at "${path}"` }
    })
  },

  /** Every probe that tells what a host can be watched with, for a doctor command. */
  all(): readonly NamedFeature[] {
    const rows: [string, () => FeatureAnswer][] = [
      ['BTF of the kernel', feature.btf],
      ['cgroup v2', feature.cgroup2],
      ...PROGRAM_TYPES.map((type): [string, () => FeatureAnswer] =>
        [`program type ${type}`, () => feature.programType(type)]),
      ...MAP_TYPES.map((type): [string, () => FeatureAnswer] =>
        [`map type ${type}`, () => feature.mapType(type)]),
      ['mmapable array', feature.mmapableArray],
      ['TCX link', feature.tcxLink],
      ['XDP link', feature.xdpLink],
      ['dynptr', feature.dynptr],
      ['helper bpf_loop in sched_cls', () => feature.helper('sched_cls', 'loop')],
      ['helper bpf_ringbuf_reserve in sched_cls', () => feature.helper('sched_cls', 'ringbuf_reserve')],
    ]
    return rows.map(([name, probe]) => ({ name, ...probe() }))
  },
} as const

const PROGRAM_TYPES = [
  'sched_cls', 'xdp', 'socket_filter', 'cgroup_skb', 'cgroup_sock', 'sock_ops', 'kprobe', 'tracepoint',
  'raw_tracepoint', 'tracing', 'syscall',
] as const satisfies readonly ProgramType[]
const MAP_TYPES = [
  'ringbuf', 'perf_event_array', 'hash', 'lru_hash', 'array', 'percpu_array', 'lpm_trie', 'prog_array',
  'sk_storage',
] as const satisfies readonly MapType[]

function cached(name: string, probe: () => FeatureAnswer): FeatureAnswer {
  const known = cache.get(name)
  if (known !== undefined) return known
  const answer = probe()
  cache.set(name, answer)
  return answer
}

/** libbpf answers 1, 0 or minus errno, and 0 as well where the kernel refused for want of privileges. */
function probed(result: number, what: string): FeatureAnswer {
  if (result > 0) return { answer: 'yes', reason: `the kernel accepted a test of ${what}` }
  if (result < 0) {
    return { answer: 'unknown', reason: `${what} cannot be probed: ${failureOf(result).reason}` }
  }
  const refusal = privilegeRefusal()
  if (refusal !== undefined) return { answer: 'unknown', reason: `${what}: ${refusal}` }
  return { answer: 'no', reason: `the kernel refused a test of ${what}` }
}

let refusalKnown: { readonly refusal: string | undefined } | undefined

/** Why this process may not ask at all: the two loads below need every capability BPF has. */
function privilegeRefusal(): string | undefined {
  if (refusalKnown !== undefined) return refusalKnown.refusal
  let refusal: string | undefined
  for (const type of ['xdp', 'tracepoint'] as const) {
    const fd = loadReturnZero(type)
    // SAFETY: the descriptor is closed once.
    if (fd >= 0) libc.close(fd)
    else if (fd === -system.errno.EPERM || fd === -system.errno.EACCES) {
      refusal = 'no permission to ask (EPERM); '
        + 'run as root or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON'
    }
  }
  refusalKnown = { refusal }
  return refusal
}

/**
 * libbpf 1.1 takes 6.18's answer for a no. With a BTF id that is no function, a kernel that knows the type
 * says so in the log (check_attach_btf_id in kernel/bpf/verifier.c); one that does not logs nothing.
 */
function probeTracing(): FeatureAnswer {
  const refusal = privilegeRefusal()
  if (refusal !== undefined) return { answer: 'unknown', reason: `program type tracing: ${refusal}` }
  const log = new Uint8Array(LOG_BYTES)
  const fd = loadReturnZero('tracing', AttachType.trace_raw_tp, log)
  // SAFETY: the descriptor is closed once.
  if (fd >= 0) libc.close(fd)
  const isKnown = fd >= 0 || new TextDecoder().decode(log).includes('attach_btf_id')
  return isKnown ? { answer: 'yes', reason: 'the kernel accepted a test of program type tracing' }
    : { answer: 'no', reason: `the kernel refused a test of program type tracing: ${failureOf(fd).reason}` }
}

/**
 * libbpf 1.1 knows the words of older verifiers only ("unknown func", "invalid func"); 6.x says "program of
 * this type cannot use helper" (check_helper_call). Anything else the verifier says means it knows it.
 */
function isHelperRefused(type: ProgramType, helper: number): boolean {
  const call = new CStruct(16).u32(0, 0x85).u32(4, helper).u32(8, 0x95).bytes
  const log = new Uint8Array(LOG_BYTES)
  const fd = load(type, call, { log })
  // SAFETY: the descriptor is closed once.
  if (fd >= 0) libc.close(fd)
  return /cannot use helper|unknown func|invalid func/.test(new TextDecoder().decode(log))
}

/** Loads `r0 = 0; exit`. Returns a descriptor or minus errno. */
function loadReturnZero(type: ProgramType, expectedAttachType = 0, log?: Uint8Array): number {
  // BPF_ALU64 | BPF_MOV | BPF_K, then BPF_JMP | BPF_EXIT
  const instructions = new CStruct(16).u32(0, 0xb7).u32(8, 0x95).bytes
  return load(type, instructions, log === undefined ? { expectedAttachType }
    : { expectedAttachType, log, attachBtfId: 1 })
}

interface LoadRequest {
  readonly expectedAttachType?: number
  readonly attachBtfId?: number
  readonly log?: Uint8Array
}

/** BPF_PROG_LOAD of a few instructions. Returns a descriptor or minus errno. */
function load(type: ProgramType, instructions: Uint8Array, request: LoadRequest): number {
  const { expectedAttachType = 0, attachBtfId = 0, log } = request
  const attr = new CStruct(PROG_LOAD_BYTES)
    .u32(0, ProgramType[type])
    .u32(4, instructions.length / 8)
    .pointer(8, instructions)
    .pointer(16, cString('GPL'))
    .u32(68, expectedAttachType)
    .u32(108, attachBtfId)
  if (log !== undefined) attr.u32(24, 1).u32(28, log.length).pointer(32, log)
  // SAFETY: every pointer in `attr` is kept alive by it until the call returns.
  return bpfSyscall(BpfCommand.PROG_LOAD, attr)
}

interface LinkProbe {
  readonly what: string
  readonly interfaceIndex: number
  readonly flags: number
  /** The errno of a kernel that knows the kind of link. */
  readonly expected: number
}

/** Links where it cannot succeed: how the kernel refuses tells whether it knows the kind of link. */
function probeLink(type: ProgramType, attachType: number, probe: LinkProbe): FeatureAnswer {
  const program = loadReturnZero(type, attachType === AttachType.xdp ? attachType : 0)
  if (program < 0) return answerOfFd(program, probe.what)
  try {
    const link = createLink(program, probe.interfaceIndex, attachType, probe.flags)
    if (link === -probe.expected) return { answer: 'yes', reason: `the kernel has ${probe.what}` }
    return answerOfFd(link, probe.what)
  } finally {
    // SAFETY: the descriptor was opened above and is closed once.
    libc.close(program)
  }
}

/** A descriptor is yes; EPERM is unknown; every other errno is no. Closes the descriptor. */
function answerOfFd(fd: number, what: string): FeatureAnswer {
  if (fd >= 0) {
    // SAFETY: the caller hands the descriptor over.
    libc.close(fd)
    return { answer: 'yes', reason: `the kernel has ${what}` }
  }
  const { code, reason } = failureOf(fd)
  if (code === 'EPERM' || code === 'EACCES') {
    return { answer: 'unknown', reason: `${what}: no permission to ask (${code}); run as root` }
  }
  return { answer: 'no', reason: `the kernel refused ${what}: ${reason}` }
}
