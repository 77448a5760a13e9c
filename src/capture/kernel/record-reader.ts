import type { BpfObject } from '../../../lib/ebpf/mod.ts'
import { PerfBuffer, RingBuffer, onlineCpus } from '../../../lib/ebpf/mod.ts'
import { PACKET_EVENT } from '../events.gen.ts'
import type { KernelPlan } from './options.ts'

/** How long a busy reader lets records gather: fewer, larger batches, and no interrupt for each record. */
const GATHER_MS = 1
/** A perf buffer wakes its reader at a watermark only, so a quiet one is looked at this often. */
const PERF_LOOK_MS = 5
/** Bounds what a wake-up lost between the two sides would cost. */
const SLEEP_MAX_MS = 200
const PAGE_BYTES = 4096
/** A CPU's share of the perf buffer: room for two of the largest records. */
const RING_BYTES_MIN = 1 << 18

/**
 * The reading end of the programs' transport. While records keep coming it never asks the kernel to wake it: it looks
 * again after a millisecond. Only when a look found nothing does it set the map `reader`, and the next record wakes it.
 */
export class RecordReader {
  readonly #buffer: RingBuffer | PerfBuffer
  readonly #sleeping: Int32Array | undefined
  readonly #pause = new Int32Array(new SharedArrayBuffer(4))
  #busy = false

  /** @param alsoWake descriptors that end a `wait` as well when they can be read */
  constructor(object: BpfObject, plan: KernelPlan, alsoWake: readonly number[] = []) {
    if (plan.transport === 'perf') {
      const share = Math.max(RING_BYTES_MIN, plan.ringBytes / onlineCpus().length)
      const pagesPerCpu = 2 ** Math.floor(Math.log2(share / PAGE_BYTES))
      this.#buffer = new PerfBuffer(object.map('events_perf'), {
        pagesPerCpu, timeOffset: PACKET_EVENT.time_ns, watermarkBytes: pagesPerCpu * PAGE_BYTES / 4,
      })
      return
    }
    const bytes = object.map('reader').mmap()
    this.#buffer = new RingBuffer(object.map('events'), alsoWake)
    this.#sleeping = new Int32Array(bytes.buffer, bytes.byteOffset, 1)
  }

  read(target: Uint8Array, offset: number, length: number): number {
    const bytes = this.#buffer.read(target, offset, length)
    if (bytes > 0) this.#busy = true
    return bytes
  }

  /** Blocks this thread until there is something to read or the time is over. */
  wait(timeoutMs: number): boolean {
    if (this.#busy) {
      this.#busy = false
      Atomics.wait(this.#pause, 0, 0, Math.min(timeoutMs, GATHER_MS))
      if (this.#buffer.availableBytes > 0) return true
    }
    if (this.#sleeping === undefined) return this.#waitPerf(timeoutMs)
    Atomics.store(this.#sleeping, 0, 1)
    // A record that came before the flag has woken nobody.
    if (this.#buffer.availableBytes === 0) this.#buffer.wait(Math.ceil(Math.min(timeoutMs, SLEEP_MAX_MS)))
    Atomics.store(this.#sleeping, 0, 0)
    return this.#buffer.availableBytes > 0
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
