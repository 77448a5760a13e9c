import { feature, releaseFreeMemory } from '../../../lib/ebpf/mod.ts'
import type { BpfObject, FeatureAnswer } from '../../../lib/ebpf/mod.ts'
import type { FlowShare } from '../flow-share.ts'
import type { PacketSource } from '../source.ts'
import { TlsSource } from '../tls/mod.ts'
import type { TlsBinary, TlsCounters } from '../tls/mod.ts'
import { Attachments } from './attachments.ts'
import type { AttachmentCounts, AttachmentRefusal, KernelAttachment } from './attachments.ts'
import { Directives } from './directives.ts'
import { EventRings } from './event-rings.ts'
import type { KernelShard } from './event-rings.ts'
import { FilterMaps } from './filters.ts'
import type { KernelFilters } from './filters.ts'
import { readCounters } from './kernel-counters.ts'
import type { KernelCounters } from './kernel-counters.ts'
import { loadKernelObject } from './kernel-object.ts'
import { ARPHRD_LOOPBACK, readInterface } from './interfaces.ts'
import { KernelAttach, KernelTransport, planOf } from './options.ts'
import type { KernelOptions, KernelPlan } from './options.ts'
import { ProcessPrograms, processSupport } from './process-programs.ts'
import { RecordReader } from './record-reader.ts'
import { RingSource } from './ring-source.ts'

/** How often the list of interfaces is looked at. */
const REFRESH_MS = 1000

/** Run time of one kernel program; zeros unless bpf_stats are enabled. */
export interface ProgramCost { readonly id: number; readonly name: string; readonly runs: number; readonly nanoseconds: number }

/**
 * Packets from the kernel of this machine: loads the programs, attaches them, and reads what they deliver.
 */
export class KernelSource extends RingSource implements PacketSource, Disposable {
  readonly attach: KernelAttach
  readonly share: FlowShare
  /** False when it is attached where a request and its response cannot both be seen (XDP, but on the loopback). */
  readonly seesBothDirections: boolean
  readonly #object: BpfObject
  readonly #filters: FilterMaps
  readonly #attachments: Attachments
  readonly #rings: EventRings
  #processes: ProcessPrograms | undefined
  /** Whether packets name the processes that sent them, and if not, why. */
  readonly processes: FeatureAnswer
  readonly #onlyListed: boolean
  readonly #objectFolder: string | undefined
  readonly #tls: TlsSource | undefined
  #refreshedAt = performance.now()
  #closed = false

  /** @throws {Error} with what to mend; nothing stays attached then */
  constructor(options: KernelOptions) {
    super(options.memory.u8)
    const plan = planOf(options, () => feature.tcxLink().answer !== 'no')
    this.attach = plan.attach
    this.processes = options.processes === false ? { answer: 'no', reason: 'it is switched off' } : processSupport(plan)
    this.share = { index: 0, count: plan.shards ?? 1 }
    const names = this.processes.answer === 'yes'
    this.#object = loadKernelObject({ ...plan, processes: names }, options.objectFolder)
    let rings: EventRings | undefined
    let tls: TlsSource | undefined
    try {
      rings = this.#rings = new EventRings(this.#object, plan.shards ?? 1)
      this.#filters = new FilterMaps(this.#object, plan.headBytesMax)
      this.#filters.set(options.filters ?? {})
      this.#filters.setDecoderPorts(options.decoderPorts ?? [])
      tls = this.#tls = openTls(this.#object, plan, options)
      this.openRing({ reader: RecordReader.of(this.#object, plan, tls?.fds), directives: new Directives(this.#object.map('directives')) })
      this.#attachments = new Attachments(this.#object, {
        attach: plan.attach,
        interfaces: options.interfaces ?? [],
        xdpMode: options.xdpMode ?? 'auto',
        onChange: options.onAttachmentChange ?? (() => {}),
        ...(options.cgroupPath === undefined ? {} : { cgroupPath: options.cgroupPath }),
      })
      this.#onlyListed = plan.attach === KernelAttach.cgroup && (options.interfaces ?? []).length > 0
    } catch (error) {
      this.closeRing()
      rings?.close()
      tls?.close()
      this.#object.close()
      throw error
    }
    this.#objectFolder = options.objectFolder
    this.seesBothDirections = seesBoth(plan.attach, options.interfaces ?? [])
    if (options.isDeferred !== true) this.start()
  }

  /** Attaches the programs. To be called once, of a source that was opened `isDeferred`. @throws {Error} with what to mend; it is closed then */
  start(): void {
    try {
      // Before the first packet, so that it finds who sent it.
      if (this.processes.answer === 'yes') {
        this.#processes = ProcessPrograms.attach(this.#object, this.#objectFolder, { shards: this.share.count })
      }
      this.#attachments.start()
      if (this.#onlyListed) this.#filters.setInterfaces(this.#attachments.indexes())
      releaseFreeMemory()
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Of several workers what those beside this one need: each makes a ShardSource of its own. */
  shards(): KernelShard[] {
    return this.#rings.shards(this.seesBothDirections)
  }

  override fill(pointer: number, length: number): number {
    this.#follow()
    return super.fill(pointer, length)
  }

  override wait(timeoutMs: number): boolean {
    this.#follow()
    return super.wait(timeoutMs)
  }

  /** Replaces all filters while the programs run. @throws {RangeError} when one cannot be used; the old ones stay */
  setFilters(filters: KernelFilters): void {
    this.#filters.set(filters)
  }

  /** The agent cannot keep up: of all connections this share is read, above 0 to 1. See settings.admit_below of bpf/events.h. */
  setAdmitted(share: number): void {
    if (!this.#closed) this.#filters.setAdmitted(share)
  }

  interfaceName(index: number): string | undefined {
    return this.#attachments.interfaceName(index)
  }

  skipPlaintext(session: number, isWritten: boolean, until: number): void {
    if (!this.#closed) this.#tls?.skip(session, isWritten, until)
  }

  ignorePlaintext(session: number): void {
    if (!this.#closed) this.#tls?.ignore(session)
  }

  /** Programs and libraries that speak TLS, read or not. */
  tlsBinaries(): TlsBinary[] {
    return this.#tls?.binaries() ?? []
  }

  /** What became of the calls of TLS libraries; undefined when none is read. */
  tlsCounters(): TlsCounters | undefined {
    return this.#tls?.counters()
  }

  counters(): KernelCounters {
    return this.#closed ? this.#lastCounters : readCounters(this.#object.map('counters'))
  }

  renewProcesses(): void {
    if (!this.#closed) this.#processes?.renew()
  }

  /** Processes that could not be told, by reason. */
  oddities(): Iterable<readonly [string, number]> {
    return this.#closed ? this.#lastOddities : [...this.#processes?.oddities() ?? [], ...this.#tls?.oddities() ?? []]
  }

  attachments(): KernelAttachment[] {
    return this.#attachments.list()
  }

  /** Interfaces that are up but not captured, each with the reason. */
  refusals(): AttachmentRefusal[] {
    return this.#attachments.refusals()
  }

  /** Interfaces that came, went or refused since the start. */
  attachmentCounts(): AttachmentCounts {
    return { ...this.#attachments.counts }
  }

  /** What each program has cost, with bpf_stats enabled. */
  costs(): ProgramCost[] {
    const programs = [...this.#object.programs.values(), ...(this.#processes?.programs() ?? [])]
    return programs.filter((program) => program.autoload).map((program) => {
      const info = program.info()
      return { id: info.id, name: program.name, runs: Number(info.runCount), nanoseconds: Number(info.runTimeNs) }
    })
  }

  /** Takes every program off; what was captured can still be read, and the counters stand still. */
  detach(): void {
    this.#detached = true
    this.#tls?.detach()
    this.#attachments.close()
    this.#processes?.detach()
  }

  /** Detaches and unloads. The counters can still be asked. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.detach()
    this.#lastCounters = readCounters(this.#object.map('counters'))
    this.#lastOddities = [...this.oddities()]
    this.#closed = true
    this.closeRing()
    this.#rings.close()
    this.#processes?.close()
    this.#tls?.close()
    this.#object.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #detached = false
  #lastCounters!: KernelCounters
  #lastOddities: (readonly [string, number])[] = []

  #follow(): void {
    if (this.#detached) return
    this.#tls?.follow()
    const now = performance.now()
    if (now - this.#refreshedAt < REFRESH_MS) return
    this.#refreshedAt = now
    this.#attachments.refresh()
    if (this.#onlyListed) this.#filters.setInterfaces(this.#attachments.indexes())
  }
}

/** XDP sees what comes in; on the loopback that is everything. */
function seesBoth(attach: KernelAttach, interfaces: readonly string[]): boolean {
  return attach !== KernelAttach.xdp || (interfaces.length > 0 && interfaces.every((name) => readInterface(name)?.type === ARPHRD_LOOPBACK))
}

/** TLS is read beside the packets: what keeps it away keeps nothing else away. */
function openTls(object: BpfObject, plan: KernelPlan, { tls, objectFolder }: KernelOptions): TlsSource | undefined {
  if (tls === undefined) return undefined
  try {
    if (plan.transport !== KernelTransport.ring) throw new Error('Cannot read TLS: it needs the ring buffer; run with --transport ring')
    const source = new TlsSource({
      events: object.map('events'), reader: object.map('reader'), wants: tls.wants, objectFolder,
      ...(tls.onBinary === undefined ? {} : { onBinary: tls.onBinary }),
    })
    if (!source.knowsSockets) tls.onRefusal?.('addresses and ports of TLS are not known: this kernel lacks the tracepoint sock_send_length (6.3)')
    return source
  } catch (error) {
    tls.onRefusal?.((error as Error).message)
    return undefined
  }
}
