/**
 * One worker's stages, wired: packets → streams → messages → exchanges → records behind the wall → batches.
 *
 * Everything here runs to its end within one call: nothing waits between the ring and the batch.
 *
 * @module
 */
import type { ByteMemory } from '../lib/bytes/mod.ts'
import { parseCidr } from '../lib/cidr/mod.ts'
import { FactsTable, FieldTable, JsonEncoder, RecordView, RecordWriter } from '../lib/record/mod.ts'
import * as L from '../wasm/layout.ts'
import { ALL_FLOWS, RECORD_BYTES_MAX } from './capture/mod.ts'
import type { PacketSource } from './capture/mod.ts'
import type { Config } from './config.ts'
import type { StreamControl } from './connection/mod.ts'
import { BodyFields, OwnProtocol } from './decode/mod.ts'
import type { FailureReport, LoadedDecoder } from './decode/mod.ts'
import {
  AnomalyLog, fieldId, FIELDS, MARK_REASONS, OddityCounts, ProcessTable, RECORD_KINDS, RecordSetup, writeAnomaly,
} from './exchange/mod.ts'
import type { ContainerNames, ContainerQuestion } from './exchange/mod.ts'
import { FlowTrack } from './flow-track.ts'
import type { WorkerCounts } from './ledger.ts'
// Straight, not through mod.ts: those bring the library of the configuration's schema, 15 MiB a thread.
import type { Wall } from './privacy/wall.ts'
import { Batcher } from './sink/batcher.ts'
import { compileFilter } from './sink/filter/mod.ts'
import type { Filter } from './sink/filter/mod.ts'
import type { SafeBatch } from './sink/mod.ts'

const BATCH_BYTES = 1024 * 1024
const RAW_RECORD_BYTES = 64 * 1024
const SEQUENCE = fieldId('event.sequence')

/** Decoders of the user's own, and who is told when one fails. */
export interface Decoders {
  readonly loaded: readonly LoadedDecoder[]
  readonly log: FailureReport['log']
}

const NO_DECODERS: Decoders = { loaded: [], log: () => {} }

/** Why records of this worker were not put into a batch, and how many were. */
class Counts implements WorkerCounts {
  seen = 0
  emitted = 0
  readonly emittedKinds = RECORD_KINDS.map(() => 0)
  filtered = 0
  sampled = 0
  readonly dropped = new Map<string, number>()

  drop(reason: string): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + 1)
  }
}

export class Pipeline {
  readonly counts = new Counts()
  readonly #kindsSeen = RECORD_KINDS.map(() => 0)
  readonly #memory: ByteMemory
  readonly #wall: Wall
  readonly #setup: RecordSetup
  readonly #view: RecordView
  readonly #writer: RecordWriter
  readonly #batcher: Batcher
  readonly #facts: FactsTable
  readonly #processes: ProcessTable
  readonly #anomalies = new AnomalyLog()
  readonly #oddities = new OddityCounts()
  readonly #batch: number
  readonly #raw: number
  readonly #scratch: number
  readonly #own: readonly OwnProtocol[]
  readonly #bodies: BodyFields
  #track: FlowTrack
  #source: PacketSource
  #wanted: readonly boolean[] = []
  #filter: Filter | undefined
  #outputFilters: readonly (Filter | undefined)[] = []
  #isFiltered = false
  #allOutputs = 0
  /** Workers that share the flows take turns, so that a number stands once in a run. */
  #sequence: number
  readonly #sequenceStep: number
  /** Nanoseconds in the source's clock of the newest packet. */
  #now = 0

  constructor(memory: ByteMemory, wall: Wall, config: Config, outputFilters: readonly (string | undefined)[],
    source: PacketSource, give: (batch: SafeBatch) => void, decoders: Decoders = NO_DECODERS,
    ask: (question: ContainerQuestion) => void = () => {}) {
    this.#memory = memory
    this.#wall = wall
    this.#setup = new RecordSetup(memory)
    const table = new FieldTable(memory, FIELDS, MARK_REASONS)
    this.#view = new RecordView(memory, table)
    this.#writer = new RecordWriter(memory, table)
    this.#facts = new FactsTable({
      memory,
      writer: new RecordWriter(memory, table),
      protect: (raw) => wall.record(raw),
      countMax: config.limits.connections * 2,
    })
    this.#processes = new ProcessTable(memory, this.#facts, ask)
    this.#batcher = new Batcher(memory, new JsonEncoder(memory, table), give)
    this.#batch = memory.reserve(BATCH_BYTES + RECORD_BYTES_MAX)
    this.#raw = memory.reserve(RAW_RECORD_BYTES)
    this.#scratch = memory.reserve(RECORD_BYTES_MAX)
    this.#source = source
    const { index, count } = source.share ?? ALL_FLOWS
    this.#sequence = index + 1
    this.#sequenceStep = count
    memory.allocator.setLimit(config.limits.messages)
    this.#own = decoders.loaded.map((loaded, index) => new OwnProtocol(memory, loaded, index, {
      log: decoders.log,
      anomaly: (name) => { this.#anomaly(name, 1, undefined, this.#now) },
    }))
    this.#setup.nameProtocols(this.#own.map(({ name }) => name))
    this.#bodies = new BodyFields(memory)
    this.#track = this.#open(config)
    this.prepare(config, outputFilters)()
  }

  /**
   * Reads the parts of a configuration that can change while running, and changes nothing.
   *
   * @returns what takes them, once the wall has its options; it refuses nothing
   * @throws {Error} for a filter that is not valid, {RangeError} for too many trusted networks
   */
  prepare(config: Config, outputFilters: readonly (string | undefined)[]): () => void {
    const compile = (text: string | undefined): Filter | undefined => (text === undefined ? undefined : compileFilter(text, FIELDS))
    const filter = compile(config.filter)
    const filters = outputFilters.map(compile)
    const trust = this.#setup.prepareTrust(config.trust.proxies.map(parseCidr))
    return () => {
      this.#wanted = RECORD_KINDS.map((kind) => config.kinds.includes(kind))
      this.#filter = filter
      this.#outputFilters = filters
      this.#isFiltered = [filter, ...filters].some((each) => each !== undefined)
      this.#allOutputs = 2 ** filters.length - 1
      this.#facts.protectAll()
      trust()
      this.#bodies.choose(config.capture.body_fields)
      this.#track.configure(config)
    }
  }

  /** By name: those told in records of their own, and those that stand in the exchanges that had them. */
  get anomalies(): ReadonlyMap<string, number> {
    return new Map([...this.#anomalies.totals(), ...this.#oddities.entries()])
  }

  /** Records seen, by kind. */
  get kinds(): ReadonlyMap<string, number> {
    return new Map(RECORD_KINDS.map((kind, index) => [kind, this.#kindsSeen[index]!]))
  }

  /** The names of a container that was asked for. */
  nameContainer(containerId: string, names: ContainerNames): void {
    this.#processes.nameContainer(containerId, names)
  }

  /** The agent cannot keep up: of new TLS sessions this share is read. What the kernel delivers is its source's to choose. */
  admit(share: number): void {
    this.#track.admit(share)
  }

  /** Tells that something happened, as an anomaly of this name. */
  tell(name: string): void {
    this.#anomaly(name, 1, undefined, this.#now)
  }

  /** At most so many connections from now on. */
  bound(connections: number): void {
    this.#track.bound(connections)
  }

  /** Memory is short: connections at rest give their parts back now. */
  sleep(): void {
    this.#track.sleep()
  }

  get connectionsOpen(): number {
    return this.#track.connectionCount
  }

  /** See FlowTrack. */
  get tlsSessions(): ReadonlyMap<string, number> {
    return this.#track.tlsSessions
  }

  /** Bytes of lines that wait for `flush`. */
  get waitingBytes(): number {
    return this.#batcher.waitingBytes
  }

  /** Drains the source once. @returns bytes of packet events taken; 0 = there was nothing */
  step(): number {
    const length = this.#source.fill(this.#batch, BATCH_BYTES + RECORD_BYTES_MAX)
    if (length > 0) {
      this.#setup.setClockZero(this.#source.epochNanoseconds())
      this.#now = this.#track.process(this.#batch, length)
    }
    return length
  }

  /** To be called after each step of a source whose time passes with its packets: a tick where it is due. */
  passTime(): void {
    const time = this.#source.passedTime?.()
    if (time !== undefined) this.tick(time)
  }

  /** Expires what is overdue and tells anomalies that are due. `now` in the source's clock. */
  tick(now: number): void {
    this.#now = Math.max(now, this.#now)
    this.#track.tick(this.#now)
    this.#tellAnomalies(this.#now)
  }

  flush(): void {
    this.#batcher.flush()
  }

  recycle(buffer: SharedArrayBuffer): void {
    this.#batcher.recycle(buffer)
  }

  /** The source has ended: everything held is given on, and the next source starts afresh. */
  next(config: Config, source: PacketSource): void {
    this.#track.close(this.#now)
    this.#source = source
    this.#setup.forgetInterfaces()
    this.#now = 0
    this.#track = this.#open(config)
  }

  /** Gives on everything that is held. */
  close(): void {
    this.#track.close(this.#now)
    this.#processes.close()
    this.#tellAnomalies(Infinity)
    this.#batcher.flush()
  }

  #open(config: Config): FlowTrack {
    return new FlowTrack(this.#memory, this.#source, config, this.#scratch, this.#facts, this.#processes, {
      exchange: (block) => { this.#exchange(block) },
      dropped: (reason) => {
        this.#see(L.KIND_EXCHANGE)
        this.counts.drop(reason)
      },
      anomaly: (name, count, connection, time) => { this.#anomaly(name, count, connection, time) },
      record: (kind, write) => { this.#record(kind, write) },
      epoch: (time) => this.#epoch(time),
    }, this.#own, this.#bodies)
  }

  /** Nanoseconds since 1970 of a time in the source's clock. */
  #epoch(time: number): bigint {
    return this.#source.epochNanoseconds() + BigInt(Math.round(time))
  }

  /** Counted before anything is decided about the record. */
  #see(kind: number): void {
    this.counts.seen++
    this.#kindsSeen[kind - 1]!++
  }

  #exchange(block: number): void {
    this.#see(L.KIND_EXCHANGE)
    // Those of an exchange that goes on are counted at its end.
    const isOpen = (this.#memory.u8[block + L.EXCHANGE_FLAGS]! & L.EXCHANGE_FLAG_OPEN) !== 0
    if (!isOpen) this.#oddities.add(this.#memory.u32[(block + L.EXCHANGE_ODDITIES) >>> 2]!)
    if (!this.#wanted[L.KIND_EXCHANGE - 1]) {
      this.counts.filtered++
      return
    }
    const connection = this.#memory.u32[(block + L.EXCHANGE_CONNECTION) >>> 2]!
    this.#setup.nameInterface(this.#memory.u32[(connection + L.CONNECTION_INTERFACE) >>> 2]!, this.#interfaceName)
    const record = this.#wall.exchange(block)
    if (record.length === 0) this.counts.drop('record_too_large')
    else this.#deliver(record.pointer, L.KIND_EXCHANGE)
  }

  readonly #interfaceName = (index: number): string | undefined => this.#source.interfaceName(index)

  /** A record off the hot path: `write` gets a writer that has begun it. Its sequence number is set when no filter refused it. */
  #record(kind: number, write: (writer: RecordWriter) => void): void {
    this.#see(kind)
    if (!this.#wanted[kind - 1]) {
      this.counts.filtered++
      return
    }
    this.#writer.begin(kind, this.#raw, RAW_RECORD_BYTES)
    write(this.#writer)
    const length = this.#writer.end()
    const record = length === 0 ? undefined : this.#wall.record({ pointer: this.#raw, length })
    if (record === undefined || record.length === 0) this.counts.drop('record_too_large')
    else this.#deliver(record.pointer, kind)
  }

  /** Behind the wall: filters, then the line. */
  #deliver(record: number, kind: number): void {
    const outputs = this.#isFiltered ? this.#outputsOf(record) : this.#allOutputs
    if (outputs === 0 && this.#allOutputs !== 0) {
      this.counts.filtered++
      return
    }
    this.#setup.setInt(record, SEQUENCE, this.#sequence)
    if (!this.#batcher.add(record, kind, outputs)) {
      this.counts.drop('record_too_large')
      return
    }
    this.#sequence += this.#sequenceStep
    this.counts.emitted++
    this.counts.emittedKinds[kind - 1]!++
  }

  #outputsOf(record: number): number {
    this.#view.at(record)
    if (this.#filter !== undefined && !this.#filter(this.#view)) return 0
    let outputs = 0
    this.#outputFilters.forEach((filter, index) => {
      if (filter === undefined || filter(this.#view)) outputs |= 1 << index
    })
    return outputs
  }

  #anomaly(name: string, count: number, connection: StreamControl | undefined, time: number): void {
    const due = this.#anomalies.add(name, time, count)
    if (due > 0) this.#writeAnomaly(name, due, connection?.block ?? 0, time)
  }

  #tellAnomalies(time: number): void {
    for (const { name, count } of this.#anomalies.due(time)) this.#writeAnomaly(name, count, 0, this.#now)
  }

  #writeAnomaly(name: string, count: number, block: number, time: number): void {
    this.#record(L.KIND_ANOMALY, (writer) => {
      writeAnomaly(writer, this.#memory, block, { name, reason: '', count, epochTime: this.#epoch(time) })
    })
  }
}
