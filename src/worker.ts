/**
 * A capture worker: a plain loop that drains its source, works the stages, and hands batches to the main thread. Messages
 * are polled between drains, so nothing on the record path is asynchronous.
 *
 * @module
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { ByteMemory } from '../lib/bytes/mod.ts'
import { loadDecoders } from './decode/mod.ts'
import type { LoadedDecoder } from './decode/mod.ts'
import { BatchPoster } from './batch-post.ts'
import type { ReturnedBatch } from './batch-post.ts'
import { openSources } from './capture-sources.ts'
import type { Sources } from './capture-sources.ts'
import { HeapReducer } from './heap-reducer.ts'
import { MemoryCap } from './memory-cap.ts'
import { cpuPressure, LOOK_MS, OverloadControl } from './overload.ts'
import { Pipeline } from './pipeline.ts'
import { Wall } from './privacy/wall.ts' // not mod.ts: see pipeline.ts
import type { LogLevel, SafeBatch } from './sink/mod.ts'
import { TallyLabels } from './tally-labels.ts'
import { TallyTable } from './tally-series.ts'
import type { FromWorker, ToWorker, WorkerStart, WorkerStats } from './worker-message.ts'

/** A drain is put off so long, so that it finds a good batch; the ring holds it in the meantime, and wakes when it fills. */
const GATHER_MS = 5
/** How long to sleep in the kernel when nothing comes; a message of the main thread waits no longer either. */
const IDLE_MS = 50
/** Lines wait no longer than this for their batch to fill. */
const FLUSH_MS = 50
const TICK_MS = 250
const STATS_MS = 250
/** A replay waits for the outputs when so many batches of all its workers are on their way. */
const REPLAY_BATCHES_MAX = 32
const FULL_DRAIN_BYTES = 64 * 1024

const sleeper = new Int32Array(new SharedArrayBuffer(4))

function sleep(ms: number): void {
  Atomics.wait(sleeper, 0, 0, ms)
}

function leavesOut(ranges: WorkerStart['config']['capture']['ports'], port: number): boolean {
  return ranges.length > 0 && !ranges.some(({ first, last }) => port >= first && port <= last)
}

/** Packets and TLS calls that found no room in the ring. */
function lostInRing({ packets, tlsCalls }: WorkerStats): number {
  return (packets.lost.get('ring_full') ?? 0) + (tlsCalls?.lost.get('ring_full') ?? 0)
}

class CaptureLoop {
  readonly #port: MessagePort
  #start: WorkerStart
  readonly #sources: Sources
  readonly #pipeline: Pipeline
  readonly #wall: Wall
  readonly #batches = new BatchPoster()
  #stopping = false
  #isStarted = false
  /** Bytes of packet events and plaintext. */
  #taken = 0
  #batchesOut = 0
  #flushedAt = 0
  #tickedAt = 0
  #statsAt = 0
  #lookedAt = 0
  readonly #overload: OverloadControl | undefined
  readonly #tallies: TallyTable | undefined
  #talliedAt = 0
  readonly #memoryCap: MemoryCap | undefined
  readonly #heapReducer = new HeapReducer()

  constructor(port: MessagePort, start: WorkerStart, decoders: readonly LoadedDecoder[]) {
    this.#port = port
    this.#start = start
    const memory = new ByteMemory({ imports: Wall.imports() })
    this.#wall = new Wall(memory, start.config.privacy, start.config)
    const log = (level: LogLevel, message: string): void => { this.#post({ type: 'log', level, message }) }
    for (const { decoder } of decoders) {
      if (decoder.ports.every((port) => leavesOut(start.config.capture.ports, port))) {
        log('warn', `decoder "${decoder.name}" has nothing to read: the port filter leaves out ${decoder.ports.join(', ')}; add --port`)
      }
    }
    const { cpu, cpu_pressure: pressure, overload, memory: cap, connections } = start.config.limits
    // Of a live capture the first worker looks for all: what it chooses, the kernel does to every worker's connections.
    if (overload === 'sample' && start.shard === undefined) this.#overload = new OverloadControl({ cpu, pressure })
    if (cap !== undefined) this.#memoryCap = new MemoryCap(cap, connections, start.share.count)
    this.#sources = openSources(start.config, memory, log, decoders.flatMap(({ decoder }) => decoder.ports), {
      share: start.share, shard: start.shard, renew: () => { this.#post({ type: 'renew' }) },
    })
    this.#pipeline = new Pipeline(memory, this.#wall, start.config, start.outputFilters, this.#sources.current,
      (batch) => { this.#give(batch) }, { loaded: decoders, log }, (question) => { this.#post({ type: 'container', question }) })
    this.#memoryCap?.hold(this.#pipeline, performance.now())
    const { labels, series_max: seriesMax } = start.config.metrics.tallies
    const { tallies } = this.#sources
    if (tallies !== undefined) this.#tallies = new TallyTable(tallies, new TallyLabels(memory, this.#wall, labels), seriesMax)
  }

  run(): void {
    this.#awaitOthers()
    this.#post({ type: 'attached', attachments: this.#sources.attachments })
    while (!this.#stopping) {
      this.#readMessages()
      const length = this.#pipeline.step()
      this.#taken += length
      this.#pipeline.passTime()
      this.#housekeep(length)
      if (length >= FULL_DRAIN_BYTES) continue
      if (length > 0) this.#sources.gather(GATHER_MS)
      else if (!this.#sources.current.ended) this.#sources.wait(IDLE_MS)
      else if (!this.#nextSource()) break
    }
    this.#finish()
  }

  /** What the programs deliver from their first moment on has a reader. */
  #awaitOthers(): void {
    const { shards = [] } = this.#sources
    if (shards.length === 0) return
    this.#post({ type: 'opened', shards })
    while (!this.#isStarted && !this.#stopping) {
      this.#readMessages()
      sleep(1)
    }
    if (!this.#stopping) this.#sources.start?.()
  }

  #nextSource(): boolean {
    const source = this.#sources.next()
    if (source === undefined) return false
    this.#pipeline.next(this.#start.config, source)
    if (this.#memoryCap !== undefined) this.#pipeline.bound(this.#memoryCap.bound)
    return true
  }

  #housekeep(length: number): void {
    const now = performance.now()
    this.#memoryCap?.pass(this.#pipeline, length, now)
    if (now - this.#tickedAt >= TICK_MS) {
      this.#tickedAt = now
      this.#sources.wait(0) // interfaces that came or went are looked at here, also when the ring is never empty
      // A file's time passes with its packets, not with this machine's clock: two replays tell the same.
      const time = this.#sources.now()
      if (time !== undefined) this.#pipeline.tick(time)
    }
    if (this.#pipeline.waitingBytes === 0) this.#flushedAt = now
    else if (now - this.#flushedAt >= FLUSH_MS || (length === 0 && this.#sources.current.ended)) {
      this.#flushedAt = now
      this.#pipeline.flush()
    }
    if (now - this.#talliedAt >= this.#start.config.metrics.tallies.interval) {
      this.#talliedAt = now
      this.#tellTallies()
    }
    if (now - this.#statsAt >= STATS_MS) {
      this.#statsAt = now
      const stats = this.#stats()
      this.#post({ type: 'stats', stats })
      if (now - this.#lookedAt >= LOOK_MS) {
        this.#lookedAt = now
        this.#heapReducer.look(now, this.#taken)
        this.#look(now, stats)
      }
    }
    while (this.#start.config.files.length > 0 && this.#batchesOut > REPLAY_BATCHES_MAX / this.#start.share.count && !this.#stopping) {
      this.#readMessages()
      sleep(1)
    }
  }

  /** Whether the agent costs more than it may. */
  #look(now: number, stats: WorkerStats): void {
    this.#memoryCap?.hold(this.#pipeline, now)
    if (this.#overload === undefined || this.#sources.admit === undefined) return
    const { user, system } = process.cpuUsage()
    const before = this.#overload.share
    const change = this.#overload.look({
      now, lost: lostInRing(stats), cpuSeconds: (user + system) / 1e6, pressure: this.#start.config.limits.cpu_pressure && cpuPressure(),
    })
    if (change === undefined) return
    const { share, reason } = change
    this.#sources.admit(share)
    this.#pipeline.admit(share)
    if (share < before) this.#pipeline.tell('overload')
    const what = share === 1 ? 'all connections are read again'
      : `of the connections ${(share * 100).toFixed(1)} % are read, whole ones, by a hash of their addresses and ports`
    this.#post({ type: 'log', level: share < before ? 'warn' : 'info', message: `overload: ${what}: ${reason}` })
  }

  /** Takes off the hooks first, then drains what the kernel has handed over. */
  #finish(): void {
    this.#sources.detach()
    if (this.#sources.now() !== undefined) while (this.#pipeline.step() > 0);
    this.#pipeline.close()
    this.#tellTallies()
    const stats = this.#stats()
    this.#sources.close()
    this.#post({ type: 'finished', stats })
    this.#port.close()
  }

  #tellTallies(): void {
    if (this.#tallies !== undefined) this.#post({ type: 'tallies', figures: this.#tallies.read() })
  }

  #readMessages(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#port) as { message: ToWorker } | undefined
      if (received === undefined) return
      const { message } = received
      if (message.type === 'stop') this.#stopping = true
      else if (message.type === 'recycle') this.#recycle(message.batch)
      else if (message.type === 'start') this.#isStarted = true
      else if (message.type === 'renew') this.#sources.renewProcesses?.()
      else if (message.type === 'container') this.#pipeline.nameContainer(message.containerId, message.names)
      else this.#reload(message.start)
    }
  }

  #recycle(batch: ReturnedBatch): void {
    this.#batchesOut--
    const buffer = this.#batches.take(batch)
    if (buffer !== undefined) this.#pipeline.recycle(buffer)
  }

  #reload(start: WorkerStart): void {
    try {
      this.#take(start)
      this.#start = start
      this.#post({ type: 'reloaded' })
    } catch (error) {
      this.#post({ type: 'reloaded', error: error instanceof Error ? error.message : String(error) })
    }
  }

  /** The whole configuration or nothing of it: each step refuses before it changes anything, and the last cannot. */
  #take({ config, outputFilters }: WorkerStart): void {
    const apply = this.#pipeline.prepare(config, outputFilters)
    this.#sources.configure(config)
    try {
      this.#wall.setOptions(config.privacy, config)
    } catch (error) {
      this.#sources.configure(this.#start.config)
      throw error
    }
    apply()
    this.#tallies?.relabel()
  }

  #give(batch: SafeBatch): void {
    this.#batchesOut++
    this.#post({ type: 'batch', batch: this.#batches.post(batch) })
  }

  #stats(): WorkerStats {
    const { counts, kinds, anomalies, connectionsOpen, tlsSessions } = this.#pipeline
    const tlsCalls = this.#sources.tlsCalls?.()
    return {
      packets: this.#sources.counters(), tlsCalls, tlsSessions, records: { ...counts }, kinds, anomalies, connectionsOpen,
      connectionsShare: this.#overload?.share ?? 1,
    }
  }

  #post(message: FromWorker): void {
    this.#port.postMessage(message)
  }
}

if (parentPort !== null) {
  const port = parentPort
  try {
    const start = workerData as WorkerStart
    new CaptureLoop(port, start, await loadDecoders(start.config.decoders)).run()
  } catch (error) {
    const message: FromWorker = { type: 'failed', message: error instanceof Error ? error.message : String(error) }
    port.postMessage(message)
    port.close()
  }
}
