import { libc } from './libbpf.ts'
import { fail, lastFailure } from './syscall.ts'

const CLONE_NEWNET = 0x4000_0000
const O_RDONLY_CLOEXEC = 0o2000000

/**
 * Runs `body` with this thread in another network namespace, such as `/run/netns/<name>` or
 * `/proc/<pid>/ns/net`, where interface indexes mean that namespace's interfaces. `body` must be
 * synchronous: the thread goes back when it returns. A `tc` link is detached inside its namespace.
 */
export function inNetworkNamespace<T>(path: string, body: () => T): T {
  const own = openNamespace('/proc/thread-self/ns/net')
  try {
    const other = openNamespace(path)
    enter(other, path)
    // SAFETY: both descriptors were opened here and are closed once.
    libc.close(other)
    try {
      return body()
    } finally {
      enter(own, '/proc/thread-self/ns/net')
    }
  } finally {
    // SAFETY: as above.
    libc.close(own)
  }
}

function openNamespace(path: string): number {
  // SAFETY: koffi passes the path as a NUL-terminated copy.
  const fd = libc.open(path, O_RDONLY_CLOEXEC, 0)
  if (fd >= 0) return fd
  return fail(`Cannot open the network namespace "${path}"`, lastFailure(), { ENOENT: 'run "ip netns list"' })
}

function enter(fd: number, path: string): void {
  // SAFETY: setns concerns this thread alone; the caller brings it back.
  if (libc.setns(fd, CLONE_NEWNET) < 0) {
    fail(`Cannot enter the network namespace "${path}"`, lastFailure(), {
      EPERM: 'run as root or with CAP_SYS_ADMIN', EINVAL: 'the file is no network namespace',
    })
  }
}
