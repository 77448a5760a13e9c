import { libc } from './libbpf.ts'
import { fail, lastFailure } from './syscall.ts'

/** The index of a network interface by its name. @throws BpfError ENODEV when there is none. */
export function interfaceIndex(name: string): number {
  // SAFETY: koffi passes the name as a NUL-terminated copy.
  const index = libc.if_nametoindex(name)
  if (index > 0) return index
  return fail(`Cannot find the network interface "${name}"`, lastFailure(), {
    ENODEV: 'run "ip link" to list them',
  })
}
