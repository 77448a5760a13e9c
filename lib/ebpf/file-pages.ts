import { libc } from './libbpf.ts'

/** include/uapi/linux/fadvise.h; the same number on x86-64 and arm64. */
const POSIX_FADV_DONTNEED = 4

/**
 * Has a part of a file written out, and takes out of the page cache what of it is written already: one call begins what a later
 * one over the same part ends (mm/fadvise.c). Waits in a thread of its own, never in the caller's.
 *
 * @param fd open until the promise settles: the caller's duty
 * @param offset first byte of the part
 * @param length bytes of the part
 * @returns true when the kernel took the advice; false where a file has no pages (a pipe, some file systems)
 */
export async function dropFilePages(fd: number, offset: number, length: number): Promise<boolean> {
  return await libc.posix_fadvise(fd, offset, length, POSIX_FADV_DONTNEED) === 0
}
