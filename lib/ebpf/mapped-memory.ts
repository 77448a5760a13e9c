import { MAP_FAILED, detachView, libc, viewOf } from './libbpf.ts'
import type { Pointer } from './libbpf.ts'
import { fail, lastFailure } from './syscall.ts'
import { MAP_ANONYMOUS, MAP_NORESERVE, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from './uapi.ts'

/** What to map. */
export interface MapRequest {
  /** What the mapping is of, for the error message: `ring buffer "events"`. */
  readonly of: string
  /** File descriptor; without one the memory is anonymous, private and costs only the pages touched. */
  readonly fd?: number
  readonly lengthBytes: number
  /** A multiple of the page size. */
  readonly offsetBytes?: number
  readonly writable: boolean
}

/**
 * One mmap(2) of a file descriptor shared with the kernel, as an ArrayBuffer on which Atomics work.
 * `unmap` empties every typed array over it, so a late access reads nothing instead of crashing.
 */
export class MappedMemory implements Disposable {
  readonly buffer: ArrayBuffer
  readonly pointer: Pointer
  readonly #lengthBytes: number
  #mapped = true

  constructor(request: MapRequest) {
    const { fd = -1, lengthBytes, offsetBytes = 0, writable } = request
    const prot = writable ? PROT_READ | PROT_WRITE : PROT_READ
    const flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED
    // SAFETY: the kernel picks the address, so no memory in use is replaced.
    const pointer = libc.mmap(null, lengthBytes, prot, flags, fd, offsetBytes)
    if (pointer === MAP_FAILED) {
      fail(`Cannot map ${lengthBytes} bytes of ${request.of}`, lastFailure(), {
        EPERM: 'the kernel shares it in another mode than asked for',
        ENOMEM: 'raise the memory limit or ask for less',
      })
    }
    this.pointer = pointer
    this.#lengthBytes = lengthBytes
    // SAFETY: the view spans exactly the mapping and is detached before munmap.
    this.buffer = viewOf(pointer, lengthBytes)
  }

  /** Idempotent. */
  unmap(): void {
    if (!this.#mapped) return
    this.#mapped = false
    detachView(this.buffer)
    // SAFETY: address and length are those mmap answered; no view is left.
    libc.munmap(this.pointer, this.#lengthBytes)
  }

  [Symbol.dispose](): void {
    this.unmap()
  }
}

/** `_SC_PAGESIZE` of glibc. */
const SC_PAGESIZE = 30
let pageBytes: number | undefined

/** The page size of this kernel. */
export function pageSizeBytes(): number {
  // SAFETY: no memory is passed.
  pageBytes ??= libc.sysconf(SC_PAGESIZE)
  return pageBytes
}
