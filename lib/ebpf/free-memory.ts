import { libc } from './libbpf.ts'

/**
 * Gives the kernel back what the C allocator has free but keeps, of all threads. To be called after objects were loaded: libbpf reads the
 * kernel's BTF and relocates against it in tens of MiB that nobody needs again, and glibc keeps them resident for good.
 */
export function releaseFreeMemory(): void {
  try {
    // SAFETY: takes a number and touches nothing that is in use.
    libc.malloc_trim(0)
  } catch {
    // A C library without it (musl) keeps less to begin with.
  }
}
