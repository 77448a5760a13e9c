import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import { lockFile } from '../../lib/ebpf/file-lock.ts'

const LOCK = 'lock'
/** How long a lock is waited for, and how often it is tried meanwhile. */
export const LOCK_WAIT_MS = 3000
export const LOCK_LOOK_MS = 50

/**
 * Takes a folder that has one writer (a store, a spool) for this process. The one before may have been killed a moment ago, and what
 * it had started may still end: that is waited for.
 *
 * @returns a descriptor; closing it, or the end of all that hold it, frees the folder
 * @throws {Error} when another agent writes to it
 */
export function lockFolder(folder: string, waitMs = LOCK_WAIT_MS): number {
  const fd = openSync(join(folder, LOCK), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  const sleep = new Int32Array(new SharedArrayBuffer(4))
  try {
    for (let waited = 0; !lockFile(fd); waited += LOCK_LOOK_MS) {
      if (waited >= waitMs) throw new Error('another Lintel writes to it; give each its own folder, or stop the other')
      Atomics.wait(sleep, 0, 0, LOCK_LOOK_MS)
    }
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}
