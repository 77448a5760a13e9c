import type { BpfMap, BpfObject } from '../../../lib/ebpf/mod.ts'
import { PerfBuffer, RingBuffer, onlineCpus } from '../../../lib/ebpf/mod.ts'
import { PACKET_EVENT } from '../events.gen.ts'
import type { KernelPlan } from './options.ts'

/** After a look that found records: as long as they keep coming, no record costs an interrupt. */
const PAUSE_MS = 1
/** A reader that lets records gather is woken all the same when so much of the ring is full. */
const GATHERED_SHARE = 1 / 4
/** A perf buffer wakes its reader at a watermark only, so a quiet one is looked at this often. */
const PERF_LOOK_MS = 5
/** So much is read at once: it stays in the processor's cache until it is worked. The largest record has room. */
const READ_BYTES_MAX = 128 * 1024
/** Bounds what a wake-up lost between the two sides would cost. */
const SLEEP_MAX_MS = 200
const PAGE_BYTES = 4096
/** A CPU's share of the perf buffer: room for two of the largest records. */
const RING_BYTES_MIN = 1 << 18
/** From an entry of the map `reader` to the next. */
const READER_BYTES = 8

type RingMap = ConstructorParameters<typeof RingBuffer>[0]

/**
 * The reading end of the programs' transport. While records keep coming it never asks the kernel to wake it: it looks
 * again after a millisecond. Only when a look found nothing does it set the map `reader`, and the next record wakes it.
 */
export class RecordReader {
  readonly #buffer: RingBuffer | PerfBuffer
  readonly #sleeping: Int32Array | undefined
  readonly #pause = new Int32Array(new SharedArrayBuffer(4))
  #busy = false

  private constructor(buffer: RingBuffer | PerfBuffer, sleeping?: Int32Array) {
    this.#buffer = buffer
    this.#sleeping = sleeping
  }

  /**
   * The whole of what an object's programs deliver, or what they deliver to the first of several workers.
   *
   * @param alsoWake descriptors that end a `wait` as well when they can be read
   */
  static of(object: BpfObject, plan: KernelPlan, alsoWake: readonly number[] = []): RecordReader {
    if (plan.transport !== 'perf') return RecordReader.ofRing(object.map('events'), object.map('reader'), 0, alsoWake)
    const share = Math.max(RING_BYTES_MIN, plan.ringBytes / onlineCpus().length)
    const pagesPerCpu = 2 ** Math.floor(Math.log2(share / PAGE_BYTES))
    return new RecordReader(new PerfBuffer(object.map('events_perf'), {
      pagesPerCpu, timeOffset: PACKET_EVENT.time_ns, watermarkBytes: pagesPerCpu * PAGE_BYTES / 4,
    }))
  }

  /** @param reader the map `reader`; @param shard which of its entries is this ring's */
  static ofRing(ring: RingMap, reader: BpfMap, shard = 0, alsoWake: readonly number[] = []): RecordReader {
    const bytes = reader.mmap()
    return new RecordReader(new RingBuffer(ring, alsoWake), new Int32Array(bytes.buffer, bytes.byteOffset + shard * READER_BYTES, 1))
  }

  read(target: Uint8Array, offset: number, length: number): number {
    const bytes = this.#buffer.read(target, offset, Math.min(length, READ_BYTES_MAX))
    if (bytes > 0) this.#busy = true
    return bytes
  }

  /** Blocks this thread until there is something to read or the time is over. */
  wait(timeoutMs: number): boolean {
    if (this.#busy) {
      this.#busy = false
      Atomics.wait(this.#pause, 0, 0, Math.min(timeoutMs, PAUSE_MS))
      if (this.#buffer.availableBytes > 0) return true
    }
    if (this.#sleeping === undefined) return this.#waitPerf(timeoutMs)
    Atomics.store(this.#sleeping, 0, 1)
    // A record that came before the flag has woken nobody.
    if (this.#buffer.availableBytes === 0) this.#buffer.wait(Math.ceil(Math.min(timeoutMs, SLEEP_MAX_MS)))
    Atomics.store(this.#sleeping, 0, 0)
    return this.#buffer.availableBytes > 0
  }

  /** Lets records gather for `ms`: fewer, larger batches. Ends early when the ring fills. */
  gather(ms: number): void {
    if (this.#sleeping === undefined || !(this.#buffer instanceof RingBuffer)) {
      Atomics.wait(this.#pause, 0, 0, Math.min(ms, PERF_LOOK_MS))
      return
    }
    const full = this.#buffer.sizeBytes * GATHERED_SHARE
    Atomics.store(this.#sleeping, 0, full)
    // What came before the store has woken nobody.
    if (this.#buffer.availableBytes < full) this.#buffer.waitForWakeUp(ms)
    Atomics.store(this.#sleeping, 0, 0)
  }

  close(): void {
    this.#buffer.close()
  }

  #waitPerf(timeoutMs: number): boolean {
    const until = performance.now() + timeoutMs
    for (;;) {
      if (this.#buffer.availableBytes > 0) return true
      const left = until - performance.now()
      if (left <= 0) return false
      this.#buffer.wait(Math.ceil(Math.min(left, PERF_LOOK_MS)))
    }
  }
}
