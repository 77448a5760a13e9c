import { FilterMaps } from '../../../src/capture/kernel/filters.ts'
import type { KernelFilters } from '../../../src/capture/kernel/filters.ts'
import { readCounters } from '../../../src/capture/kernel/kernel-counters.ts'
import { loadTallyObject } from '../../../src/capture/kernel/kernel-object.ts'
import { readTallyKey, TALLY_LABELS } from '../../../src/capture/kernel/tally-key.ts'
import type { TallyLabel } from '../../../src/capture/kernel/tally-key.ts'
import { TallyReader } from '../../../src/capture/kernel/tally-reader.ts'
import type { TallyCounts, TallyTotals } from '../../../src/capture/kernel/tally-reader.ts'
import type { PacketCounters } from '../../../src/capture/source.ts'
import type { BpfObject } from '../../../lib/ebpf/mod.ts'
import type { PacketRecord } from './records.ts'

export interface TallyBenchOptions {
  readonly labels?: readonly TallyLabel[]
  readonly keys?: number
  readonly connections?: number
  readonly filters?: KernelFilters
}

/** The programs that count messages, loaded and attached nowhere: frames go in by BPF_PROG_TEST_RUN, counts come out of the maps. */
export class TallyBench implements Disposable {
  readonly #object: BpfObject
  readonly #reader: TallyReader<TallyCounts>
  /** By key in words: `METHOD status host agent client`, parts that are no label left out. */
  readonly counts = new Map<string, TallyCounts>()

  constructor({ labels = ['http.request.method', 'http.response.status_class', 'url.domain'], keys = 4096, connections = 4096, filters = {} }: TallyBenchOptions = {}) {
    this.#object = loadTallyObject({ attach: 'tcx', connections, keys, labels: labels.reduce((bits, label) => bits | TALLY_LABELS[label], 0) })
    new FilterMaps(this.#object, 0).set(filters)
    this.#reader = new TallyReader(this.#object, (key) => this.#countsOf(key, labels), (counts, more) => {
      counts.requests += more.requests
      counts.requestBytes += more.requestBytes
      counts.responseBytes += more.responseBytes
    })
  }

  /** Runs one program on each frame. */
  send(frames: Uint8Array | readonly Uint8Array[], program = 'lintel_ingress'): number {
    let verdict = -1
    for (const frame of frames instanceof Uint8Array ? [frames] : frames) verdict = this.#object.program(program).testRun(frame).returnValue
    return verdict
  }

  /** Reads the maps into `counts`. */
  read(): TallyTotals {
    return this.#reader.read()
  }

  /** Requests by key, after a reading. */
  requests(): Record<string, number> {
    this.read()
    return Object.fromEntries([...this.counts].map(([key, { requests }]) => [key, requests]))
  }

  /** What was not counted as a request, after a reading; reasons of 0 left out. */
  leftOut(): Record<string, number> {
    return Object.fromEntries([...this.read().leftOut].filter(([, count]) => count > 0))
  }

  /** Nothing is delivered. */
  records(): PacketRecord[] {
    return []
  }

  counters(): PacketCounters {
    return readCounters(this.#object.map('counters'))
  }

  [Symbol.dispose](): void {
    this.#object.close()
  }

  #countsOf(bytes: Uint8Array, labels: readonly TallyLabel[]): TallyCounts {
    const { method, statusClass, host, hostIs, agentClass, client } = readTallyKey(bytes)
    const parts: Record<TallyLabel, string> = {
      'http.request.method': method, 'http.response.status_class': statusClass, 'url.domain': hostIs === undefined ? host ?? '-' : `(${hostIs})`,
      'user_agent.class': agentClass, 'client.address': client === undefined ? '-' : [...client.bytes].join('.'),
    }
    const key = labels.map((label) => parts[label]).join(' ')
    const found = this.counts.get(key) ?? { requests: 0, requestBytes: 0, responseBytes: 0 }
    this.counts.set(key, found)
    return found
  }
}
