import { randomFillSync } from 'node:crypto'
import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import * as L from '../../../wasm/layout.ts'
import {
  PLAINTEXT_CLOSED, PLAINTEXT_CUT, PLAINTEXT_ENDED, PLAINTEXT_EVENT, PLAINTEXT_START, PLAINTEXT_WRITE_ENDED,
} from '../../capture/mod.ts'
import type { PacketSource } from '../../capture/mod.ts'
import type { Connection } from '../connection.ts'
import { FlowIndex } from '../flow-index.ts'
import type { RestQueue } from '../rest-queue.ts'
import type { SteadyPath } from '../steady-path.ts'
import { END, GAP } from '../stream.ts'
import type { End, Gap, Side, StreamControl, StreamHandler } from '../stream.ts'
import { ClosedSockets } from './closed-sockets.ts'
import { HeldEvents } from './held-events.ts'
import { fillPlaintextBlock } from './plaintext-block.ts'
import { PlaintextConnection } from './plaintext-connection.ts'
import type { PlaintextOwner } from './plaintext-connection.ts'
import { PlaintextRecord } from './plaintext-event.ts'

/** How the connections that packets show are asked. */
export interface WireConnections {
  /** The open connection between the addresses and ports of an event. */
  find(event: number): Connection | undefined
  /** A number that no other connection of this run has. */
  takeId(): number
}

export interface PlaintextOptions {
  readonly memory: ByteMemory
  readonly source: Pick<PacketSource, 'skipPlaintext' | 'ignorePlaintext'>
  readonly wires: WireConnections
  readonly open: (connection: StreamControl) => StreamHandler
  /** Where sessions go that rest between two exchanges; without it all stay here. */
  readonly steady?: SteadyPath
  /** Who sleeps next; without it none does. */
  readonly restQueue?: RestQueue
  /** A CONNECTION block goes back to the allocator now. */
  readonly freeing?: (block: number) => void
  /** Whether a filter wants the session of this event, and the agent can read it; 'unknown' = it asks for the socket, which is not known yet. */
  readonly wants: (event: number) => 'yes' | 'no' | 'overload' | 'unknown'
  readonly sessionCountMax: number
  readonly idleMsMax: number
}

/** What the table counts, by name. */
export const PLAINTEXT_COUNTS = [
  /** Sessions given on. */
  'plaintext_opened',
  /** Of them, those that were under way when their program was first seen. */
  'plaintext_late_join',
  /** Sessions whose connection is told by its other end, whose program is read too. */
  'plaintext_other_end',
  /** Sessions that a filter left out. */
  'plaintext_not_wanted',
  /** Sessions that are not read, as the agent could not keep up when they began. */
  'plaintext_overload',
  /** Sessions of which bytes were left out: a filter asks for their socket, and it was not known in time. */
  'plaintext_undecided',
  /** Sessions whose socket could not be told. */
  'plaintext_without_socket',
  'plaintext_evicted', 'plaintext_idle', 'plaintext_replaced', 'plaintext_memory_refused',
  'plaintext_gaps_lost', 'plaintext_gaps_cut', 'plaintext_bytes_lost', 'plaintext_malformed',
] as const
export type PlaintextCount = (typeof PLAINTEXT_COUNTS)[number]

/** Of the counts, those that tell of loss, or of a bound that was met. */
const ANOMALIES: readonly PlaintextCount[] = [
  'plaintext_late_join', 'plaintext_overload', 'plaintext_undecided', 'plaintext_without_socket', 'plaintext_evicted',
  'plaintext_replaced', 'plaintext_memory_refused',
  'plaintext_gaps_lost', 'plaintext_gaps_cut', 'plaintext_malformed',
]

/** Of the counts, a day's work, and the bytes behind the gaps; by the name under which they are told. */
const TOLD: readonly (readonly [name: string, count: PlaintextCount])[] = [
  ['opened', 'plaintext_opened'], ['other_end', 'plaintext_other_end'], ['not_wanted', 'plaintext_not_wanted'], ['idle', 'plaintext_idle'],
  ['bytes_lost', 'plaintext_bytes_lost'],
]

/** A session whose bytes are not given on: told elsewhere, not wanted, or over. It is remembered until it ends. */
const SILENT = Symbol('silent')

interface Session {
  /** Undefined while it waits: see `#wait`. */
  state: PlaintextConnection | typeof SILENT | undefined
  /** The events that wait with it. */
  held: HeldEvents | undefined
  /** Bytes of it were left out before it was known whether it is wanted. */
  isUndecided: boolean
  /** Place in the index of addresses; -1 = none. */
  slot: number
  /** Of one with a place: the side of its program. */
  localSide: Side
  /** The other end has shown itself. */
  hasOtherEnd: boolean
  /** When it was over, of one that keeps its place. */
  endedAt: number
  lastTime: number
  /** When its socket was closed; Infinity = it was not. */
  closedAt: number
  /** Of its socket, 0 = not known. */
  cookie: number
}

/** How long first bytes wait at most. */
const HOLD_NS = 100e6
/** An end may show itself so long after the one that told the connection is over: it waited, or its call returned late. */
const LATE_END_NS = 2 * HOLD_NS
/** A socket that was closed may have left bytes that its program reads still. */
const CLOSING_NS = 250e6
/** Bytes below which it is not worth telling the source to leave them out. */
const SKIP_WORTH_BYTES = 2048
/** Sessions are looked through for silence this often. */
const SWEEP_NS = 1e9

/**
 * TLS sessions in the clear: events of the probes in, two ordered streams per session out, as from the connection table.
 *
 * Where both ends of a connection are read on this machine, one is home and tells it, the server's as a rule; the other is
 * silent, even when it shows itself only after that one is over. A session takes the block of its wire connection, when packets
 * have shown one, else a block of its own.
 *
 * Bound: `sessionCountMax`, the oldest goes first; the events that wait for a socket (held-events.ts).
 */
export class PlaintextTable implements PlaintextOwner {
  readonly memory: ByteMemory
  readonly restQueue: RestQueue | undefined
  readonly #options: PlaintextOptions
  readonly #sessions = new Map<number, Session>()
  readonly #byCookie = new Map<number, Session>()
  readonly #closed = new ClosedSockets()
  readonly #counts = new Map<PlaintextCount, number>(PLAINTEXT_COUNTS.map((name) => [name, 0]))
  readonly #record = new PlaintextRecord()
  /** Made when the first session comes: most runs have none. */
  #flows: FlowIndex | undefined
  readonly #homes: (Session | undefined)[] = []
  readonly #freeSlots: number[] = []
  /** Of the homes, those that are over and keep their place for LATE_END_NS, oldest first. */
  readonly #past = new Set<Session>()
  #sweptAt = 0
  #countMax: number

  constructor(options: PlaintextOptions) {
    this.#options = options
    this.#countMax = options.sessionCountMax
    this.memory = options.memory
    this.restQueue = options.restQueue
  }

  /** As ConnectionTable.bound, of sessions. */
  bound(count: number): void {
    this.#countMax = Math.min(count, this.#options.sessionCountMax)
  }

  /** Sessions that are remembered. */
  get size(): number {
    return this.#sessions.size
  }

  count(name: PlaintextCount): number {
    return this.#counts.get(name)!
  }

  /** Sessions opened, told by their other end, not wanted, or ended as idle, and bytes lost. */
  told(): ReadonlyMap<string, number> {
    return new Map(TOLD.map(([name, count]) => [name, this.count(count)]))
  }

  * anomalies(): Generator<[PlaintextCount, number]> {
    for (const name of ANOMALIES) yield [name, this.count(name)]
  }

  /** One event of the ring, `bytes` long. */
  take(event: number, bytes: number): void {
    const record = this.#record
    record.read(this.memory, event)
    if (bytes < PLAINTEXT_EVENT.bytes || !record.isSound(event + bytes)) return this.#add('plaintext_malformed')
    if ((record.flags & PLAINTEXT_CLOSED) !== 0) return this.#noteClosed(record)
    if (record.session === 0) return this.#add('plaintext_malformed')
    const session = this.#sessions.get(record.session) ?? this.#meet(record)
    session.lastTime = record.time
    this.#takeBack(session)
    if (session.state === undefined) this.#wait(session, event, bytes)
    else this.#give(session, record)
  }

  /** Ends what has waited too long at `time`, nanoseconds in the source's clock. */
  tick(time: number): void {
    if (this.#sessions.size === 0 && this.#past.size === 0) return
    const idle = time - this.#sweptAt >= SWEEP_NS
    if (idle) this.#sweptAt = time
    for (const [id, session] of this.#sessions) {
      if (idle || session.closedAt !== Infinity) this.#noteSteady(session)
      if (session.held !== undefined && time - session.held.firstTime >= HOLD_NS) this.#settle(session, id)
      if (time - session.closedAt >= CLOSING_NS) this.#end(id, session, END.fin, session.lastTime)
      else if (idle && time - session.lastTime >= this.#options.idleMsMax * 1e6) {
        this.#add('plaintext_idle')
        this.#end(id, session, END.idle, time)
      }
    }
    for (const home of this.#past) {
      if (time - home.endedAt < LATE_END_NS) break
      this.#removeHome(home)
    }
  }

  close(time: number): void {
    for (const [id, session] of this.#sessions) {
      if (session.held !== undefined) this.#settle(session, id)
      this.#end(id, session, END.shutdown, time)
    }
  }

  /** From here on every event goes the plain path, until a session rests again. */
  leaveSteady(): void {
    for (const session of this.#sessions.values()) this.#takeBack(session)
  }

  #takeBack({ state }: Session): void {
    if (state instanceof PlaintextConnection && state.steady !== 0) this.#options.steady!.takeBack(state)
  }

  /** What went by on the steady path counts as traffic. */
  #noteSteady(session: Session): void {
    const { state } = session
    if (state instanceof PlaintextConnection && state.steady !== 0) {
      session.lastTime = Math.max(session.lastTime, this.#options.steady!.timeOf(state))
    }
  }

  /** @internal */
  openHandler(connection: PlaintextConnection): StreamHandler {
    this.#add('plaintext_opened')
    if (!connection.fromStart) this.#add('plaintext_late_join')
    return this.#options.open(connection)
  }

  /** @internal */
  ignored(connection: PlaintextConnection): void {
    this.#options.source.ignorePlaintext?.(connection.session)
  }

  /** @internal */
  freeing(block: number): void {
    this.#options.freeing?.(block)
  }

  /** @internal */
  lost(cause: Gap, bytes: number): void {
    this.#add(cause === GAP.cut ? 'plaintext_gaps_cut' : 'plaintext_gaps_lost')
    this.#add('plaintext_bytes_lost', bytes)
  }

  #add(name: PlaintextCount, amount = 1): void {
    this.#counts.set(name, this.#counts.get(name)! + amount)
  }

  #meet(record: PlaintextRecord): Session {
    for (let evicted = 0; evicted < 2 && this.#sessions.size >= this.#countMax; evicted++) this.#evict(record.time)
    const session: Session = {
      state: undefined, held: undefined, isUndecided: false, slot: -1, localSide: 0, hasOtherEnd: false, endedAt: 0, lastTime: record.time,
      closedAt: Infinity, cookie: 0,
    }
    this.#sessions.set(record.session, session)
    return session
  }

  #evict(time: number): void {
    for (const [id, session] of this.#sessions) {
      this.#add('plaintext_evicted')
      if (session.held !== undefined) this.#settle(session, id)
      this.#end(id, session, END.evicted, time)
      return
    }
  }

  /**
   * A session that is not open yet. Its socket may be in this event, come later, or never. And an end that writes first is
   * the client's: it waits until it has read an answer, by when its server has shown itself, if that is read here too. The
   * server's end tells more: what it has answered, the client may not live to read. An end that was met under way waits in any
   * case: the other one may have seen the start, and may be about to know its socket.
   */
  #wait(session: Session, event: number, bytes: number): void {
    const record = this.#record
    this.#noteSocket(session, record.cookie)
    const isOver = (record.flags & PLAINTEXT_ENDED) !== 0
    const isReady = record.cookie !== 0 && !record.isWritten && (record.flags & PLAINTEXT_START) !== 0
    if (isReady && session.held === undefined) {
      this.#open(session, record)
      return this.#give(session, record)
    }
    const held = (session.held ??= new HeldEvents(this.memory, record.time))
    const isKept = held.add(event, bytes)
    if (isReady || isOver || !isKept) {
      const { session: id } = record
      this.#settle(session, id)
      if (isKept || this.#sessions.get(id) !== session) return
      record.read(this.memory, event)
      this.#give(session, record)
    }
  }

  /** Gives on what waited, by what the last of it says of the socket. */
  #settle(session: Session, id: number): void {
    const { held } = session
    session.held = undefined
    if (held === undefined) return
    const record = this.#record
    held.drain((event, isFirst, last) => {
      if (isFirst) {
        record.read(this.memory, last)
        this.#open(session, record)
      }
      record.read(this.memory, event)
      if (this.#sessions.get(id) === session) this.#give(session, record)
    })
  }

  /** Decides who tells this session; afterwards its state is set, unless its socket is needed for that. */
  #open(session: Session, record: PlaintextRecord): void {
    const { event } = record
    const verdict = this.#options.wants(event)
    if (verdict === 'unknown') return this.#leaveUndecided(session)
    if (verdict !== 'yes') {
      this.#add(verdict === 'no' ? 'plaintext_not_wanted' : 'plaintext_overload')
      return this.#silence(session, record)
    }
    if (record.cookie === 0) this.#add('plaintext_without_socket')
    else if (!this.#makeHome(session, record)) return
    const wire = record.cookie === 0 ? undefined : this.#options.wires.find(event)
    const source = record.cookie === 0 ? Number(!record.isWritten) as Side : this.#flows!.side
    const fromStart = (record.flags & PLAINTEXT_START) !== 0 && !session.isUndecided
    const block = wire === undefined ? this.#makeBlock(record, source, fromStart) : 0
    if (wire === undefined && block === 0) {
      this.#add('plaintext_memory_refused')
      return this.#silence(session, record)
    }
    const id = wire?.id ?? this.memory.u32[(block + L.CONNECTION_ID) >>> 2]!
    const localSide = record.isWritten ? source : source === 0 ? 1 : 0
    session.state = new PlaintextConnection(this, record.session, { id, block, wire, localSide, fromStart })
  }

  /** From now on the session is found by its socket, when that is closed: maybe before it is open here. */
  #noteSocket(session: Session, cookie: number): void {
    if (cookie === 0 || cookie === session.cookie) return
    this.#forgetSocket(session)
    session.cookie = cookie
    session.closedAt = this.#closed.take(cookie)
    this.#byCookie.set(cookie, session)
  }

  #forgetSocket(session: Session): void {
    if (this.#byCookie.get(session.cookie) === session) this.#byCookie.delete(session.cookie)
  }

  /** What waited is left out; the session waits on, and is read from there on where its socket shows it to be wanted. */
  #leaveUndecided(session: Session): void {
    if (!session.isUndecided) this.#add('plaintext_undecided')
    session.isUndecided = true
  }

  /** @returns false when the session's other end tells it */
  #makeHome(session: Session, record: PlaintextRecord): boolean {
    const flows = (this.#flows ??= new FlowIndex(this.memory, this.#options.sessionCountMax, randomFillSync(new Uint32Array(2))))
    const found = flows.find(record.event)
    const localSide = record.isWritten ? flows.side : flows.side === 0 ? 1 : 0
    if (found >= 0) {
      const home = this.#homes[found]!
      const isPast = this.#past.has(home)
      const isTold = isPast ? record.time - home.endedAt < LATE_END_NS : home.state instanceof PlaintextConnection
      if (isTold && home.localSide !== localSide) {
        home.hasOtherEnd = true
        if (isPast) this.#removeHome(home)
        this.#add('plaintext_other_end')
        this.#silence(session, record)
        return false
      }
      // Another connection on the same addresses and ports; maybe the end of the one before was not told.
      if (!isPast) {
        this.#add('plaintext_replaced')
        this.#endState(home, END.replaced, record.time)
      }
      this.#removeHome(home)
    }
    this.#insertHome(session, localSide, flows, record.event)
    return true
  }

  #insertHome(session: Session, localSide: Side, flows: FlowIndex, event: number): void {
    if (this.#freeSlots.length === 0 && this.#homes.length >= this.#options.sessionCountMax) {
      for (const oldest of this.#past) {
        this.#removeHome(oldest)
        break
      }
    }
    session.slot = this.#freeSlots.pop() ?? this.#homes.length
    session.localSide = localSide
    this.#homes[session.slot] = session
    flows.find(event)
    flows.insert(session.slot)
  }

  #removeHome(home: Session): void {
    this.#past.delete(home)
    if (home.slot < 0) return
    this.#flows!.remove(home.slot)
    this.#homes[home.slot] = undefined
    this.#freeSlots.push(home.slot)
    home.slot = -1
  }

  #makeBlock(record: PlaintextRecord, source: Side, fromStart: boolean): number {
    const block = this.memory.allocator.alloc(L.CONNECTION_BYTES)
    if (block !== 0) fillPlaintextBlock(this.memory, block, this.#options.wires.takeId(), source, record.event, record.time, fromStart)
    return block
  }

  #silence(session: Session, record: PlaintextRecord): void {
    session.state = SILENT
    this.#options.source.ignorePlaintext?.(record.session)
  }

  #give(session: Session, record: PlaintextRecord): void {
    const connection = session.state
    const { session: id, time, flags } = record
    if (connection instanceof PlaintextConnection) {
      if ((flags & PLAINTEXT_WRITE_ENDED) !== 0) connection.closeWrites(time)
      else if ((flags & PLAINTEXT_ENDED) === 0) this.#giveBytes(connection, record)
    }
    if ((flags & PLAINTEXT_ENDED) !== 0) this.#end(id, session, END.fin, time)
  }

  #giveBytes(connection: PlaintextConnection, record: PlaintextRecord): void {
    const { position, captured, pointer, time, isWritten } = record
    const { localSide } = connection
    const side = connection.sides[isWritten ? localSide : localSide === 0 ? 1 : 0]
    const cut = (record.flags & PLAINTEXT_CUT) === 0 ? 0 : record.callLength - record.chunkOffset - captured
    side.begin(connection.fromStart ? 0 : position)
    if (!side.take(position, pointer, captured, time, connection)) return this.#add('plaintext_malformed')
    if (cut > 0) side.absent(cut, GAP.cut, time, connection)
    const until = side.takeDirective(SKIP_WORTH_BYTES)
    if (until > 0 && !connection.isIgnored) this.#options.source.skipPlaintext?.(connection.session, isWritten, until)
    if (!connection.isResting) return
    connection.isResting = false
    this.#options.steady?.lend(connection)
  }

  #noteClosed(record: PlaintextRecord): void {
    const session = this.#byCookie.get(record.cookie)
    if (session === undefined) return this.#closed.add(record.cookie, record.time)
    this.#noteSteady(session)
    if (session.closedAt === Infinity) session.closedAt = record.time
  }

  #end(id: number, session: Session, cause: End, time: number): void {
    this.#sessions.delete(id)
    session.held?.clear()
    session.held = undefined
    this.#endState(session, cause, time)
  }

  #endState(session: Session, cause: End, time: number): void {
    this.#takeBack(session)
    if (session.hasOtherEnd) this.#removeHome(session)
    else if (session.slot >= 0) {
      session.endedAt = time
      this.#past.add(session)
    }
    this.#forgetSocket(session)
    if (session.state instanceof PlaintextConnection) session.state.close(cause, time)
    session.state = SILENT
  }
}
