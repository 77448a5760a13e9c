import { feature } from '../../../lib/ebpf/mod.ts'
import type { BpfObject } from '../../../lib/ebpf/mod.ts'
import type { PacketSource } from '../source.ts'
import { Attachments } from './attachments.ts'
import type { AttachmentChange, KernelAttachment } from './attachments.ts'
import { FilterMaps } from './filters.ts'
import type { KernelFilters } from './filters.ts'
import { readCounters } from './kernel-counters.ts'
import type { KernelCounters } from './kernel-counters.ts'
import { loadTallyObject } from './kernel-object.ts'
import type { KernelAttach } from './options.ts'
import { TALLY_LABELS } from './tally-key.ts'
import type { TallyLabel } from './tally-key.ts'
import { TallyReader } from './tally-reader.ts'
import type { TallyCounts } from './tally-reader.ts'
import { WallClock } from './wall-clock.ts'

export interface TallyOptions {
  readonly labels: readonly TallyLabel[]
  /** Keys told apart in the kernel at a time. */
  readonly keys: number
  /** Connections followed at a time. */
  readonly connections: number
  readonly interfaces?: readonly string[]
  /** Default: tcx, or clsact where the kernel has no TCX (before 6.6). */
  readonly attach?: KernelAttach
  readonly filters?: KernelFilters
  /** Folder of the compiled kernel programs; default `build/` of this checkout. */
  readonly objectFolder?: string
  readonly onAttachmentChange?: (change: AttachmentChange) => void
}

const REFRESH_MS = 1000
const SLEEPER = new Int32Array(new SharedArrayBuffer(4))

/** Programs that count messages in the kernel. As a source of packets it has none: its counts are read by a `TallyReader`. */
export class TallySource implements PacketSource {
  readonly name = 'kernel'
  readonly ended = false
  readonly seesBothDirections = true
  readonly #object: BpfObject
  readonly #filters: FilterMaps
  readonly #attachments: Attachments
  readonly #clock = new WallClock()
  #refreshedAt = performance.now()
  #detached = false
  #lastCounters: KernelCounters | undefined

  /** @throws {Error} with what to mend; nothing stays attached then */
  constructor(options: TallyOptions) {
    const attach = options.attach ?? (feature.tcxLink().answer === 'no' ? 'clsact' : 'tcx')
    if (attach !== 'tcx' && attach !== 'clsact') {
      // XDP sees one direction; programs of cgroups interrupt each other, and would share what a head is read into.
      throw new Error(`Cannot count in the kernel by ${attach}: capture.mode metrics is for tcx and clsact; set capture.attach to one of them`)
    }
    const labels = options.labels.reduce((bits, label) => bits | TALLY_LABELS[label], 0)
    this.#object = loadTallyObject({ attach, connections: options.connections, keys: options.keys, labels }, options.objectFolder)
    try {
      this.#filters = new FilterMaps(this.#object, 0)
      this.#filters.set(options.filters ?? {})
      this.#attachments = new Attachments(this.#object, {
        attach, interfaces: options.interfaces ?? [], xdpMode: 'auto', onChange: options.onAttachmentChange ?? (() => {}),
      })
      this.#attachments.start()
    } catch (error) {
      this.#object.close()
      throw error
    }
  }

  /** See `TallyReader`; to be read before `close`. */
  reader<Place>(placeOf: (key: Uint8Array) => Place, add: (place: Place, counts: TallyCounts) => void): TallyReader<Place> {
    return new TallyReader(this.#object, placeOf, add)
  }

  fill(): number {
    return 0
  }

  /** Nothing comes: sleeps, and looks which interfaces there are. */
  wait(timeoutMs: number): void {
    if (timeoutMs > 0) Atomics.wait(SLEEPER, 0, 0, timeoutMs)
    const now = performance.now()
    if (this.#detached || now - this.#refreshedAt < REFRESH_MS) return
    this.#refreshedAt = now
    this.#attachments.refresh()
  }

  /** @throws {RangeError} when one cannot be used; the old ones stay */
  setFilters(filters: KernelFilters): void {
    this.#filters.set(filters)
  }

  epochNanoseconds(): bigint {
    return this.#clock.epochNanoseconds()
  }

  interfaceName(index: number): string | undefined {
    return this.#attachments.interfaceName(index)
  }

  skip(): void {
    // No bodies come.
  }

  ignore(): void {
    // No connections either.
  }

  counters(): KernelCounters {
    return this.#lastCounters ?? readCounters(this.#object.map('counters'))
  }

  attachments(): KernelAttachment[] {
    return this.#attachments.list()
  }

  /** Takes every program off; what was counted can still be read. */
  detach(): void {
    this.#detached = true
    this.#attachments.close()
  }

  /** Detaches and unloads. The counters can still be asked. Idempotent. */
  close(): void {
    if (this.#lastCounters !== undefined) return
    this.detach()
    this.#lastCounters = this.counters()
    this.#object.close()
  }
}
