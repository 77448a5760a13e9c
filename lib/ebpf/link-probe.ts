import { existsSync } from 'node:fs'
import { constants } from 'node:os'

import { lastErrno, libbpf } from './libbpf.ts'
import type { Pointer } from './libbpf.ts'
import type { LinkKind, LinkParts } from './link.ts'
import { descriptorLink } from './link-network.ts'
import { CStruct, bpfSyscall, cString, fail, failureOf, isNull } from './syscall.ts'
import { AttachType, BPF_F_UPROBE_MULTI_RETURN, BpfCommand } from './uapi.ts'

/** A program libbpf attaches. */
export interface LibbpfProgram {
  readonly name: string
  readonly pointer: Pointer
}

/** Where in which file to probe: give `symbol`, `offset`, or both for an offset into the symbol. */
export interface UprobeTarget {
  /** Binary or library; a bare name such as `libssl.so.3` is searched where the linker would. */
  readonly path: string
  readonly symbol?: string
  /** Bytes into the file, or into `symbol`. */
  readonly offset?: number
  /** One process; all of them unless given. */
  readonly pid?: number
  /** At the function's return instead of its entry. */
  readonly return?: boolean
  /** What the program reads with bpf_get_attach_cookie (kernel 5.15). */
  readonly cookie?: bigint
}

/** Many places in one file, probed by one link (kernel 6.6). */
export interface UprobeMultiTarget {
  readonly path: string
  readonly places: readonly UprobePlace[]
  /** At the functions' returns instead of their entries. */
  readonly return?: boolean
}

export interface UprobePlace {
  /** Bytes into the file. */
  readonly offset: number
  /** What the program reads with bpf_get_attach_cookie. */
  readonly cookie: bigint
}

/** Where libbpf finds the ids of tracepoints. */
const TRACEFS = ['/sys/kernel/tracing/events', '/sys/kernel/debug/tracing/events']
const NO_PRIVILEGE = 'run as root or with CAP_BPF and CAP_PERFMON'
/** sizeof(struct bpf_uprobe_opts), libbpf 1.1. */
const UPROBE_OPTS_BYTES = 40
const ALL_PROCESSES = -1

/** A static tracepoint, such as `syscalls`, `sys_enter_write`. libbpf finds it in tracefs. */
export function attachTracepoint(program: LibbpfProgram, category: string, name: string): LinkParts {
  // SAFETY: program is loaded; libbpf copies the strings.
  const link = libbpf.bpf_program__attach_tracepoint(program.pointer, category, name)
  return keep('tracepoint', link, `Cannot attach "${program.name}" to the tracepoint "${category}:${name}"`, {
    ENOENT: TRACEFS.some((folder) => existsSync(folder))
      ? `the kernel has none of that name; look in ${TRACEFS[0]}`
      : 'tracefs is not mounted; run "mount -t tracefs tracefs /sys/kernel/tracing", or use a raw tracepoint',
    EPERM: NO_PRIVILEGE, EACCES: NO_PRIVILEGE,
  })
}

/** A tracepoint by its kernel name alone, such as `sys_enter`; arguments come raw. */
export function attachRawTracepoint(program: LibbpfProgram, name: string): LinkParts {
  // SAFETY: program is loaded; the kernel copies the name.
  const link = libbpf.bpf_program__attach_raw_tracepoint(program.pointer, name)
  return keep('raw_tracepoint', link, `Cannot attach "${program.name}" to the raw tracepoint "${name}"`, {
    ENOENT: 'the kernel has none of that name', EPERM: NO_PRIVILEGE, EACCES: NO_PRIVILEGE,
  })
}

/** What a program's section names: a tracepoint with typed arguments (`tp_btf/...`). The kernel looked it up at load. */
export function attachTrace(program: LibbpfProgram): LinkParts {
  // SAFETY: program is loaded.
  const link = libbpf.bpf_program__attach_trace(program.pointer)
  return keep('tracing', link, `Cannot attach "${program.name}" to what its section names`, {
    EPERM: NO_PRIVILEGE, EACCES: NO_PRIVILEGE,
  })
}

/** A probe in a function of user space. */
export function attachUprobe(program: LibbpfProgram, target: UprobeTarget): LinkParts {
  const { path, symbol, offset = 0, pid = ALL_PROCESSES, cookie = 0n } = target
  const where = symbol === undefined ? `${path}+${offset}` : `${path}:${symbol}`
  const action = `Cannot attach "${program.name}" to "${where}"`
  if (symbol === undefined && target.offset === undefined) {
    throw new TypeError(`${action}: neither symbol nor offset is given; give one`)
  }
  if (path.includes('/') && !existsSync(path)) {
    fail(action, failureOf(constants.errno.ENOENT), { ENOENT: 'give the path of a binary or library' })
  }
  const options = CStruct.options(UPROBE_OPTS_BYTES).u64(16, cookie)
  options.bytes[24] = target.return === true ? 1 : 0
  if (symbol !== undefined) options.pointer(32, cString(symbol))
  // SAFETY: the options keep the symbol's bytes; libbpf reads them during the call only.
  const link = libbpf.bpf_program__attach_uprobe_opts(program.pointer, pid, path, offset, options.bytes)
  return keep('uprobe', link, action, {
    ENOENT: 'the file has no such symbol (it may be stripped): give the offset of the function instead',
    ESRCH: `no process has the id ${pid}`,
    EINVAL: 'the offset is not at the start of an instruction, or outside the code',
    EPERM: NO_PRIVILEGE, EACCES: NO_PRIVILEGE,
  })
}

/**
 * A probe at each of many places of one file, as one link: attached and detached in one go. The program must have been loaded
 * with the attach type `trace_uprobe_multi`. See bpf_uprobe_multi_link_attach in kernel/trace/bpf_trace.c.
 */
export function attachUprobeMulti(program: { readonly name: string; readonly fd: number }, target: UprobeMultiTarget): LinkParts {
  const { path, places } = target
  const offsets = new BigUint64Array(places.map(({ offset }) => BigInt(offset)))
  const cookies = new BigUint64Array(places.map(({ cookie }) => cookie))
  const attr = new CStruct(64)
    .u32(0, program.fd)
    .u32(8, AttachType.trace_uprobe_multi)
    .pointer(16, cString(path))
    .pointer(24, new Uint8Array(offsets.buffer))
    .pointer(40, new Uint8Array(cookies.buffer))
    .u32(48, places.length)
    .u32(52, target.return === true ? BPF_F_UPROBE_MULTI_RETURN : 0)
  const fd = bpfSyscall(BpfCommand.LINK_CREATE, attr)
  if (fd < 0) {
    fail(`Cannot attach "${program.name}" to ${places.length} places of "${path}"`, failureOf(fd), {
      ENOENT: 'give the path of a binary or library',
      EINVAL: 'an offset is not at the start of an instruction, or the kernel is older than 6.6',
      EPERM: NO_PRIVILEGE, EACCES: NO_PRIVILEGE,
    })
  }
  return descriptorLink({ kind: 'uprobe_multi' }, fd)
}

function keep(
  kind: LinkKind, link: Pointer | null, action: string, mends: Readonly<Record<string, string>>,
): LinkParts {
  if (isNull(link)) fail(action, failureOf(lastErrno()), mends)
  // SAFETY: the link came from libbpf just now, belongs to this Link, and is destroyed once.
  return { kind, release: () => void libbpf.bpf_link__destroy(link) }
}
