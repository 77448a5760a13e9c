import { lastErrno, libbpf, libc } from './libbpf.ts'
import { MappedMemory, pageSizeBytes } from './mapped-memory.ts'
import { CStruct, fail, failureOf, lastFailure, syscallNumber } from './syscall.ts'

/** include/uapi/linux/perf_event.h */
const PERF_TYPE_SOFTWARE = 1
const PERF_COUNT_SW_BPF_OUTPUT = 10n
const PERF_SAMPLE_RAW = 1n << 10n
const PERF_ATTR_WATERMARK = 1n << 14n
const PERF_FLAG_FD_CLOEXEC = 8
const PERF_EVENT_IOC_ENABLE = 0x2400
const PERF_ATTR_SIZE_VER0 = 64
const PERF_RECORD_LOST = 2
const PERF_RECORD_SAMPLE = 9
/** Where `struct perf_event_mmap_page` keeps its positions, as 64-bit words. */
const HEAD_WORD = 1024 / 8
const TAIL_WORD = 1032 / 8
/** perf_event_header {u32 type, u16 misc, u16 size}, then u32 raw size, then the raw data. */
const RAW_SIZE_AT = 8
const RAW_DATA_AT = 12
const LOST_COUNT_AT = 16

/** How a ring wakes its reader: after so many records, or (when above 0) so many bytes. */
export interface PerfRingOptions {
  readonly pages: number
  readonly wakeupEvents: number
  readonly watermarkBytes: number
  /** Where a u64 timestamp stands in the raw data; below 0 for none. A multiple of 4. */
  readonly timeOffset: number
}

/**
 * The perf ring of one CPU. `refresh` looks how far the kernel got, `time` and `rawBytes` describe the
 * sample at hand, `take` copies it, `commit` gives the room back.
 */
export class PerfRing {
  readonly cpu: number
  readonly fd: number
  /** The sample at hand: its timestamp in ns, or Infinity when there is none. Exact below 2^53 (104 days). */
  time = Infinity
  /** The sample at hand: bytes of its raw data. */
  rawBytes = 0
  /** Records the kernel reported lost, as far as read. */
  lost = 0
  readonly #memory: MappedMemory
  readonly #positions: BigInt64Array
  readonly #words: Uint32Array
  readonly #bytes: Uint8Array
  readonly #mask: number
  readonly #timeOffset: number
  #tail = 0n
  #start = 0
  #cursor = 0
  #available = 0

  private constructor(cpu: number, fd: number, memory: MappedMemory, options: PerfRingOptions) {
    const page = pageSizeBytes()
    this.cpu = cpu
    this.fd = fd
    this.#memory = memory
    this.#positions = new BigInt64Array(memory.buffer, 0, page / 8)
    this.#words = new Uint32Array(memory.buffer, page)
    this.#bytes = new Uint8Array(memory.buffer, page)
    this.#mask = this.#bytes.length - 1
    this.#timeOffset = options.timeOffset
  }

  /** Opens the ring of `cpu` and puts it into the map; `undefined` when that CPU is offline. */
  static open(cpu: number, map: { readonly name: string; readonly fd: number }, options: PerfRingOptions):
  PerfRing | undefined {
    const of = `the perf buffer "${map.name}" of CPU ${cpu}`
    const attr = new CStruct(PERF_ATTR_SIZE_VER0)
      .u32(0, PERF_TYPE_SOFTWARE)
      .u32(4, PERF_ATTR_SIZE_VER0)
      .u64(8, PERF_COUNT_SW_BPF_OUTPUT)
      .u64(16, 1n)
      .u64(24, PERF_SAMPLE_RAW)
      .u64(40, options.watermarkBytes > 0 ? PERF_ATTR_WATERMARK : 0n)
      .u32(48, options.watermarkBytes > 0 ? options.watermarkBytes : options.wakeupEvents)
    // SAFETY: the struct has the size it states; the kernel copies it.
    const fd = libc.syscall_perf_event_open(
      syscallNumber('perf_event_open'), attr.bytes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)
    if (fd < 0) {
      const failure = lastFailure()
      if (failure.code === 'ENODEV') return undefined
      return fail(`Cannot open ${of}`, failure, {
        EACCES: 'run as root or with CAP_PERFMON', EPERM: 'run as root or with CAP_PERFMON',
      })
    }
    try {
      const lengthBytes = (options.pages + 1) * pageSizeBytes()
      const memory = new MappedMemory({ of, fd, lengthBytes, writable: true })
      // SAFETY: PERF_EVENT_IOC_ENABLE takes no argument.
      if (libc.ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0) fail(`Cannot enable ${of}`, lastFailure())
      const key = new CStruct(4).u32(0, cpu)
      const value = new CStruct(4).u32(0, fd)
      // SAFETY: key and value of a perf_event_array are 4 bytes each; the kernel copies both.
      if (libbpf.bpf_map_update_elem(map.fd, key.bytes, value.bytes, 0) < 0) {
        fail(`Cannot put ${of} into its map`, failureOf(lastErrno()), {
          E2BIG: 'the map has fewer entries than CPUs; raise max_entries with setMaxEntries()',
        })
      }
      return new PerfRing(cpu, fd, memory, options)
    } catch (error) {
      // SAFETY: the descriptor was opened above and nobody else has it.
      libc.close(fd)
      throw error
    }
  }

  /** Bytes waiting, as of now. */
  get availableBytes(): number {
    return Number(BigInt.asUintN(64, Atomics.load(this.#positions, HEAD_WORD) - this.#tail))
  }

  /** Takes in what the kernel wrote since, and steps to the first sample. */
  refresh(): void {
    // Pairs with smp_wmb() before data_head is set, perf_output_put_handle in kernel/events/ring_buffer.c.
    this.#available = this.availableBytes
    this.#start = Number(BigInt.asUintN(64, this.#tail) & BigInt(this.#mask))
    this.#cursor = 0
    this.#step()
  }

  /** Copies the sample's raw data to `target` and steps to the next one. */
  take(target: Uint8Array, offset: number): void {
    const from = (this.#start + this.#cursor + RAW_DATA_AT) & this.#mask
    const untilEnd = Math.min(this.rawBytes, this.#bytes.length - from)
    target.set(this.#bytes.subarray(from, from + untilEnd), offset)
    if (untilEnd < this.rawBytes) {
      target.set(this.#bytes.subarray(0, this.rawBytes - untilEnd), offset + untilEnd)
    }
    this.#advance()
    this.#step()
  }

  /** Lets the kernel use the room of what was taken. */
  commit(): void {
    if (this.#cursor === 0) return
    this.#tail = BigInt.asIntN(64, this.#tail + BigInt(this.#cursor))
    this.#cursor = 0
    this.#available = 0
    // After the copies: pairs with READ_ONCE(data_tail) and smp_mb() in __perf_output_begin.
    Atomics.store(this.#positions, TAIL_WORD, this.#tail)
  }

  /** Called once. */
  close(): void {
    this.#memory.unmap()
    // SAFETY: the descriptor is this ring's own. Closing it takes it out of the map as well.
    libc.close(this.fd)
  }

  /** Steps over everything that is no sample, counting losses, and reads the sample's size and time. */
  #step(): void {
    while (this.#cursor < this.#available) {
      const type = this.#word(0)
      if (type === PERF_RECORD_SAMPLE) {
        this.rawBytes = this.#word(RAW_SIZE_AT)
        this.time = this.#timeOffset < 0 || this.#timeOffset + 8 > this.rawBytes ? 0
          : this.#word(RAW_DATA_AT + this.#timeOffset)
            + this.#word(RAW_DATA_AT + this.#timeOffset + 4) * 0x1_0000_0000
        return
      }
      if (type === PERF_RECORD_LOST) this.lost += this.#word(LOST_COUNT_AT)
      this.#advance()
    }
    this.time = Infinity
    this.rawBytes = 0
  }

  #advance(): void {
    const recordBytes = this.#word(4) >>> 16
    // The kernel never writes a size of 0; without this a damaged ring would hold the thread for ever.
    this.#cursor = recordBytes === 0 ? this.#available : this.#cursor + recordBytes
  }

  #word(at: number): number {
    return this.#words[((this.#start + this.#cursor + at) & this.#mask) >>> 2] ?? 0
  }
}
