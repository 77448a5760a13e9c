/**
 * Which sources a configuration means: the kernel, or the files of a replay one after the other.
 *
 * @module
 */
import type { ByteMemory } from '../lib/bytes/mod.ts'
import type { Attachment } from './agent-contract.ts'
import { ALL_FLOWS, FileSource, globFilter, KernelSource, packetFilter, PROTOCOL_BIT, ShardSource, TallySource } from './capture/mod.ts'
import type { FileSourceOptions, FlowShare, KernelFilters, KernelOptions, KernelShard, PacketCounters, PacketSource } from './capture/mod.ts'
import type { Config } from './config.ts'
import type { LogLevel } from './sink/mod.ts'
import { addPackets } from './worker-stats.ts'

/** What the capture worker drives: one source after the other. */
export interface Sources {
  /** The source to drain now. */
  readonly current: PacketSource
  readonly attachments: readonly Attachment[]
  /** Of a live capture that several workers share: what those beside the first open in place of it, in order. */
  readonly shards?: readonly KernelShard[]
  /** Attaches a live capture that waits until those workers are there: where there are `shards`. */
  start?(): void
  /** Opens the next one; undefined = that was the last. */
  next(): PacketSource | undefined
  /** Blocks until there may be something to drain, or the time is over. */
  wait(ms: number): void
  /** After a drain: lets a good batch gather, for so long at most. */
  gather(ms: number): void
  /** Takes a new configuration's filters. */
  configure(config: Config): void
  /** Reads a share of the connections only. Missing: a file is read at its own pace. */
  admit?(share: number): void
  /** What counts in the kernel, where that is done in place of capturing. */
  readonly tallies?: TallySource
  /** Another worker has forgotten a process: each is to be told again. */
  renewProcesses?(): void
  /** Takes the hooks off; what the kernel has already handed over can still be drained. */
  detach(): void
  /** Of all sources so far. */
  counters(): PacketCounters
  /** Calls of TLS libraries; missing or undefined when none is read. */
  tlsCalls?(): PacketCounters | undefined
  /** Nanoseconds in the source's clock by this machine's clock; undefined for a file, whose packets carry its time. */
  now(): number | undefined
  close(): void
}

/** How long to wait for a writer of standard input. */
const INPUT_WAIT_MS = 5
/** Processes are told again at most so often for other workers. */
const RENEW_MS = 10_000
const SLEEPER = new Int32Array(new SharedArrayBuffer(4))

export type SourceLog = (level: LogLevel, message: string) => void

/** What a worker has of a source that others share. */
export interface SourceShare {
  readonly share: FlowShare
  /** Of a live capture, for the workers beside the first: what it has opened. */
  readonly shard?: KernelShard | undefined
  /** Asks the first worker to renew what is told of processes. */
  readonly renew?: () => void
}

/** @throws {Error} with what to mend when the first source cannot be opened */
export function openSources(
  config: Config, memory: ByteMemory, log: SourceLog, decoderPorts: readonly number[] = [], shared: SourceShare = { share: ALL_FLOWS },
): Sources {
  const { share, shard, renew = () => {} } = shared
  if (config.files.length > 0) return new FileSources(config, memory, log, share)
  if (config.capture.mode === 'metrics') return new TallySources(config, log)
  return shard === undefined ? new LiveSources(config, memory, log, decoderPorts, share) : new ShardSources(memory, shard, renew)
}

/** The filters of a configuration that counts in the kernel: TCP alone can be read there. */
function tallyFilters({ ports, addresses, sample }: Config['capture']): KernelFilters {
  return { ports: ports.map(({ first, last }) => [first, last] as const), addresses, sample }
}

/** The filters of a configuration, as the kernel takes them. */
export function kernelFilters(config: Config): KernelFilters {
  return {
    ...tallyFilters(config.capture),
    protocols: config.capture.protocols as NonNullable<KernelFilters['protocols']>,
    packets: config.kinds.includes('packet'),
    quic: config.kinds.includes('handshake'),
    bodies: config.capture.body_fields.length > 0,
  }
}

function tlsWish({ capture }: Config, log: SourceLog): NonNullable<KernelOptions['tls']> {
  return {
    wants: globFilter(capture.tls.paths),
    onBinary: ({ path, library, isRead, reason }) => {
      if (!isRead) log('warn', `TLS of ${JSON.stringify(path)} (${library}) is not read: ${reason}`)
    },
    onRefusal: (reason) => { log('warn', `TLS in the clear: ${reason}`) },
  }
}

/** Nanoseconds in the source's clock by this machine's clock. */
function sinceEpoch(source: PacketSource): number {
  return Number(BigInt(Date.now()) * 1_000_000n - source.epochNanoseconds())
}

function tellChange(log: SourceLog): NonNullable<KernelOptions['onAttachmentChange']> {
  return ({ change, where, reason }) => { log('warn', `interface ${where} ${change}${reason === undefined ? '' : `: ${reason}`}`) }
}

/** One source that goes on for as long as it is wanted, in this machine's time. */
abstract class MachineSources<Source extends PacketSource & { wait(ms: number): unknown, gather?(ms: number): void }> {
  readonly current: Source

  constructor(current: Source) {
    this.current = current
  }

  next(): undefined {
    return undefined
  }

  wait(ms: number): void {
    this.current.wait(ms)
  }

  gather(ms: number): void {
    this.current.gather?.(ms)
  }

  counters(): PacketCounters {
    return this.current.counters()
  }

  now(): number {
    return sinceEpoch(this.current)
  }

  close(): void {
    this.current.close()
  }
}

/** Counts in the kernel: there is nothing to drain. */
class TallySources extends MachineSources<TallySource> implements Sources {
  constructor({ capture, limits, metrics }: Config, log: SourceLog) {
    super(new TallySource({
      labels: metrics.tallies.labels,
      keys: metrics.tallies.keys_max,
      connections: limits.connections,
      interfaces: capture.interfaces,
      attach: capture.attach,
      filters: tallyFilters(capture),
      onAttachmentChange: tellChange(log),
    }))
  }

  get tallies(): TallySource {
    return this.current
  }

  get attachments(): readonly Attachment[] {
    return attachedPlaces(this.current.attachments())
  }

  configure(config: Config): void {
    this.current.setFilters(tallyFilters(config.capture))
  }

  detach(): void {
    this.current.detach()
  }
}

class LiveSources extends MachineSources<KernelSource> implements Sources {
  #renewedAt = -Infinity

  constructor(config: Config, memory: ByteMemory, log: SourceLog, decoderPorts: readonly number[], { count }: FlowShare) {
    const { capture } = config
    super(new KernelSource({
      memory,
      interfaces: capture.interfaces,
      attach: capture.attach,
      transport: capture.transport,
      ringBytes: capture.ring_bytes,
      // The limit is this worker's part; the kernel's table is of all.
      connections: Math.max(config.limits.connections * count, 16),
      shards: count,
      isDeferred: count > 1,
      filters: kernelFilters(config),
      decoderPorts,
      processes: capture.processes,
      ...(capture.tls.enabled ? { tls: tlsWish(config, log) } : {}),
      onAttachmentChange: tellChange(log),
    }))
    const { processes } = this.current
    if (capture.processes && processes.answer !== 'yes') log('info', `processes are not named: ${processes.reason}`)
  }

  get shards(): readonly KernelShard[] {
    return this.current.shards()
  }

  get attachments(): readonly Attachment[] {
    return attachedPlaces(this.current.attachments())
  }

  start(): void {
    this.current.start()
  }

  configure(config: Config): void {
    this.current.setFilters(kernelFilters(config))
  }

  admit(share: number): void {
    this.current.setAdmitted(share)
  }

  /** Each worker asks for itself: one telling serves all who ask within its time. */
  renewProcesses(): void {
    const now = performance.now()
    if (now - this.#renewedAt < RENEW_MS) return
    this.#renewedAt = now
    this.current.renewProcesses()
  }

  detach(): void {
    this.current.detach()
  }

  tlsCalls(): PacketCounters | undefined {
    return this.current.tlsCounters()
  }
}

/** A worker beside the first of a live capture: its ring, and nothing that is for all. */
class ShardSources extends MachineSources<ShardSource> implements Sources {
  readonly attachments: readonly Attachment[] = []

  constructor(memory: ByteMemory, shard: KernelShard, renew: () => void) {
    super(new ShardSource(memory.u8, shard, renew))
  }

  configure(): void {
    // The first worker sets the filters.
  }

  detach(): void {
    // The first worker has done so before this one is told to end.
  }
}

class FileSources implements Sources {
  readonly #files: readonly string[]
  readonly #memory: ByteMemory
  readonly #options: FileSourceOptions
  readonly #log: SourceLog
  readonly #past: PacketCounters[] = []
  /** The next file to open. */
  #index = 0
  #current: FileSource

  constructor(config: Config, memory: ByteMemory, log: SourceLog, share: FlowShare) {
    const filter = packetFilter(kernelFilters(config))
    this.#files = config.files
    this.#memory = memory
    this.#log = log
    this.#options = {
      share,
      notice: (message) => { log('warn', message) },
      protocols: config.kinds.includes('packet') ? PROTOCOL_BIT.ALL
        : PROTOCOL_BIT.TCP | (config.kinds.includes('handshake') ? PROTOCOL_BIT.QUIC : 0),
      ...(filter === undefined ? {} : { filter }),
    }
    this.#current = this.#open(true)!
  }

  get current(): PacketSource {
    return this.#current
  }

  get attachments(): readonly Attachment[] {
    return this.#files.map((where) => ({ where, hook: 'file', bothDirections: true }))
  }

  next(): PacketSource | undefined {
    const before = this.#current
    // Its memory is free for the next one; its counts are asked for after the close, which gives up what waited.
    before.close()
    const source = this.#open()
    if (source === undefined) return undefined
    this.#past.push(before.counters())
    this.#current = source
    return source
  }

  /**
   * A file that cannot be read is told, and those behind it are read all the same.
   *
   * @throws {Error} when it must open one and the last cannot be opened
   */
  #open(oneAtLeast = false): FileSource | undefined {
    while (this.#index < this.#files.length) {
      const file = this.#files[this.#index++]!
      try {
        return new FileSource(this.#memory, file, this.#options)
      } catch (error) {
        if (oneAtLeast && this.#index === this.#files.length) throw error
        this.#log('error', `${(error as Error).message}; it is left out`)
      }
    }
    return undefined
  }

  /** A file is always ready, whether or not it had anything that is wanted; standard input may be slow. */
  wait(ms: number): void {
    if (ms > 0 && this.#current.waits) Atomics.wait(SLEEPER, 0, 0, Math.min(ms, INPUT_WAIT_MS))
  }

  gather(ms: number): void {
    this.wait(ms)
  }

  configure(): void {
    // A replay takes its whole configuration at its start.
  }

  detach(): void {
    // Nothing is attached.
  }

  counters(): PacketCounters {
    return [...this.#past, this.#current.counters()].reduce(addPackets)
  }

  now(): undefined {
    return undefined
  }

  close(): void {
    this.#current.close()
  }
}

/** Each place once: ingress and egress of an interface are two attachments of the kernel and one place that is captured. */
export function attachedPlaces(attachments: readonly Attachment[]): Attachment[] {
  const places = new Map(attachments.map(({ where, hook, bothDirections }) => [where, { where, hook, bothDirections }]))
  return [...places.values()]
}
