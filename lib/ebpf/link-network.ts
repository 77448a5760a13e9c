import { libc } from './libbpf.ts'
import type { LinkParts } from './link.ts'
import { CStruct, bpfSyscall, fail, failureOf } from './syscall.ts'
import type { Failure } from './syscall.ts'
import {
  AttachType, BPF_F_AFTER, BPF_F_BEFORE, BpfCommand, XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE,
} from './uapi.ts'

/** Which way a packet crosses an interface. */
export type Direction = 'ingress' | 'egress'

/** Where to stand among the TCX programs of an interface; without it the kernel appends. */
export interface TcxOptions {
  readonly position?: 'first' | 'last'
}

/** `auto` takes `native` where the driver has it, else `generic`. */
export type XdpMode = 'generic' | 'native' | 'auto'

export interface ProgramToAttach {
  readonly name: string
  readonly fd: number
}

const NO_INTERFACE = 'no interface has that index in this network namespace; run "ip link" to list them'
const NO_PRIVILEGE = 'run as root or with CAP_NET_ADMIN and CAP_BPF'

/** Size of `union bpf_attr.link_create` with its tcx member, rounded up; the kernel wants zeros behind. */
const LINK_CREATE_BYTES = 64

/** BPF_LINK_CREATE. Returns the link's descriptor, or minus errno. */
export function createLink(programFd: number, target: number, attachType: number, flags: number): number {
  const attr = new CStruct(LINK_CREATE_BYTES)
    .u32(0, programFd)
    .u32(4, target)
    .u32(8, attachType)
    .u32(12, flags)
  return bpfSyscall(BpfCommand.LINK_CREATE, attr)
}

/** A link that lives as long as its descriptor: `kill -9` detaches it. */
export function descriptorLink(parts: Omit<LinkParts, 'release'>, fd: number): LinkParts {
  // SAFETY: the descriptor came from BPF_LINK_CREATE, belongs to this link, and is closed once.
  return { ...parts, release: () => void libc.close(fd) }
}

/**
 * TCX, kernel 6.6 and newer. Through bpf(2), since libbpf knows it from 1.3 on only.
 * See tcx_link_attach in kernel/bpf/tcx.c.
 */
export function attachTcx(
  program: ProgramToAttach, interfaceIndex: number, direction: Direction, options: TcxOptions = {},
): LinkParts {
  const attachType = direction === 'ingress' ? AttachType.tcx_ingress : AttachType.tcx_egress
  const flags = options.position === 'first' ? BPF_F_BEFORE : options.position === 'last' ? BPF_F_AFTER : 0
  const fd = createLink(program.fd, interfaceIndex, attachType, flags)
  if (fd < 0) {
    fail(`Cannot attach "${program.name}" to interface ${interfaceIndex} (TCX ${direction})`, failureOf(fd), {
      EINVAL: 'TCX needs kernel 6.6 and a program of type sched_cls; use attachTc() on an older kernel',
      ENODEV: NO_INTERFACE,
      EPERM: NO_PRIVILEGE,
      EEXIST: 'the program is attached there already',
      ERANGE: 'the interface has 64 TCX programs, the most it can have',
    })
  }
  return descriptorLink({ kind: 'tcx', interfaceIndex }, fd)
}

/** XDP as a link (kernel 5.9). See bpf_xdp_link_attach in net/core/dev.c. */
export function attachXdp(program: ProgramToAttach, interfaceIndex: number, mode: XdpMode): LinkParts {
  const flagsOf = { generic: XDP_FLAGS_SKB_MODE, native: XDP_FLAGS_DRV_MODE } as const
  const candidates = mode === 'auto' ? (['native', 'generic'] as const) : ([mode] as const)
  const refused: string[] = []
  let failure: Failure | undefined
  for (const candidate of candidates) {
    const fd = createLink(program.fd, interfaceIndex, AttachType.xdp, flagsOf[candidate])
    if (fd >= 0) return descriptorLink({ kind: 'xdp', interfaceIndex, mode: candidate }, fd)
    failure = failureOf(fd)
    refused.push(`${candidate}: ${failure.reason}`)
    // Another mode would meet the same wall.
    if (failure.code === 'EPERM' || failure.code === 'ENODEV' || failure.code === 'EBUSY') break
  }
  const last = failure ?? failureOf(0)
  fail(`Cannot attach "${program.name}" to interface ${interfaceIndex} (XDP ${mode})`,
    { code: last.code, reason: refused.join(', ') }, {
      EBUSY: 'another XDP program is attached; see "ip link show" and "bpftool net"',
      EEXIST: 'XDP is attached in the other mode; detach that first',
      EOPNOTSUPP: 'the driver has no native XDP; use "generic" or "auto"',
      ENODEV: NO_INTERFACE,
      EINVAL: 'no interface has that index, the driver refused it (often the MTU), or it is no XDP program',
      EPERM: NO_PRIVILEGE,
    })
}
