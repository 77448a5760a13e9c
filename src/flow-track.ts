/**
 * The stages of one source, from its packets to exchanges: reassembly, decoding, pairing, and the connection and packet
 * records beside them. A new source (the next file of a replay) gets a new one.
 *
 * @module
 */
import type { ByteMemory } from '../lib/bytes/mod.ts'
import type { FactsTable, RecordWriter } from '../lib/record/mod.ts'
import * as L from '../wasm/layout.ts'
import {
  ALL_FLOWS, connectionSample, DISSECT_OUTCOME, Dissector, FIRST_LOSS, FLAG_REASSEMBLED, FlowShares, FRAME_BYTES, FrameMeta, PACKET_EVENT,
  packetFilter, PLAINTEXT_EVENT, processFilter,
} from './capture/mod.ts'
import type { PacketSource } from './capture/mod.ts'
import { kernelFilters } from './capture-sources.ts'
import type { Config } from './config.ts'
import { ConnectionTable, DatagramTable, PlaintextTable } from './connection/mod.ts'
import type { Connection, ConnectionEnd, ConnectionEvents, StreamControl } from './connection/mod.ts'
import { createDatagramReader, createProtocols, Detector } from './decode/mod.ts'
import type { BodyFields, Handshake, Protocol, WebSocket } from './decode/mod.ts'
import { Pairer, writeConnection, writeHandshake, writePacket, writeWebSocket } from './exchange/mod.ts'
import type { ConnectionEventName, ProcessTable } from './exchange/mod.ts'

/** What a track yields. */
export interface TrackOutput {
  exchange(block: number): void
  dropped(reason: string): void
  anomaly(name: string, count: number, connection: StreamControl | undefined, time: number): void
  record(kind: number, write: (writer: RecordWriter) => void): void
  /** Nanoseconds since 1970 of a time in the source's clock. */
  epoch(time: number): bigint
}

/** How the end of a connection reads in its record: event, then the reason. */
const ENDS: Readonly<Record<ConnectionEnd, readonly [ConnectionEventName, string]>> = {
  fin: ['close', 'both sides closed'],
  reset: ['reset', 'one side reset it'],
  refused: ['refused', 'the server answered its SYN with a reset'],
  timeout: ['timeout', 'its SYN was never answered'],
  idle: ['timeout', 'no packet for longer than the limit'],
  evicted: ['close', 'given up: the connection table was full'],
  replaced: ['close', 'another connection began on the same addresses and ports'],
  overload: ['close', 'given up: the agent could not keep up'],
  shutdown: ['close', 'the capture ended'],
}

/** Processes that were forgotten are told again at most so often. */
const RENEW_NS = 10e9
/** TASK_COMM_LEN (include/linux/sched.h). */
const PROCESS_NAME_BYTES = 16

export class FlowTrack {
  readonly #memory: ByteMemory
  readonly #source: PacketSource
  readonly #output: TrackOutput
  readonly #pairer: Pairer
  readonly #table: ConnectionTable
  readonly #datagrams: DatagramTable
  readonly #plaintext: PlaintextTable
  readonly #dissector: Dissector
  readonly #meta = new FrameMeta()
  readonly #scratch: number
  readonly #facts: FactsTable
  readonly #processes: ProcessTable
  /** Where several workers share the connections. */
  readonly #shares: FlowShares | undefined
  #ofOthers = 0
  #wanted: ReturnType<typeof packetFilter>
  #wantsProcess: ReturnType<typeof processFilter> = () => true
  #sample = 1
  #inSample: ReturnType<typeof connectionSample>
  /** Undefined: all. */
  #isAdmitted: ReturnType<typeof connectionSample>
  #tellsConnections = false
  readonly #events: ConnectionEvents = {
    frame: (event) => { this.#frame(event) },
    process: (event, bytes) => { this.#processes.add(event, bytes) },
    plaintext: (event, bytes) => { this.#plaintext.take(event, bytes) },
    opened: (connection, time) => { if (this.#tellsConnections) this.#connection(connection, 'open', '', time) },
    closed: (connection, cause, time) => {
      if (this.#tellsConnections) this.#connection(connection, ENDS[cause][0], ENDS[cause][1], time)
    },
    awaitsLate: () => this.#tellsConnections,
    freeing: ({ block }) => { this.#release(block) },
    turn: (exchange) => { this.#exchange(exchange) },
  }
  #renewedAt = 0
  /** Counter values of the table that were told already. */
  readonly #told = new Map<string, number>()

  /**
   * @param scratch room for RECORD_BYTES_MAX, for what the dissector makes of whole frames
   * @param own protocols of the user's own
   * @param bodies whose bodies are read; undefined = nobody's
   */
  constructor(memory: ByteMemory, source: PacketSource, config: Config, scratch: number, facts: FactsTable,
    processes: ProcessTable, output: TrackOutput, own: readonly Protocol[] = [], bodies?: BodyFields) {
    this.#memory = memory
    this.#facts = facts
    this.#told.set('facts_refused', facts.refused) // by the track before
    this.#processes = processes
    this.#scratch = scratch
    this.#dissector = new Dissector(memory)
    this.#source = source
    const { count } = source.share ?? ALL_FLOWS
    if (count > 1) this.#shares = new FlowShares(count)
    this.#output = output
    this.#pairer = new Pairer(memory, {
      exchange: (block) => { this.#exchange(block) },
      dropped: (reason) => { output.dropped(reason) },
      handshake: (connection, handshake) => { this.#handshake(connection, handshake) },
      anomaly: (connection, _side, name, time) => { output.anomaly(name, 1, connection, time) },
      webSocket: (connection, webSocket) => { this.#webSocket(connection, webSocket) },
    }, { seesBothDirections: source.seesBothDirections, facts })
    this.#choose(config)
    this.#datagrams = new DatagramTable(memory, createDatagramReader(this.#pairer), { freeing: (block) => { this.#release(block) } })
    const protocols = createProtocols(memory, bodies === undefined ? { own } : { own, bodies })
    const open = (control: StreamControl): Detector => new Detector({ memory, protocols, sink: this.#pairer, control, isOutermost: true })
    this.#table = this.#openTable(config, open)
    this.#plaintext = new PlaintextTable({
      memory, source, open, wires: this.#table, steady: this.#table.steady, restQueue: this.#table.restQueue,
      freeing: (block) => { this.#release(block) },
      wants: (event) => this.#wantsPlaintext(event),
      sessionCountMax: config.limits.connections,
      idleMsMax: config.limits.connection_idle,
    })
  }

  /** Takes the parts of a configuration that can change while running. */
  configure(config: Config): void {
    // Whether exchanges may go by as whole turns depends on it.
    this.#table.leaveSteady()
    this.#plaintext.leaveSteady()
    this.#choose(config)
  }

  #choose(config: Config): void {
    this.#wanted = packetFilter(kernelFilters(config))
    this.#sample = config.capture.sample
    this.#inSample = connectionSample(this.#sample)
    this.#wantsProcess = processFilter(config.capture.tls.processes)
    this.#tellsConnections = config.kinds.includes('connection')
    this.#pairer.openAfterNs = config.exchanges.open_after === undefined ? Infinity : config.exchanges.open_after * 1e6
    // Not there at all when it is not wanted: it would be called for every packet.
    if (config.kinds.includes('packet')) this.#events.packet = (pointer) => { this.#packet(pointer) }
    else delete this.#events.packet
    if (config.kinds.includes('handshake')) this.#events.datagram = (pointer) => { this.#datagrams.process(pointer) }
    else delete this.#events.datagram
  }

  /** The share of new TLS sessions that are read while the agent cannot keep up, as the kernel chooses connections. */
  admit(share: number): void {
    this.#isAdmitted = connectionSample(share)
  }

  /** At most so many connections, and TLS sessions, from now on. */
  bound(count: number): void {
    this.#table.bound(count)
    this.#plaintext.bound(count)
  }

  /** Connections and sessions at rest give their parts back now. */
  sleep(): void {
    this.#table.restQueue.sleepAll()
  }

  get connectionCount(): number {
    return this.#table.size + this.#plaintext.size
  }

  /** What became of the TLS sessions that were read in the clear, by name. */
  get tlsSessions(): ReadonlyMap<string, number> {
    return this.#plaintext.told()
  }

  /** @returns the newest packet's time, nanoseconds in the source's clock */
  process(pointer: number, length: number): number {
    this.#table.process(pointer, length)
    return this.#table.time
  }

  tick(time: number): void {
    this.#table.tick(time)
    this.#datagrams.tick(time)
    this.#plaintext.tick(time)
    this.#pairer.tick(time)
    if (time - this.#renewedAt >= RENEW_NS && this.#processes.hasMissed()) {
      this.#renewedAt = time
      this.#source.renewProcesses?.()
    }
    this.#tellCounters(time)
  }

  close(time: number): void {
    this.#plaintext.close(time) // before the connections whose blocks it shares
    this.#table.close(time)
    this.#datagrams.close(time)
    this.#dissector.close()
    this.#tellCounters(time)
  }

  /** A frame that the kernel left whole (a fragment, an unusual tunnel): taken apart here, as for a file. */
  #frame(event: number): void {
    const { u8, u16, u32 } = this.#memory
    const meta = this.#meta
    meta.timeLow = u32[(event + PACKET_EVENT.time_ns) >>> 2]!
    meta.timeHigh = u32[(event + PACKET_EVENT.time_ns + 4) >>> 2]!
    meta.interfaceIndex = u32[(event + PACKET_EVENT.interface_index) >>> 2]!
    meta.hook = u8[event + PACKET_EVENT.hook]!
    meta.direction = u8[event + PACKET_EVENT.direction]!
    meta.vlan0 = u16[(event + PACKET_EVENT.vlan) >>> 1]!
    meta.vlan1 = u16[(event + PACKET_EVENT.vlan + 2) >>> 1]!
    meta.vlanCount = u8[event + PACKET_EVENT.vlan_count]!
    const frame = event + u16[(event + PACKET_EVENT.data_offset) >>> 1]!
    const length = this.#dissector.dissect(frame, u32[(event + PACKET_EVENT.captured_length) >>> 2]!,
      u32[(event + PACKET_EVENT.frame_length) >>> 2]!, u16[(event + PACKET_EVENT.link_type) >>> 1]!, meta, this.#scratch)
    if (length === 0) return
    if (this.#isOfOther()) {
      this.#ofOthers++
      return
    }
    // A fragment shows no port: the whole datagram is judged here.
    if (this.#wanted === undefined || this.#wanted(this.#memory, this.#scratch + FRAME_BYTES)) this.#table.process(this.#scratch, length)
  }

  /** Fragments all come to the first of several workers: a connection that is another's, whole packets and all, would be a second one here. */
  #isOfOther(): boolean {
    if (this.#shares === undefined) return false
    const event = this.#scratch + FRAME_BYTES
    const isJoined = (this.#memory.u8[event + PACKET_EVENT.flags]! & FLAG_REASSEMBLED) !== 0
    return isJoined && this.#shares.ofEvent(this.#memory, event) !== this.#source.share!.index
  }

  #openTable(config: Config, open: (control: StreamControl) => Detector): ConnectionTable {
    return new ConnectionTable(this.#memory, this.#source, open, {
      connectionCountMax: config.limits.connections,
      idleMsMax: config.limits.connection_idle,
    }, this.#events)
  }

  /** By ports and addresses, as packets are, and by process. */
  #wantsPlaintext(event: number): 'yes' | 'no' | 'overload' | 'unknown' {
    const { u8, u32 } = this.#memory
    const processId = u32[(event + PLAINTEXT_EVENT.process_id) >>> 2]!
    const name = this.#memory.latin1(event + PLAINTEXT_EVENT.process_name, PROCESS_NAME_BYTES).replace(/\0.*$/s, '')
    if (!this.#wantsProcess(name, processId)) return 'no'
    if (this.#wanted !== undefined) {
      if (u8[event + PLAINTEXT_EVENT.ip_version] === 0) return 'unknown'
      if (!this.#wanted(this.#memory, event)) return 'no'
    }
    if (!this.#isSampled(event)) return 'no'
    return this.#isAdmitted?.(this.#memory, event) === false ? 'overload' : 'yes'
  }

  /** As the kernel chose the connection's packets; without a socket, whole sessions by their number. */
  #isSampled(event: number): boolean {
    if (this.#inSample === undefined) return true
    const { u8, u32 } = this.#memory
    if (u8[event + PLAINTEXT_EVENT.ip_version] !== 0) return this.#inSample(this.#memory, event)
    return (Math.imul(u32[(event + PLAINTEXT_EVENT.session) >>> 2]!, 0x9e3779b1) >>> 0) < this.#sample * 2 ** 32
  }

  #connection(connection: Connection, event: ConnectionEventName, reason: string, time: number): void {
    const { block } = connection
    this.#processes.attach(block)
    const start = this.#memory.f64[(block + L.CONNECTION_START_TIME) >>> 3]!
    const interfaceIndex = this.#memory.u32[(block + L.CONNECTION_INTERFACE) >>> 2]!
    this.#output.record(L.KIND_CONNECTION, (writer) => {
      writeConnection(writer, this.#memory, block, {
        event,
        reason,
        epochTime: this.#output.epoch(event === 'open' ? time : start),
        durationNs: event === 'open' ? -1 : time - start,
        interfaceName: this.#source.interfaceName(interfaceIndex),
        protocol: undefined,
        exchanges: this.#pairer.exchangesOf(connection),
      })
    })
  }

  #webSocket({ block }: StreamControl, webSocket: WebSocket): void {
    this.#processes.attach(block)
    const interfaceIndex = this.#memory.u32[(block + L.CONNECTION_INTERFACE) >>> 2]!
    this.#output.record(L.KIND_WEBSOCKET, (writer) => {
      writeWebSocket(writer, this.#memory, block, {
        webSocket,
        epochTime: this.#output.epoch(webSocket.startTime),
        interfaceName: this.#source.interfaceName(interfaceIndex),
      })
    })
  }

  #handshake({ block }: StreamControl, handshake: Handshake): void {
    this.#processes.attach(block)
    const interfaceIndex = this.#memory.u32[(block + L.CONNECTION_INTERFACE) >>> 2]!
    this.#output.record(L.KIND_HANDSHAKE, (writer) => {
      writeHandshake(writer, this.#memory, block, handshake, {
        epochTime: this.#output.epoch(handshake.startTime),
        interfaceName: this.#source.interfaceName(interfaceIndex),
      })
    })
  }

  #exchange(block: number): void {
    this.#processes.attach(this.#memory.u32[(block + L.EXCHANGE_CONNECTION) >>> 2]!)
    this.#output.exchange(block)
  }

  #release(block: number): void {
    this.#facts.releaseSlots(block + L.CONNECTION_FACTS, L.CONNECTION_FACTS_COUNT)
    this.#pairer.forget(block)
  }

  #packet(event: number): void {
    const { u32 } = this.#memory
    const time = u32[(event + PACKET_EVENT.time_ns) >>> 2]! + u32[(event + PACKET_EVENT.time_ns + 4) >>> 2]! * 2 ** 32
    const interfaceIndex = u32[(event + PACKET_EVENT.interface_index) >>> 2]!
    this.#output.record(L.KIND_PACKET, (writer) => {
      writePacket(writer, this.#memory, event, {
        epochTime: this.#output.epoch(time),
        interfaceName: this.#source.interfaceName(interfaceIndex),
      })
    })
  }

  /** Whole frames that gave no segment: the kernel has counted them as delivered. A fragment waits, it is not lost yet. */
  #framesNotRead(): Map<string, number> {
    const { outcomes, fragments } = this.#dissector
    const counts = new Map<string, number>()
    const add = (name: string, count: number): void => {
      if (count > 0) counts.set(name, (counts.get(name) ?? 0) + count)
    }
    for (const [name, outcome] of Object.entries(DISSECT_OUTCOME)) {
      if (outcome === DISSECT_OUTCOME.DELIVERED || outcome === DISSECT_OUTCOME.FRAGMENT) continue
      add(outcome < FIRST_LOSS ? 'frame_not_read' : name.toLowerCase(), outcomes.of(outcome))
    }
    add('fragment_incomplete', fragments.framesGivenUp)
    return counts
  }

  /** What the source, the dissection and the reassembly met since the last call, as anomalies. */
  #tellCounters(time: number): void {
    const counts = new Map<string, number>()
    if (this.#datagrams.evicted > 0) counts.set('datagram_flow_evicted', this.#datagrams.evicted)
    counts.set('facts_refused', this.#facts.refused)
    if (this.#ofOthers > 0) counts.set('fragments_of_other_worker', this.#ofOthers)
    const all = [
      this.#table.anomalies(), this.#plaintext.anomalies(), this.#dissector.anomalies.entries(), this.#framesNotRead(),
      this.#processes.oddities(), this.#source.oddities?.() ?? [],
    ]
    for (const met of all) {
      for (const [name, count] of met) counts.set(name, (counts.get(name) ?? 0) + count)
    }
    for (const [name, count] of counts) {
      const before = this.#told.get(name) ?? 0
      if (count === before) continue
      this.#told.set(name, count)
      this.#output.anomaly(name, count - before, undefined, time)
    }
  }
}
