import { onlineCpus } from './cpus.ts'
import { libc } from './libbpf.ts'
import { MappedMemory, pageSizeBytes } from './mapped-memory.ts'
import { CStruct, fail, lastFailure, syscallNumber } from './syscall.ts'

/** include/uapi/linux/perf_event.h */
const PERF_TYPE_SOFTWARE = 1
const PERF_COUNT_SW_DUMMY = 9n
const PERF_ATTR_SIZE_VER0 = 64
const ATTR_MMAP = 1n << 8n
const ATTR_WATERMARK = 1n << 14n
const ATTR_MMAP2 = 1n << 23n
const PERF_FLAG_FD_CLOEXEC = 8
const PERF_RECORD_LOST = 2
const PERF_RECORD_MMAP2 = 10
const HEAD_WORD = 1024 / 8
const TAIL_WORD = 1032 / 8
/** struct of PERF_RECORD_MMAP2: header, pid, tid, addr, len, pgoff, maj, min, ino, ino_generation, prot, flags, filename. */
const AT = { pid: 8, address: 16, length: 24, major: 40, minor: 44, inode: 48, filename: 72 } as const
const PAGES = 16

/** Code of a file that a process has just mapped: at its exec, or when it loads a library. */
export interface NewMapping {
  readonly processId: number
  readonly address: bigint
  readonly length: bigint
  /** Numbers of the file system's device and of the file, as /proc/PID/maps has them. */
  readonly major: number
  readonly minor: number
  readonly inode: bigint
  /** As the process sees it. */
  readonly path: string
}

interface Ring { readonly fd: number; readonly memory: MappedMemory; readonly bytes: Uint8Array; readonly positions: BigInt64Array; tail: bigint }

/**
 * Tells when any process maps code, by the kernel's own records of it (perf_event_open(2), `mmap2`): no program is loaded,
 * and nothing is asked of /proc.
 *
 * Bound: a ring of 64 KiB for each CPU; what does not fit is counted as `lost` by the kernel.
 */
export class MappingWatch implements Disposable {
  /** Mappings that the kernel could not tell. */
  lost = 0
  readonly #rings: Ring[] = []

  /** @throws BpfError without the privilege */
  constructor() {
    try {
      for (const cpu of onlineCpus()) {
        const ring = openRing(cpu)
        if (ring !== undefined) this.#rings.push(ring)
      }
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Descriptors that can be read when something was mapped. */
  get fds(): number[] {
    return this.#rings.map(({ fd }) => fd)
  }

  /** Everything since the last call. */
  * read(): Generator<NewMapping> {
    for (const ring of this.#rings) {
      const head = Atomics.load(ring.positions, HEAD_WORD)
      while (BigInt.asUintN(64, head - ring.tail) > 0n) {
        const record = recordAt(ring)
        ring.tail += BigInt(record.byteLength)
        const type = record.getUint32(0, true)
        if (type === PERF_RECORD_LOST) this.lost += Number(record.getBigUint64(16, true))
        if (type !== PERF_RECORD_MMAP2) continue
        const mapping = mappingOf(record)
        if (mapping !== undefined) yield mapping
      }
      // After the copies: pairs with READ_ONCE(data_tail) and smp_mb() in __perf_output_begin.
      Atomics.store(ring.positions, TAIL_WORD, ring.tail)
    }
  }

  /** Idempotent. */
  close(): void {
    for (const { fd, memory } of this.#rings) {
      memory.unmap()
      // SAFETY: the descriptor is this ring's own.
      libc.close(fd)
    }
    this.#rings.length = 0
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** undefined when the CPU is offline. */
function openRing(cpu: number): Ring | undefined {
  const of = `the mappings of CPU ${cpu}`
  const attr = new CStruct(PERF_ATTR_SIZE_VER0)
    .u32(0, PERF_TYPE_SOFTWARE)
    .u32(4, PERF_ATTR_SIZE_VER0)
    .u64(8, PERF_COUNT_SW_DUMMY)
    .u64(40, ATTR_MMAP | ATTR_MMAP2 | ATTR_WATERMARK)
    .u32(48, 1)
  // SAFETY: the struct has the size it states; the kernel copies it.
  const fd = libc.syscall_perf_event_open(syscallNumber('perf_event_open'), attr.bytes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)
  if (fd < 0) {
    const failure = lastFailure()
    if (failure.code === 'ENODEV') return undefined
    return fail(`Cannot watch ${of}`, failure, {
      EACCES: 'run as root or with CAP_PERFMON', EPERM: 'run as root or with CAP_PERFMON',
    })
  }
  try {
    const page = pageSizeBytes()
    const memory = new MappedMemory({ of, fd, lengthBytes: (PAGES + 1) * page, writable: true })
    return {
      fd, memory, tail: 0n, bytes: new Uint8Array(memory.buffer, page), positions: new BigInt64Array(memory.buffer, 0, page / 8),
    }
  } catch (error) {
    // SAFETY: opened above, and nobody else has it.
    libc.close(fd)
    throw error
  }
}

/** A copy of the record at the ring's tail: it may wrap. */
function recordAt(ring: Ring): DataView {
  const mask = ring.bytes.length - 1
  const start = Number(BigInt.asUintN(64, ring.tail) & BigInt(mask))
  const length = (ring.bytes[(start + 6) & mask]! | (ring.bytes[(start + 7) & mask]! << 8)) || 8
  const copy = new Uint8Array(length)
  const first = Math.min(length, ring.bytes.length - start)
  copy.set(ring.bytes.subarray(start, start + first))
  if (first < length) copy.set(ring.bytes.subarray(0, length - first), first)
  return new DataView(copy.buffer)
}

function mappingOf(record: DataView): NewMapping | undefined {
  if (record.byteLength <= AT.filename) return undefined
  const name = new Uint8Array(record.buffer, AT.filename)
  const end = name.indexOf(0)
  return {
    processId: record.getUint32(AT.pid, true),
    address: record.getBigUint64(AT.address, true),
    length: record.getBigUint64(AT.length, true),
    major: record.getUint32(AT.major, true),
    minor: record.getUint32(AT.minor, true),
    inode: record.getBigUint64(AT.inode, true),
    path: Buffer.from(name.subarray(0, end < 0 ? name.length : end)).toString('utf8'),
  }
}
