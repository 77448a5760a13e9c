/**
 * Capture files through the stages of a capture worker, in this process: the same Pipeline, one file after the other.
 *
 * @module
 */
import { statSync } from 'node:fs'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { ALL_FLOWS, FileSource, RECORD_BYTES_MAX } from '../../../src/capture/mod.ts'
import type { FlowShare, PacketCounters, PacketSource } from '../../../src/capture/mod.ts'
import { defaultConfig } from '../../../src/config.ts'
import type { Config } from '../../../src/config.ts'
import { packetsOff, sum } from '../../../src/ledger.ts'
import { Pipeline } from '../../../src/pipeline.ts'
import { Wall } from '../../../src/privacy/mod.ts'
import type { SafeBatch } from '../../../src/sink/mod.ts'
import type { LogRecord } from './log-record.ts'

export interface ReplayOptions {
  /** Kinds of records; default exchanges and anomalies. */
  readonly kinds?: readonly Config['kinds'][number][]
  /** Fields beyond the standard ones. */
  readonly fields?: readonly string[]
  /** Do not read the lines back: the result has no records. */
  readonly withoutRecords?: boolean
  /** The lines are not read back: they are in the result as they are. */
  readonly withText?: boolean
  /** No exchange goes by on the steady path. */
  readonly isPlain?: boolean
  /** A few packets at a time; default as many as a worker takes. */
  readonly isSlow?: boolean
  /** Then, every second time, all connections sleep that are at rest. */
  readonly sleeps?: boolean
  /** Of the workers that share the flows this one; default the only one. */
  readonly share?: FlowShare
}

export interface ReplayResult {
  /** Every record, in the order in which they were given to the outputs. */
  readonly records: readonly LogRecord[]
  readonly recordCount: number
  /** With `withText`: the lines. */
  readonly text: string
  /** Bytes of NDJSON. */
  readonly lineBytes: number
  readonly packets: PacketCounters
  /** Anomalies by name. */
  readonly anomalies: ReadonlyMap<string, number>
  /** What the record ledger and the packet ledger are off by; 0 = they add up. */
  readonly recordsOff: number
  readonly packetsOff: number
  /** Bytes of shared memory held after the file that were not held before it. */
  readonly heldBytes: number
  /** The most that was held after any drain of the source, beyond what was held before the file. */
  readonly peakBytes: number
  /** Why the file could not be opened; then there are no records. */
  readonly refusal: string | undefined
  /** Bytes of the file. */
  readonly inputBytes: number
}

/** Longer than any capture. */
const NEVER_MS = 1e15

/** A source without packets, for the time between two files. */
class NoSource implements PacketSource {
  readonly name = 'no file'
  readonly share: FlowShare
  readonly ended = true
  readonly seesBothDirections = true

  constructor(share: FlowShare) {
    this.share = share
  }

  fill(): number { return 0 }
  epochNanoseconds(): bigint { return 0n }
  interfaceName(): undefined { return undefined }
  skip(): void { /* nothing to leave out */ }
  ignore(): void { /* nothing to leave out */ }
  counters(): PacketCounters {
    return { seen: 0, delivered: 0, notWanted: new Map(), lost: new Map(), bytesDelivered: 0, bytesCut: 0 }
  }
  close(): void { /* nothing is open */ }
}

export class Replayer {
  readonly #config: Config
  readonly #memory = new ByteMemory({ imports: Wall.imports() })
  readonly #pipeline: Pipeline
  readonly #idle: NoSource
  readonly #withoutRecords: boolean
  readonly #withText: boolean
  readonly #isSlow: boolean
  readonly #sleeps: boolean
  #lines: string[] = []
  #lineBytes = 0

  constructor({
    kinds = ['exchange', 'anomaly'], fields = [], withoutRecords = false, withText = false, isPlain = false, isSlow = false, sleeps = false,
    share = ALL_FLOWS,
  }: ReplayOptions = {}) {
    this.#isSlow = isSlow
    this.#sleeps = sleeps
    this.#idle = new NoSource(share)
    this.#withoutRecords = withoutRecords
    this.#withText = withText
    const base = defaultConfig()
    // Who may have to tell an exchange that is open must see it begin.
    const exchanges = isPlain ? { ...base.exchanges, open_after: NEVER_MS } : base.exchanges
    this.#config = { ...base, exchanges, kinds: [...kinds], fields: { include: [...fields], exclude: [] } }
    const wall = new Wall(this.#memory, this.#config.privacy, this.#config)
    this.#pipeline = new Pipeline(this.#memory, wall, this.#config, [undefined], this.#idle, (batch) => { this.#take(batch) })
  }

  /** Reads one file to its end. What a file does must not throw: only what the stages do wrong comes out of here. */
  run(path: string): ReplayResult {
    const { allocator } = this.#memory
    const before = allocator.allocatedBytes()
    const countsBefore = this.#counts()
    const anomaliesBefore = new Map(this.#pipeline.anomalies)
    this.#lines = []
    this.#lineBytes = 0
    let source: FileSource | undefined
    let refusal: string | undefined
    try {
      source = new FileSource(this.#memory, path, { share: this.#idle.share })
    } catch (error) {
      refusal = error instanceof Error ? error.message : String(error)
    }
    const peak = source === undefined ? 0 : this.#drain(source) - before
    const text = this.#lines.join('')
    const counts = this.#counts()
    const packets = (source ?? this.#idle).counters()
    return {
      text: this.#withText ? text : '',
      records: text === '' || this.#withText ? [] : text.trimEnd().split('\n').map((line) => JSON.parse(line) as LogRecord),
      recordCount: counts.seen - countsBefore.seen,
      lineBytes: this.#lineBytes,
      packets,
      anomalies: difference(this.#pipeline.anomalies, anomaliesBefore),
      recordsOff: (counts.seen - countsBefore.seen) - (counts.gone - countsBefore.gone),
      packetsOff: packetsOff(packets),
      heldBytes: allocator.allocatedBytes() - before,
      peakBytes: peak,
      refusal,
      inputBytes: statSync(path).size,
    }
  }

  /** @returns the most bytes that were held at a time */
  #drain(source: FileSource): number {
    const { allocator } = this.#memory
    let peak = 0
    if (this.#isSlow) limitSteps(source)
    this.#pipeline.next(this.#config, source)
    for (let step = 0; ; step++) {
      const length = this.#pipeline.step()
      this.#pipeline.passTime()
      if (this.#sleeps && step % 2 === 1) this.#pipeline.sleep()
      peak = Math.max(peak, allocator.allocatedBytes())
      if (length === 0 && source.ended) break
    }
    this.#pipeline.next(this.#config, this.#idle)
    this.#pipeline.flush()
    source.close()
    return peak
  }

  #take(batch: SafeBatch): void {
    this.#lineBytes += batch.bytes.length
    if (!this.#withoutRecords) this.#lines.push(Buffer.from(batch.bytes).toString('utf8'))
    this.#pipeline.recycle(batch.bytes.buffer as SharedArrayBuffer)
  }

  #counts(): { seen: number; gone: number } {
    const { seen, emitted, filtered, sampled, dropped } = this.#pipeline.counts
    return { seen, gone: emitted + filtered + sampled + sum(dropped) }
  }
}

/** A few packets a step. */
function limitSteps(source: FileSource): void {
  const fill = source.fill.bind(source)
  source.fill = (pointer) => fill(pointer, RECORD_BYTES_MAX + 1024)
}

function difference(now: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>): Map<string, number> {
  const left = new Map<string, number>()
  for (const [name, count] of now) {
    const more = count - (before.get(name) ?? 0)
    if (more !== 0) left.set(name, more)
  }
  return left
}
