import { libc } from './libbpf.ts'
import type { LinkParts } from './link.ts'
import type { ProgramToAttach } from './link-network.ts'
import { CStruct, fail, lastFailure } from './syscall.ts'

/** packet(7), socket(7) */
const AF_PACKET = 17
const SOCK_RAW_CLOEXEC = 3 | 0o2000000
const SOL_SOCKET = 1
const SO_ATTACH_BPF = 50
const ETH_P_ALL_BIG_ENDIAN = 0x0300
const SOCKADDR_LL_BYTES = 20

/**
 * A packet socket whose filter is the program: sees what an interface, or all of them (0), receives and
 * sends, as tcpdump does. The program should return 0, or its packets fill the socket's own buffer,
 * which nobody reads.
 */
export function attachSocketFilter(program: ProgramToAttach, interfaceIndex: number): LinkParts {
  const action = `Cannot attach "${program.name}" to interface ${interfaceIndex} (socket filter)`
  const mends = {
    EPERM: 'run as root or with CAP_NET_RAW',
    ENODEV: 'no interface has that index in this network namespace; run "ip link" to list them',
    EINVAL: 'the program is not of type socket_filter',
  }
  // Protocol 0 hears nothing yet, so no packet comes by before the filter is in place.
  // SAFETY: no memory is passed.
  const socket = libc.socket(AF_PACKET, SOCK_RAW_CLOEXEC, 0)
  if (socket < 0) fail(action, lastFailure(), mends)
  const programFd = new CStruct(4).u32(0, program.fd)
  const address = new CStruct(SOCKADDR_LL_BYTES)
    .u32(0, AF_PACKET | (ETH_P_ALL_BIG_ENDIAN << 16))
    .u32(4, interfaceIndex)
  // SAFETY: both structs have the length passed; the kernel copies them during the calls.
  if (libc.setsockopt(socket, SOL_SOCKET, SO_ATTACH_BPF, programFd.bytes, 4) < 0
    || libc.bind(socket, address.bytes, SOCKADDR_LL_BYTES) < 0) {
    const failure = lastFailure()
    // SAFETY: the socket was opened above and nobody else has it.
    libc.close(socket)
    fail(action, failure, mends)
  }
  return {
    kind: 'socket_filter',
    ...(interfaceIndex === 0 ? {} : { interfaceIndex }),
    // SAFETY: the socket is this link's own and is closed once.
    release: () => void libc.close(socket),
  }
}
