import { libc } from './libbpf.ts'
import { CStruct, fail, lastFailure } from './syscall.ts'

/** include/uapi/linux/rtnetlink.h, netlink.h, pkt_sched.h */
const AF_NETLINK = 16
const SOCK_RAW_CLOEXEC = 3 | 0o2000000
const NETLINK_ROUTE = 0
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const RTM_NEWTFILTER = 44
const RTM_GETTFILTER = 46
const NLM_F_REQUEST_DUMP = 0x001 | 0x300
const TC_H_CLSACT = 0xffff_0000
const PARENT_MINOR = { ingress: 0xfff2, egress: 0xfff3 } as const

const HEADER_BYTES = 16
const TCMSG_BYTES = 20
const ANSWER_BYTES = 64 * 1024
/** A dump comes in parts; more than this many means the kernel does not stop. */
const PARTS_MAX = 1024

/** Whether any filter stands on the clsact qdisc of an interface, ours or not. */
export function hasTcFilters(interfaceIndex: number): boolean {
  return hasFilters(interfaceIndex, PARENT_MINOR.ingress) || hasFilters(interfaceIndex, PARENT_MINOR.egress)
}

function hasFilters(interfaceIndex: number, minor: number): boolean {
  // SAFETY: no memory is passed.
  const socket = libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE)
  if (socket < 0) fail('Cannot list TC filters', lastFailure())
  try {
    // struct nlmsghdr, then struct tcmsg {family, ifindex, handle, parent, info}.
    const length = HEADER_BYTES + TCMSG_BYTES
    const request = new CStruct(length)
      .u32(0, length)
      .u32(4, RTM_GETTFILTER | (NLM_F_REQUEST_DUMP << 16))
      .u32(8, 1)
      .u32(HEADER_BYTES + 4, interfaceIndex)
      .u32(HEADER_BYTES + 12, (TC_H_CLSACT | minor) >>> 0)
    // SAFETY: the kernel copies the request during the call.
    if (libc.send(socket, request.bytes, length, 0) < 0) fail('Cannot list TC filters', lastFailure())
    return dumpHasFilter(socket)
  } finally {
    // SAFETY: the descriptor was opened above and is closed once.
    libc.close(socket)
  }
}

function dumpHasFilter(socket: number): boolean {
  const answer = new Uint8Array(ANSWER_BYTES)
  const view = new DataView(answer.buffer)
  let found = false
  for (let part = 0; part < PARTS_MAX; part += 1) {
    // SAFETY: the kernel writes at most the length given.
    const received = libc.recv(socket, answer, answer.length, 0)
    if (received < 0) fail('Cannot list TC filters', lastFailure())
    for (let at = 0; at + HEADER_BYTES <= received;) {
      const type = view.getUint16(at + 4, true)
      // An interface that is gone answers with an error: it has no filters either.
      if (type === NLMSG_DONE || type === NLMSG_ERROR) return found
      if (type === RTM_NEWTFILTER) found = true
      at += Math.max(HEADER_BYTES, (view.getUint32(at, true) + 3) & ~3)
    }
  }
  return found
}
