import { libbpf } from './libbpf.ts'
import type { LinkParts } from './link.ts'
import type { Direction, ProgramToAttach } from './link-network.ts'
import { hasTcFilters } from './netlink.ts'
import { CStruct, fail, failureOf } from './syscall.ts'

/** Where a classic TC filter stands. Both are chosen by the kernel when left out. */
export interface TcOptions {
  readonly handle?: number
  /** Lower runs first, 1 to 65535. */
  readonly priority?: number
}

/** libbpf.h, `enum bpf_tc_attach_point`. */
const POINT = { ingress: 1, egress: 2 } as const
const POINT_BOTH = POINT.ingress | POINT.egress
/** sizeof(struct bpf_tc_hook) and sizeof(struct bpf_tc_opts), libbpf 1.1. */
const HOOK_BYTES = 24
const OPTS_BYTES = 32

/**
 * A classic TC filter on the clsact qdisc: for kernels before TCX. Unlike every other kind it is no
 * descriptor: it stays when the process is killed. `tc filter del dev <name> ingress|egress` or
 * `tc qdisc del dev <name> clsact` removes what such an end left behind.
 */
export function attachTc(
  program: ProgramToAttach, interfaceIndex: number, direction: Direction, options: TcOptions = {},
): LinkParts {
  const action = `Cannot attach "${program.name}" to interface ${interfaceIndex} (TC ${direction})`
  const mends = {
    ENODEV: 'no interface has that index in this network namespace; run "ip link" to list them',
    EINVAL: 'no interface has that index, or the kernel has no clsact (CONFIG_NET_CLS_ACT)',
    ENOENT: 'the kernel has no BPF classifier; load the module cls_bpf',
    EEXIST: 'a filter with that handle and priority is there already; choose others',
    EPERM: 'run as root or with CAP_NET_ADMIN',
  }
  // SAFETY: the struct carries its own size.
  const created = libbpf.bpf_tc_hook_create(hook(interfaceIndex, POINT[direction]))
  const isOurs = created >= 0
  if (!isOurs && failureOf(created).code !== 'EEXIST') fail(action, failureOf(created), mends)
  const attached = CStruct.options(OPTS_BYTES)
    .u32(8, program.fd)
    .u32(20, options.handle ?? 0)
    .u32(24, options.priority ?? 0)
  // SAFETY: both structs carry their own size; libbpf writes handle, priority and id into the second.
  const error = libbpf.bpf_tc_attach(hook(interfaceIndex, POINT[direction]), attached.bytes)
  if (error < 0) {
    if (isOurs) removeIfEmpty(interfaceIndex)
    fail(action, failureOf(error), mends)
  }
  const handle = attached.getU32(20)
  const priority = attached.getU32(24)
  return {
    kind: 'tc',
    interfaceIndex,
    release: () => {
      const which = CStruct.options(OPTS_BYTES).u32(20, handle).u32(24, priority)
      // SAFETY: as above. A filter or interface that is gone already is what was wanted.
      libbpf.bpf_tc_detach(hook(interfaceIndex, POINT[direction]), which.bytes)
      if (isOurs) removeIfEmpty(interfaceIndex)
    },
  }
}

/** Removes the clsact qdisc unless somebody has a filter on it. */
function removeIfEmpty(interfaceIndex: number): void {
  if (hasTcFilters(interfaceIndex)) return
  // SAFETY: with both attach points libbpf deletes the qdisc itself, with one it would flush filters.
  libbpf.bpf_tc_hook_destroy(hook(interfaceIndex, POINT_BOTH))
}

function hook(interfaceIndex: number, point: number): Uint8Array {
  return CStruct.options(HOOK_BYTES).u32(8, interfaceIndex).u32(12, point).bytes
}

