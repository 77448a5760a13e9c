import { libc } from './libbpf.ts'
import type { LinkParts } from './link.ts'
import { createLink, descriptorLink } from './link-network.ts'
import type { ProgramToAttach } from './link-network.ts'
import { fail, failureOf, lastFailure } from './syscall.ts'
import { AttachType } from './uapi.ts'

/** Places in a cgroup where a program can stand; each wants its own program type. */
export const CgroupHook = {
  ingress: AttachType.cgroup_inet_ingress,
  egress: AttachType.cgroup_inet_egress,
  sock_create: AttachType.cgroup_inet_sock_create,
  sock_release: AttachType.cgroup_inet_sock_release,
  sock_ops: AttachType.cgroup_sock_ops,
  connect4: AttachType.cgroup_inet4_connect,
  connect6: AttachType.cgroup_inet6_connect,
  post_bind4: AttachType.cgroup_inet4_post_bind,
  post_bind6: AttachType.cgroup_inet6_post_bind,
} as const
export type CgroupHook = keyof typeof CgroupHook

/** open(2), include/uapi/asm-generic/fcntl.h */
const O_RDONLY = 0
const O_CLOEXEC = 0o2000000
const O_DIRECTORY = process.arch === 'arm64' ? 0o40000 : 0o200000

/** For every process in a cgroup v2 folder and below it (kernel 5.7). See cgroup_bpf_link_attach. */
export function attachCgroup(program: ProgramToAttach, path: string, hook: CgroupHook): LinkParts {
  const action = `Cannot attach "${program.name}" to the cgroup "${path}" (${hook})`
  // SAFETY: koffi passes the path as a NUL-terminated copy.
  const folder = libc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
  if (folder < 0) fail(action, lastFailure(), { ENOENT: 'give the path of a cgroup v2 folder' })
  const fd = createLink(program.fd, folder, CgroupHook[hook], 0)
  // SAFETY: the descriptor was opened above; the link keeps the cgroup by itself.
  libc.close(folder)
  if (fd < 0) {
    fail(action, failureOf(fd), {
      EBADF: 'it is no cgroup v2 folder; cgroup2MountPath() tells where those are',
      EINVAL: 'the program is of a type or attach type for another hook',
      EPERM: 'run as root or with CAP_NET_ADMIN and CAP_BPF',
    })
  }
  return descriptorLink({ kind: 'cgroup' }, fd)
}
