import { constants } from 'node:os'
import { getSystemErrorMessage } from 'node:util'

/** libbpf's own codes start at 4000 (`enum libbpf_errno`, libbpf.h); name and meaning. */
const LIBBPF_ERRNO: readonly (readonly [name: string, meaning: string])[] = [
  ['LIBBPF_ERRNO__LIBELF', 'something is wrong in libelf'],
  ['LIBBPF_ERRNO__FORMAT', 'the BPF object format is invalid'],
  ['LIBBPF_ERRNO__KVERSION', 'incorrect or no "version" section'],
  ['LIBBPF_ERRNO__ENDIAN', 'endian mismatch'],
  ['LIBBPF_ERRNO__INTERNAL', 'internal error in libbpf'],
  ['LIBBPF_ERRNO__RELOC', 'relocation failed'],
  ['LIBBPF_ERRNO__LOAD', 'load failed for an unknown reason'],
  ['LIBBPF_ERRNO__VERIFY', 'the kernel verifier blocks program loading'],
  ['LIBBPF_ERRNO__PROG2BIG', 'the program is too big'],
  ['LIBBPF_ERRNO__KVER', 'incorrect kernel version'],
  ['LIBBPF_ERRNO__PROGTYPE', 'the kernel does not support this program type'],
  ['LIBBPF_ERRNO__WRNGPID', 'wrong pid in a netlink message'],
  ['LIBBPF_ERRNO__INVSEQ', 'invalid netlink sequence'],
  ['LIBBPF_ERRNO__NLPARSE', 'netlink parsing failed'],
]
const LIBBPF_ERRNO_START = 4000
/** Kernel-internal, seen from bpf(2) all the same; not in any libc (include/linux/errno.h). */
const ENOTSUPP = 524

const NAMES: ReadonlyMap<number, string> = new Map<number, string>([
  [ENOTSUPP, 'ENOTSUPP'],
  ...Object.entries(constants.errno).reverse().map(([name, value]): [number, string] => [value, name]),
  // The same number as ENOTSUP; the kernel's sources say EOPNOTSUPP.
  [constants.errno.EOPNOTSUPP, 'EOPNOTSUPP'],
  ...LIBBPF_ERRNO.map(([name], at): [number, string] => [LIBBPF_ERRNO_START + at, name]),
])

/** The name of an errno or libbpf code: 1 → `EPERM`; `E<number>` when it has none. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `E${errno}`
}

/** What an errno or libbpf code means, in words. */
export function errnoMessage(errno: number): string {
  if (errno === ENOTSUPP || errno === constants.errno.EOPNOTSUPP) return 'operation not supported'
  const own = LIBBPF_ERRNO[errno - LIBBPF_ERRNO_START]
  if (own !== undefined) return own[1]
  return (errno > 0 ? getSystemErrorMessage(-errno) : undefined) ?? `error ${errno}`
}
