import type { BpfObject } from '../../../lib/ebpf/mod.ts'
import type { PacketCounters } from '../../../src/capture/source.ts'
import { Directives } from '../../../src/capture/kernel/directives.ts'
import { FilterMaps } from '../../../src/capture/kernel/filters.ts'
import type { KernelFilters } from '../../../src/capture/kernel/filters.ts'
import { readCounters } from '../../../src/capture/kernel/kernel-counters.ts'
import { loadKernelObject } from '../../../src/capture/kernel/kernel-object.ts'
import type { KernelPlan } from '../../../src/capture/kernel/options.ts'
import { RecordReader } from '../../../src/capture/kernel/record-reader.ts'
import { recordsOf } from './records.ts'
import type { PacketRecord } from './records.ts'

/** Packet programs return this to leave the packet alone: TCX_NEXT. */
export const TCX_NEXT = 0xffff_ffff

/**
 * The real programs in the real kernel, loaded but attached nowhere: frames go in by BPF_PROG_TEST_RUN, records come out
 * of the ring. So a test says which bytes arrive, to the last sequence number.
 */
export class ProgramBench implements Disposable {
  readonly object: BpfObject
  readonly directives: Directives
  readonly #filters: FilterMaps
  readonly #reader: RecordReader
  readonly #batch = new Uint8Array(1 << 22)

  constructor(plan: Partial<KernelPlan> = {}, filters: KernelFilters = {}) {
    const whole: KernelPlan = { attach: 'tcx', transport: 'ring', ringBytes: 1 << 21, connections: 4096, headBytesMax: 65536, ...plan }
    this.object = loadKernelObject(whole)
    this.#filters = new FilterMaps(this.object, whole.headBytesMax)
    this.#filters.set(filters)
    this.#reader = RecordReader.of(this.object, whole)
    this.directives = new Directives(this.object.map('directives'))
  }

  setDecoderPorts(ports: readonly number[]): void {
    this.#filters.setDecoderPorts(ports)
  }

  setFilters(filters: KernelFilters): void {
    this.#filters.set(filters)
  }

  setAdmitted(share: number): void {
    this.#filters.setAdmitted(share)
  }

  /** Runs one program on each frame; the answer is what it returned for the last. */
  send(frames: Uint8Array | readonly Uint8Array[], program = 'lintel_ingress'): number {
    let verdict = -1
    for (const frame of frames instanceof Uint8Array ? [frames] : frames) {
      verdict = this.object.program(program).testRun(frame).returnValue
    }
    return verdict
  }

  /** What was delivered since the last call. */
  records(): PacketRecord[] {
    const records: PacketRecord[] = []
    for (;;) {
      const length = this.#reader.read(this.#batch, 0, this.#batch.length)
      if (length === 0) return records
      records.push(...recordsOf(this.#batch.subarray(0, length)))
    }
  }

  /** As `records`, but the batch as it is: written to `bytes` at `at`, at most `length` bytes. */
  fill(bytes: Uint8Array, at: number, length: number): number {
    return this.#reader.read(bytes, at, length)
  }

  counters(): PacketCounters {
    return readCounters(this.object.map('counters'))
  }

  [Symbol.dispose](): void {
    this.#reader.close()
    this.object.close()
  }
}

/** `seen` less everything it must be the sum of. */
export function ledgerOff(counters: PacketCounters): number {
  const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((total, count) => total + count, 0)
  return counters.seen - counters.delivered - sum(counters.notWanted) - sum(counters.lost)
}
