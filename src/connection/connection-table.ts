import { randomFillSync } from 'node:crypto'
import type { ByteMemory } from '../../lib/bytes/mod.ts'
import * as L from '../../wasm/layout.ts'
import {
  ALL_FLOWS, EVENT_FRAME, EVENT_LEFT, EVENT_PLAINTEXT, EVENT_PROCESS, EVENT_SEGMENT, FRAME_BYTES, FRAME_DISCARD, HOOK_FILE,
  PACKET_EVENT,
} from '../capture/mod.ts'
import type { PacketSource } from '../capture/mod.ts'
import { fillBlock } from './connection-block.ts'
import { CONNECTION_ANOMALIES, CONNECTION_COUNT as COUNT, ConnectionCounters } from './connection-counters.ts'
import type { ConnectionCount } from './connection-counters.ts'
import type { ConnectionEvents } from './connection-events.ts'
import { CONNECTION_LIMITS } from './connection-limits.ts'
import type { ConnectionLimits } from './connection-limits.ts'
import { ATTENTION, Connection, LINGER, LINGER_COUNT } from './connection.ts'
import type { ConnectionEnd, ConnectionOwner } from './connection.ts'
import { FlowIndex } from './flow-index.ts'
import { PacketFlow } from './packet-flow.ts'
import { ReassemblySpace } from './reassembly-space.ts'
import { RestQueue } from './rest-queue.ts'
import { Segment } from './segment.ts'
import { SideDormitory } from './side-rest.ts'
import { SlotLists } from './slot-lists.ts'
import { SteadyPath } from './steady-path.ts'
import { END } from './stream.ts'
import type { End, Side, StreamControl, StreamHandler } from './stream.ts'

const TCP = 6
const UDP = 17
/** Connections, and holes, that one `tick` ends at most, per list. */
const TICK_MAX = 1024
/** Of a full table, as a divisor: a list that holds no more than this share gives none up, as long as another holds more. */
const SHARE_KEPT = 8
/** Objects that wait for the next connection. */
const SPARE_MAX = 1024
/** Connections that one which comes back to its place in a list passes at most; it stays younger than it is, if there are more. */
const PLACE_STEPS_MAX = 4096
const COUNT_OF_END: Partial<Record<ConnectionEnd, number>> = {
  idle: COUNT.idle, replaced: COUNT.replaced, refused: COUNT.refused, timeout: COUNT.timed_out, overload: COUNT.overload_left,
}

/**
 * Packet events in, two ordered streams per connection out.
 *
 * Bound: `ConnectionLimits`; each bound that is met is counted under its own name. The oldest connection of
 * the least valuable kind goes first when the table is full: finished ones, SYNs without answer, those that
 * only one endpoint has confirmed, those on which one alone has spoken, then the one idle for longest. Each kind keeps
 * an eighth of the table (SHARE_KEPT): else a table full of open ones would give up every new connection before it is open.
 */
export class ConnectionTable implements ConnectionOwner {
  readonly space: ReassemblySpace
  readonly counters = new ConnectionCounters()
  /** Who sleeps next. */
  readonly restQueue: RestQueue
  /** Whose packet is at work: its sides are in use, even where that brings another connection to rest. */
  handled: Connection | undefined
  /** @internal */
  readonly dormitory: SideDormitory
  /** @internal */
  readonly steady: SteadyPath
  readonly #memory: ByteMemory
  readonly #open: (connection: StreamControl) => StreamHandler
  readonly #events: ConnectionEvents
  readonly #limits: ConnectionLimits
  readonly #lingerNs: Float64Array
  readonly #flows: FlowIndex
  readonly #lists: SlotLists
  readonly #listSizes = new Int32Array(LINGER_COUNT)
  readonly #segment = new Segment()
  readonly #packetFlow: PacketFlow
  readonly #connections: (Connection | undefined)[] = []
  /** Time of each slot's last packet. */
  readonly #lastTimes: Float64Array
  /** When each slot became the youngest of its list, as `SteadyPath.order`. */
  readonly #orders: Float64Array
  readonly #freeSlots: number[] = []
  /** Objects of connections that nobody knows any more: a flood makes no garbage of them. */
  readonly #spare: Connection[] = []
  #countMax: number
  #size = 0
  /** Numbers of connections: workers that share the flows take turns. */
  #lastId: number
  readonly #idStep: number
  #time = 0

  constructor(
    memory: ByteMemory,
    source: Pick<PacketSource, 'skip' | 'ignore' | 'leaveOut' | 'share'>,
    open: (connection: StreamControl) => StreamHandler,
    limits: Partial<ConnectionLimits> = {},
    events: ConnectionEvents = {},
  ) {
    this.#memory = memory
    this.#open = open
    this.#events = events
    this.#limits = { ...CONNECTION_LIMITS, ...limits }
    this.#countMax = this.#limits.connectionCountMax
    const { index, count } = source.share ?? ALL_FLOWS
    this.#idStep = count
    this.#lastId = index + 1 - count
    this.space = new ReassemblySpace(memory, source, this.#limits, this.counters)
    this.space.relieve = (time) => this.#relieve(time)
    this.dormitory = new SideDormitory(this.space)
    this.restQueue = new RestQueue(this.#limits.awakeCountMax)
    const { closingMsMax, halfOpenMsMax, idleMsMax } = this.#limits
    this.#lingerNs = Float64Array.of(closingMsMax, halfOpenMsMax, idleMsMax, idleMsMax, idleMsMax).map((ms) => ms * 1e6)
    this.#flows = new FlowIndex(memory, this.#limits.connectionCountMax, randomFillSync(new Uint32Array(2)))
    this.#lastTimes = new Float64Array(this.#limits.connectionCountMax)
    this.#orders = new Float64Array(this.#limits.connectionCountMax)
    this.#lists = new SlotLists(this.#limits.connectionCountMax, LINGER_COUNT)
    this.#packetFlow = new PacketFlow(this)
    this.steady = new SteadyPath(memory, this.counters, events)
  }

  /** From now on at most so many connections; never more than the limit it was made with. Where there are more, each new one ends two. */
  bound(count: number): void {
    this.#countMax = Math.min(count, this.#limits.connectionCountMax)
  }

  /** Connections in the table, finished ones that are still remembered included. */
  get size(): number {
    return this.#size
  }

  /** Time of the newest packet, nanoseconds in the source's clock. */
  get time(): number {
    return this.#time
  }

  /** Counts so far of what is out of the ordinary. */
  *anomalies(): Generator<[ConnectionCount, number]> {
    for (const name of CONNECTION_ANOMALIES) yield [name, this.counters.get(name)]
  }

  /** Walks a batch of framed packet events; may be called again from inside `frame`. */
  process(pointer: number, length: number): void {
    const { u8, u32 } = this.#memory
    const end = pointer + length
    let at = pointer
    for (;;) {
      at = this.steady.run(at, end)
      if (this.steady.time > this.#time) this.#time = this.steady.time
      if (at + FRAME_BYTES > end) break
      const word = u32[at >> 2]!
      const bytes = word & 0x3fffffff
      const event = at + FRAME_BYTES
      const next = event + ((bytes + 7) & ~7)
      if (next > end) break
      at = next
      if ((word & FRAME_DISCARD) !== 0) this.counters.add(COUNT.discarded, 1)
      else if (bytes < PACKET_EVENT.bytes) this.counters.add(COUNT.malformed, 1)
      else if (u8[event + PACKET_EVENT.kind] === EVENT_SEGMENT) this.#take(event, bytes)
      else if (u8[event + PACKET_EVENT.kind] === EVENT_PLAINTEXT) this.#plaintext(event, bytes)
      else if (u8[event + PACKET_EVENT.kind] === EVENT_FRAME) this.#frame(event)
      else if (u8[event + PACKET_EVENT.kind] === EVENT_LEFT) this.#leave(event)
      else if (u8[event + PACKET_EVENT.kind] === EVENT_PROCESS) this.#events.process?.(event, bytes)
      else this.counters.add(COUNT.malformed, 1)
    }
    if (at !== end) this.counters.add(COUNT.malformed, 1)
  }

  /**
   * Ends what has waited too long at `time`, nanoseconds in the source's clock; at most TICK_MAX of each
   * kind.
   */
  tick(time: number): void {
    for (const list of [0, 1]) {
      // A side that still waits keeps its place, so the next is asked before this one may leave the list.
      let entry = this.space.waiting.first(list)
      for (let count = 0; count < TICK_MAX && entry >= 0; count++) {
        const connection = this.#connections[entry >> 1]!
        const side = connection.sides[(entry & 1) as Side]
        if (time - side.evidence.time < this.space.recordNs) break
        const after = this.space.waiting.after(entry)
        side.settle(time)
        for (const each of connection.sides) if (each.isBlocked) each.drain(time)
        this.settleFins(connection, time)
        entry = after
      }
    }
    for (let list = 0; list < LINGER_COUNT; list++) {
      for (let count = 0; count < TICK_MAX; count++) {
        const slot = this.#lists.first(list)
        // A time far ahead (a broken clock in a file) must not block those behind it.
        if (slot < 0 || Math.abs(time - this.#lastTimes[slot]!) < this.#lingerNs[list]!) break
        if (!this.#catchUp(this.#connections[slot]!)) this.#expire(this.#connections[slot]!, time)
      }
    }
  }

  /**
   * The capture ended: what is held goes out, and every stream ends, in the order in which the connections
   * began.
   */
  close(time: number): void {
    const all = this.#connections.filter((connection) => connection !== undefined)
    for (const connection of all.sort((a, b) => a.id - b.id)) {
      if (!connection.isClosed) this.end(connection, END.shutdown, time)
      this.remove(connection)
    }
  }

  /** @internal The handler of a connection whose first bytes are there. */
  openHandler(connection: Connection, time: number): StreamHandler {
    if (!connection.fromStart) this.counters.add(COUNT.late_join, 1)
    this.tellOpened(connection, time)
    return this.#open(connection)
  }

  /** @internal Nobody wants more of a connection. */
  ignored(connection: Connection): void {
    this.counters.add(COUNT.ignored, 1)
    this.move(connection, LINGER.unconfirmed)
    if (connection.tag !== 0) this.space.source.ignore(connection.tag >>> 0)
  }

  /** @internal */
  freeing(connection: Connection): void {
    this.#events.freeing?.(connection)
  }

  /** @internal */
  tellOpened(connection: Connection, time: number): void {
    if (connection.isTold) return
    connection.isTold = true
    this.#events.opened?.(connection, time)
  }

  /** @internal */
  move(connection: Connection, list: number): void {
    this.#lists.remove(connection.slot)
    this.#lists.append(list, connection.slot)
    this.#orders[connection.slot] = ++this.steady.order
    this.#listSizes[connection.list]!--
    this.#listSizes[list]!++
    connection.list = list
  }

  /** @internal A packet of the connection was seen. */
  touch(connection: Connection, time: number): void {
    this.#lastTimes[connection.slot] = time
    this.#lists.touch(connection.list, connection.slot)
    this.#orders[connection.slot] = ++this.steady.order
  }

  /** @internal Makes the connection of the segment at hand, sent by `side`; undefined = no memory. */
  create(segment: Segment, side: Side, list: number, fromStart: boolean): Connection | undefined {
    const block = this.#memory.allocator.alloc(L.CONNECTION_BYTES) || this.#blockOfAnother(segment.time)
    if (block === 0) return undefined
    for (let evicted = 0; evicted < 2 && this.#size >= this.#countMax; evicted++) this.#evict(segment.time)
    const slot = this.#freeSlots.pop() ?? this.#connections.length
    const id = this.takeId()
    fillBlock(this.#memory, block, id, side, segment)
    if (!fromStart) this.#memory.u8[block + L.CONNECTION_FLAGS]! |= L.CONNECTION_FLAG_MIDSTREAM
    const connection = this.#spare.pop() ?? new Connection(this)
    connection.renew(id, slot, block, fromStart)
    connection.list = list
    this.#listSizes[list]!++
    this.#lastTimes[slot] = segment.time
    connection.tag = segment.tag
    if (slot === this.#connections.length) this.#connections.push(connection)
    else this.#connections[slot] = connection
    this.#lists.append(list, slot)
    this.#orders[slot] = ++this.steady.order
    this.#flows.find(segment.event)
    this.#flows.insert(slot)
    this.#size++
    this.counters.add(COUNT.opened, 1)
    return connection
  }

  /** The memory's limit is reached: one that is not confirmed gives its block up, as it would its place; 0 = there is none. */
  #blockOfAnother(time: number): number {
    this.counters.add(COUNT.memory_refused, 1)
    if (this.#size === 0 || this.#listToCut() >= LINGER.silent) return 0
    this.#evict(time)
    return this.#memory.allocator.alloc(L.CONNECTION_BYTES)
  }

  /** @internal Ends both streams; the connection stays in the table. */
  end(connection: Connection, cause: ConnectionEnd, time: number): void {
    this.steady.takeBack(connection)
    const isUnanswered = cause === 'refused' || cause === 'timeout'
    const streamCause: End = cause === 'refused' ? END.reset : cause === 'timeout' ? END.idle : cause
    // What a side waits for of the other comes first, or its gap.
    const first = connection.sides[0].isBlocked ? 1 : 0
    for (const side of [connection.sides[first], connection.sides[1 - first]!]) {
      if (isUnanswered) side.dropSynData()
      side.end(streamCause, time)
    }
    this.#finish(connection, cause, time)
  }

  /** @internal Forgets a connection that has ended. */
  remove(connection: Connection): void {
    this.#flows.remove(connection.slot)
    this.#lists.remove(connection.slot)
    this.#listSizes[connection.list]!--
    const { closedBy, closedTime } = connection
    if (closedBy !== undefined) {
      connection.closedBy = undefined
      this.#events.closed?.(connection, closedBy, closedTime)
      connection.handler = undefined
      connection.release()
    }
    this.#connections[connection.slot] = undefined
    if (connection.leave() && this.#spare.length < SPARE_MAX) this.#spare.push(connection)
    this.#freeSlots.push(connection.slot)
    this.#size--
  }

  /** @internal Both sides may have ended by FIN. @returns true when they have */
  settleFins(connection: Connection, time: number): boolean {
    if (connection.isClosed) return true
    if (!connection.sides[0].hasEnded || !connection.sides[1].hasEnded) return false
    this.#finish(connection, END.fin, time)
    this.linger(connection)
    return true
  }

  /** @internal Remembers a connection that has ended, for a while. */
  linger(connection: Connection): void {
    this.move(connection, LINGER.closed)
  }

  #take(event: number, bytes: number): void {
    const segment = this.#segment
    segment.read(this.#memory, event)
    if (!segment.isSound(event + bytes)) {
      this.counters.add(COUNT.malformed, 1)
      return
    }
    if (segment.time > this.#time) this.#time = segment.time
    this.#events.packet?.(event)
    const version = this.#memory.u8[event + PACKET_EVENT.ip_version]
    const protocol = this.#memory.u8[event + PACKET_EVENT.ip_protocol]
    if (protocol !== TCP || (version !== 4 && version !== 6)) {
      this.counters.add(COUNT.not_tcp, 1)
      if (protocol === UDP && version !== 0) this.#events.datagram?.(event)
      return
    }
    this.dispatch(segment)
  }

  /** @internal Finds the connection of a segment, and lets it go its way. */
  dispatch(segment: Segment): void {
    const slot = this.#flows.find(segment.event)
    const { side } = this.#flows
    if (slot < 0) return this.#packetFlow.meet(side, segment)
    const connection = this.#connections[slot]!
    if (connection.steady !== 0) this.#takeBack(connection)
    const outer = this.handled // a packet may hold another one
    this.handled = connection
    this.#packetFlow.packet(connection, side, segment)
    this.handled = outer
  }

  /** From here on every packet goes the plain path, until a connection rests again. */
  leaveSteady(): void {
    for (const connection of this.#connections) if (connection !== undefined) this.#takeBack(connection)
  }

  /** The open connection between the addresses and ports of an event, packet or plaintext. */
  find(event: number): Connection | undefined {
    const slot = this.#flows.find(event)
    const connection = slot < 0 ? undefined : this.#connections[slot]
    if (connection !== undefined) this.#takeBack(connection)
    return connection?.isClosed === true ? undefined : connection
  }

  /** A number that no connection of this run has, for one that packets do not show. */
  takeId(): number {
    return this.#lastId = (this.#lastId + this.#idStep) >>> 0
  }

  #plaintext(event: number, bytes: number): void {
    this.#timeOf(event)
    this.#events.plaintext?.(event, bytes)
  }

  /** @returns the time of an event, which is the table's if there was no later one */
  #timeOf(event: number): number {
    const { u32 } = this.#memory
    const time = u32[(event + PACKET_EVENT.time_ns) >>> 2]! + u32[(event + PACKET_EVENT.time_ns + 4) >>> 2]! * 2 ** 32
    if (time > this.#time) this.#time = time
    return time
  }

  #frame(event: number): void {
    this.counters.add(COUNT.frames, 1)
    this.#events.frame?.(event)
  }

  #finish(connection: Connection, cause: ConnectionEnd, time: number): void {
    // Whoever is told of the end asks how many exchanges there were.
    if (connection.carried !== undefined) this.steady.takeBack(connection.carried)
    connection.dropChallenger()
    connection.attention |= ATTENTION.closed
    const count = COUNT_OF_END[cause]
    if (count !== undefined) this.counters.add(count, 1)
    const isFile = this.#memory.u8[connection.block + L.CONNECTION_HOOK] === HOOK_FILE
    if (isFile && (cause === END.fin || cause === END.reset) && this.#events.awaitsLate?.() === true) {
      connection.closedBy = cause
      connection.closedTime = time
      return connection.retain()
    }
    this.#events.closed?.(connection, cause, time)
    connection.handler = undefined // nothing calls it any more, and the connection is remembered for a while
    connection.freeBlock()
  }

  /** The source gives nothing more of a connection; if it comes back to it, that is another one, joined midway. */
  #leave(event: number): void {
    const connection = this.find(event)
    if (connection === undefined) return
    this.end(connection, END.overload, this.#timeOf(event))
    this.remove(connection)
  }

  #expire(connection: Connection, time: number): void {
    const cause = connection.list === LINGER.halfOpen ? 'timeout' : END.idle
    if (!connection.isClosed) this.end(connection, cause, time)
    this.remove(connection)
  }

  /** The packet that follows may be none of its own, and yet it was not idle. */
  #takeBack(connection: Connection): void {
    this.#catchUp(connection)
    this.steady.takeBack(connection)
  }

  /**
   * Packets of the steady path do not move a connection in its list: once it is looked at, it goes where its last packet would
   * have put it (past PLACE_STEPS_MAX younger ones at most). @returns whether there was one
   */
  #catchUp(connection: Connection): boolean {
    const { slot, list } = connection
    const order = this.steady.orderOf(connection)
    if (order <= this.#orders[slot]!) return false
    this.#orders[slot] = order
    this.#lastTimes[slot] = this.steady.timeOf(connection)
    this.#lists.remove(slot)
    let younger = -1
    let other = this.#lists.last(list)
    for (let steps = 0; other >= 0 && this.#orders[other]! > order && steps < PLACE_STEPS_MAX; steps++) {
      younger = other
      other = this.#lists.before(other)
    }
    if (younger < 0) this.#lists.append(list, slot)
    else this.#lists.insert(younger, slot)
    return true
  }

  /** A place in a list is never later than the connection's last packet: who stands first for good is the oldest. */
  #oldest(list: number): number {
    let slot = this.#lists.first(list)
    while (slot >= 0 && this.#catchUp(this.#connections[slot]!)) slot = this.#lists.first(list)
    return slot
  }

  #evict(time: number): void {
    const list = this.#listToCut()
    const slot = this.#oldest(list)
    if (slot < 0) return
    const connection = this.#connections[slot]!
    const count = list === LINGER.closed ? COUNT.linger_cut
      : list === LINGER.open || list === LINGER.silent ? COUNT.evicted : COUNT.evicted_half_open
    this.counters.add(count, 1)
    if (!connection.isClosed) this.end(connection, END.evicted, time)
    this.remove(connection)
  }

  #listToCut(): number {
    if (this.#listSizes[LINGER.closed]! > 0) return LINGER.closed
    const kept = Math.floor(this.#countMax / SHARE_KEPT)
    const large = this.#listSizes.findIndex((size) => size > kept)
    return large >= 0 ? large : Math.max(0, this.#listSizes.findIndex((size) => size > 0))
  }

  #relieve(time: number): boolean {
    const entry = this.space.waiting.first(0)
    if (entry < 0) return false
    const connection = this.#connections[entry >> 1]!
    connection.sides[(entry & 1) as Side].force(time)
    return true
  }
}
