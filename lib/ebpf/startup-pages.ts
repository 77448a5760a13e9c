import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { endianness } from 'node:os'
import { libc } from './libbpf.ts'
import { pageSizeBytes } from './mapped-memory.ts'

/** include/uapi/asm-generic/mman-common.h */
const MADV_DONTNEED = 4
/** Documentation/admin-guide/mm/pagemap.rst: bits 61 to 63 of the 64 of a page, here those of the upper 32. */
const FILE_PAGE = 1 << 29
const SWAPPED = 1 << 30
const PRESENT = 1 << 31
const ENTRY_BYTES = 8

/**
 * Takes the pages of the running executable out of this process that only its start needed: the compiler, the loader and
 * their tables, tens of MiB of the runtime's own file. They stay in the page cache, and what is needed again comes back from
 * there by a minor fault. To be called once, when the start is over.
 *
 * Touches only read-only private mappings of the executable, and no page in them that was written to (relocations, the
 * breakpoints of uprobes): that would come back as it is in the file.
 *
 * @returns bytes that were taken out; 0 when the kernel does not say what is where (no /proc, no right to read it)
 */
export function releaseStartupPages(executable = process.execPath): number {
  try {
    let bytes = 0
    for (const line of readFileSync('/proc/self/maps', 'utf8').split('\n')) {
      const [, from, to, path] = /^([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ \d+ +(.*)$/.exec(line) ?? []
      if (from === undefined || to === undefined || path !== executable) continue
      bytes += releaseFilePages(Number.parseInt(from, 16), Number.parseInt(to, 16))
    }
    return bytes
  } catch {
    return 0 // they stay resident, which harms nothing
  }
}

/** Addresses of user space are below 2^53. */
function releaseFilePages(from: number, to: number): number {
  const pageBytes = pageSizeBytes()
  const pages = upperWords(from / pageBytes, (to - from) / pageBytes)
  let released = 0
  for (let first = 0; first < pages.length; first++) {
    let end = first
    let present = 0
    while (end < pages.length && !isOwn(pages[end]!)) present += pages[end++]! & PRESENT ? 1 : 0
    if (present === 0) {
      first = end
      continue
    }
    // SAFETY: these pages were never written to, so they come back from the file as they are.
    if (libc.madvise(BigInt(from + first * pageBytes), (end - first) * pageBytes, MADV_DONTNEED) === 0) released += present * pageBytes
    first = end
  }
  return released
}

/** A page of this process alone, not the file's. */
function isOwn(page: number): boolean {
  return (page & SWAPPED) !== 0 || ((page & PRESENT) !== 0 && (page & FILE_PAGE) === 0)
}

/** The upper halves of what the kernel says of `count` pages. */
function upperWords(firstPage: number, count: number): Uint32Array {
  const bytes = new Uint8Array(count * ENTRY_BYTES)
  const fd = openSync('/proc/self/pagemap', 'r')
  try {
    const length = readSync(fd, bytes, 0, bytes.length, firstPage * ENTRY_BYTES)
    if (length !== bytes.length) throw new Error(`Cannot read the page map: ${length} bytes of ${bytes.length}`)
  } finally {
    closeSync(fd)
  }
  const upper = endianness() === 'LE' ? 1 : 0
  return new Uint32Array(bytes.buffer).filter((_, index) => index % 2 === upper)
}
