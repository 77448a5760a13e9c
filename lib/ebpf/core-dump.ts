import { libc } from './libbpf.ts'
import { lastFailure } from './syscall.ts'

/** include/uapi/linux/prctl.h */
const PR_SET_DUMPABLE = 4

/**
 * Makes the kernel never write this process's memory into a core file, whatever `core_pattern` says: a limit on the size
 * of core files (`ulimit -c 0`) does not hold for a pattern that pipes into a program (fs/coredump.c), this does. It also
 * keeps other processes of the same user from reading the memory through ptrace or /proc.
 *
 * @returns why it could not be done; undefined = it was
 */
export function forbidCoreDumps(): string | undefined {
  try {
    // SAFETY: prctl takes numbers only for this option.
    return libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) === 0 ? undefined : lastFailure().reason
  } catch (error) {
    // Without FFI on this machine capture files can be read all the same; the limit of bin/lintel still holds.
    return error instanceof Error ? error.message : String(error)
  }
}
