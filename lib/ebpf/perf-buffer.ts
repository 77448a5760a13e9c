import { BpfError } from './bpf-error.ts'
import type { MapHandle } from './bpf-map.ts'
import { onlineCpus } from './cpus.ts'
import { EventWait } from './event-wait.ts'
import { PerfRing } from './perf-ring.ts'
import { recordTooLong, requireRoom } from './read-target.ts'

export interface PerfBufferOptions {
  /** Pages of each CPU's ring, a power of two. 64 unless given (256 KiB with pages of 4 KiB). */
  readonly pagesPerCpu?: number
  /** Wake the waiting thread after so many records; 1 unless given. */
  readonly wakeupEvents?: number
  /** Wake it after so many bytes instead. */
  readonly watermarkBytes?: number
  /**
   * Where in each record a u64 of nanoseconds (bpf_ktime_get_ns) stands, a multiple of 4. With it, one
   * `read` answers records of all CPUs in the order of that time; without it, CPU after CPU.
   */
  readonly timeOffset?: number
}

const PAGES_PER_CPU = 64
const HEADER_BYTES = 8

/**
 * The reader's side of a BPF_MAP_TYPE_PERF_EVENT_ARRAY: one ring per online CPU, for kernels without
 * ring buffers. `read` has the contract and framing of `RingBuffer.read`, so a consumer needs no branch.
 */
export class PerfBuffer implements Disposable {
  readonly #name: string
  readonly #rings: PerfRing[] = []
  readonly #wait: EventWait
  #closed = false

  /** @throws BpfError EINVAL when the map is no perf event array, EACCES without CAP_PERFMON. */
  constructor(map: Pick<MapHandle, 'name' | 'type' | 'fd'>, options: PerfBufferOptions = {}) {
    if (map.type !== 'perf_event_array') {
      throw new BpfError(`Cannot read "${map.name}" as a perf buffer: it is a ${map.type}`, 'EINVAL')
    }
    const { pagesPerCpu = PAGES_PER_CPU, wakeupEvents = 1, watermarkBytes = 0, timeOffset = -1 } = options
    if (pagesPerCpu < 1 || (pagesPerCpu & (pagesPerCpu - 1)) !== 0) {
      throw new RangeError(`Cannot use ${pagesPerCpu} pages for each CPU: it must be a power of two`)
    }
    if (timeOffset >= 0 && timeOffset % 4 !== 0) {
      throw new RangeError(`Cannot find a timestamp at offset ${timeOffset}: it must be a multiple of 4`)
    }
    this.#name = map.name
    try {
      for (const cpu of onlineCpus()) {
        const ring = PerfRing.open(cpu, map, { pages: pagesPerCpu, wakeupEvents, watermarkBytes, timeOffset })
        if (ring !== undefined) this.#rings.push(ring)
      }
      this.#wait = new EventWait(`the perf buffer "${map.name}"`, this.#rings.map((ring) => ring.fd))
    } catch (error) {
      for (const ring of this.#rings) ring.close()
      throw error
    }
  }

  /** Bytes waiting in all rings, perf's own framing included; 0 once closed. */
  get availableBytes(): number {
    if (this.#closed) return 0
    let available = 0
    for (const ring of this.#rings) available += ring.availableBytes
    return available
  }

  /** Records that found no room, as the kernel reported them in what was read so far. */
  get lost(): number {
    let lost = 0
    for (const ring of this.#rings) lost += ring.lost
    return lost
  }

  /**
   * Copies records into `target` at `offset`, at most `length` bytes, each framed as {u32 length, u32 cpu},
   * data, padding to 8 bytes. perf rounds a sample up to a multiple of 8 less 4, so `length` can be up to
   * 7 bytes more than the program wrote. Returns the bytes copied: 0 when nothing is ready.
   * @throws RangeError when the next record is longer than `length`, or the target is too short.
   */
  read(target: Uint8Array, offset: number, length: number): number {
    requireRoom(target, offset, length)
    if (this.#closed) throw new BpfError(`Cannot read the perf buffer "${this.#name}": it is closed`, 'EBADF')
    for (const ring of this.#rings) ring.refresh()
    let copied = 0
    let refused = 0
    for (;;) {
      const ring = this.#earliest()
      if (ring === undefined) break
      const until = this.#earliestBut(ring)
      // Records of one ring are in order: take them while no other ring has an earlier one.
      while (ring.time <= until && ring.time !== Infinity) {
        const recordBytes = framedBytes(ring.rawBytes)
        if (copied + recordBytes > length) {
          refused = recordBytes
          break
        }
        copied += frame(ring, target, offset + copied)
      }
      if (refused > 0) break
    }
    for (const ring of this.#rings) ring.commit()
    if (copied === 0 && refused > 0) throw recordTooLong(this.#name, length, refused)
    return copied
  }

  /** Blocks this thread until there is something, or for `timeoutMs` (0 asks, -1 is for ever). */
  wait(timeoutMs: number): boolean {
    return this.#wait.wait(timeoutMs)
  }

  /** Closes every ring; programs then get -ENOENT for their output. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#wait.close()
    for (const ring of this.#rings) ring.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #earliest(): PerfRing | undefined {
    let earliest: PerfRing | undefined
    for (const ring of this.#rings) if (ring.time < (earliest?.time ?? Infinity)) earliest = ring
    return earliest
  }

  #earliestBut(except: PerfRing): number {
    let time = Infinity
    for (const ring of this.#rings) if (ring !== except && ring.time < time) time = ring.time
    return time
  }
}

/** Writes one record: header, data, zeros up to a multiple of 8. Returns its bytes. */
function frame(ring: PerfRing, target: Uint8Array, at: number): number {
  const { rawBytes, cpu } = ring
  const recordBytes = framedBytes(rawBytes)
  writeU32(target, at, rawBytes)
  writeU32(target, at + 4, cpu)
  ring.take(target, at + HEADER_BYTES)
  target.fill(0, at + HEADER_BYTES + rawBytes, at + recordBytes)
  return recordBytes
}

function writeU32(target: Uint8Array, at: number, value: number): void {
  target[at] = value & 0xff
  target[at + 1] = (value >>> 8) & 0xff
  target[at + 2] = (value >>> 16) & 0xff
  target[at + 3] = value >>> 24
}

function framedBytes(rawBytes: number): number {
  return (rawBytes + HEADER_BYTES + 7) & ~7
}
