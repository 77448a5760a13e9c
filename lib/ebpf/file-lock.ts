import { libc } from './libbpf.ts'
import { lastFailure } from './syscall.ts'

/** include/uapi/asm-generic/fcntl.h */
const LOCK_SH = 1
const LOCK_EX = 2
const LOCK_NB = 4

/**
 * Takes flock(2)'s lock on an open file, without waiting: exclusive, or one that others may share.
 * It is held by the open file, not by the process: children that were given the descriptor hold it too, and the kernel frees
 * it once the last of them is gone, however it ended.
 *
 * @returns false when somebody else holds it
 * @throws {Error} when the file system knows no locks
 */
export function lockFile(fd: number, isShared = false): boolean {
  // SAFETY: flock takes numbers only.
  if (libc.flock(fd, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) === 0) return true
  const { code, reason } = lastFailure()
  if (code === 'EAGAIN') return false
  throw new Error(`Cannot lock the file: ${reason}`)
}
