/**
 * Numbers of the kernel's user-space interface (include/uapi/linux/bpf.h and friends). Names are the
 * kernel's and libbpf's, in lower case and without their prefix: BPF_MAP_TYPE_RINGBUF is `ringbuf`.
 */

/** Map types, `enum bpf_map_type`. */
export const MapType = {
  unspec: 0, hash: 1, array: 2, prog_array: 3, perf_event_array: 4, percpu_hash: 5, percpu_array: 6,
  stack_trace: 7, cgroup_array: 8, lru_hash: 9, lru_percpu_hash: 10, lpm_trie: 11, array_of_maps: 12,
  hash_of_maps: 13, devmap: 14, sockmap: 15, cpumap: 16, xskmap: 17, sockhash: 18, cgroup_storage: 19,
  reuseport_sockarray: 20, percpu_cgroup_storage: 21, queue: 22, stack: 23, sk_storage: 24,
  devmap_hash: 25, struct_ops: 26, ringbuf: 27, inode_storage: 28, task_storage: 29, bloom_filter: 30,
  user_ringbuf: 31, cgrp_storage: 32, arena: 33,
} as const
export type MapType = keyof typeof MapType

/** Program types, `enum bpf_prog_type`. */
export const ProgramType = {
  unspec: 0, socket_filter: 1, kprobe: 2, sched_cls: 3, sched_act: 4, tracepoint: 5, xdp: 6,
  perf_event: 7, cgroup_skb: 8, cgroup_sock: 9, lwt_in: 10, lwt_out: 11, lwt_xmit: 12, sock_ops: 13,
  sk_skb: 14, cgroup_device: 15, sk_msg: 16, raw_tracepoint: 17, cgroup_sock_addr: 18, lwt_seg6local: 19,
  lirc_mode2: 20, sk_reuseport: 21, flow_dissector: 22, cgroup_sysctl: 23, raw_tracepoint_writable: 24,
  cgroup_sockopt: 25, tracing: 26, struct_ops: 27, ext: 28, lsm: 29, sk_lookup: 30, syscall: 31,
  netfilter: 32,
} as const
export type ProgramType = keyof typeof ProgramType

/** Attach types, `enum bpf_attach_type`. */
export const AttachType = {
  cgroup_inet_ingress: 0, cgroup_inet_egress: 1, cgroup_inet_sock_create: 2, cgroup_sock_ops: 3,
  sk_skb_stream_parser: 4, sk_skb_stream_verdict: 5, cgroup_device: 6, sk_msg_verdict: 7,
  cgroup_inet4_bind: 8, cgroup_inet6_bind: 9, cgroup_inet4_connect: 10, cgroup_inet6_connect: 11,
  cgroup_inet4_post_bind: 12, cgroup_inet6_post_bind: 13, cgroup_udp4_sendmsg: 14,
  cgroup_udp6_sendmsg: 15, lirc_mode2: 16, flow_dissector: 17, cgroup_sysctl: 18, cgroup_udp4_recvmsg: 19,
  cgroup_udp6_recvmsg: 20, cgroup_getsockopt: 21, cgroup_setsockopt: 22, trace_raw_tp: 23,
  trace_fentry: 24, trace_fexit: 25, modify_return: 26, lsm_mac: 27, trace_iter: 28,
  cgroup_inet4_getpeername: 29, cgroup_inet6_getpeername: 30, cgroup_inet4_getsockname: 31,
  cgroup_inet6_getsockname: 32, xdp_devmap: 33, cgroup_inet_sock_release: 34, xdp_cpumap: 35,
  sk_lookup: 36, xdp: 37, sk_skb_verdict: 38, sk_reuseport_select: 39, sk_reuseport_select_or_migrate: 40,
  perf_event: 41, trace_kprobe_multi: 42, lsm_cgroup: 43, struct_ops: 44, netfilter: 45, tcx_ingress: 46,
  tcx_egress: 47, trace_uprobe_multi: 48,
} as const
export type AttachType = keyof typeof AttachType

/** Commands of bpf(2), `enum bpf_cmd`; those used here. */
export const BpfCommand = {
  MAP_CREATE: 0,
  PROG_LOAD: 5,
  LINK_CREATE: 28,
} as const

/** Flags of map creation. */
export const BPF_F_MMAPABLE = 1 << 10

/** `update` flags: any (create or replace), create only, replace only. */
export const UpdateFlag = { any: 0, noexist: 1, exist: 2 } as const
export type UpdateFlag = keyof typeof UpdateFlag

/** Multi-program attach position, for TCX. */
export const BPF_F_BEFORE = 1 << 3
export const BPF_F_AFTER = 1 << 4

/** Of a uprobe-multi link: at the functions' returns. */
export const BPF_F_UPROBE_MULTI_RETURN = 1

/** include/uapi/linux/if_link.h */
export const XDP_FLAGS_SKB_MODE = 1 << 1
export const XDP_FLAGS_DRV_MODE = 1 << 2

/** Ring buffer record header: {u32 length | bits, u32 page offset}. */
export const BPF_RINGBUF_DISCARD_BIT = 0x4000_0000
export const BPF_RINGBUF_HDR_SZ = 8

/** mmap(2), include/uapi/asm-generic/mman-common.h */
export const PROT_READ = 1
export const PROT_WRITE = 2
export const MAP_SHARED = 0x01
export const MAP_PRIVATE = 0x02
export const MAP_ANONYMOUS = 0x20
export const MAP_NORESERVE = 0x4000

/** System call numbers by `process.arch`. */
export const SYSCALL_NUMBER: Readonly<Record<string, { bpf: number; perf_event_open: number }>> = {
  x64: { bpf: 321, perf_event_open: 298 },
  arm64: { bpf: 280, perf_event_open: 241 },
  riscv64: { bpf: 280, perf_event_open: 241 },
}

/** The name of `value` in one of the tables above, or `unspec` for a number newer than the table. */
export function nameOf<T extends Readonly<Record<string, number>>>(
  table: T, value: number,
): keyof T & string {
  for (const [name, number] of Object.entries(table)) if (number === value) return name
  return 'unspec'
}
