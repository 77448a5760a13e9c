import type { ByteMemory } from '../../lib/bytes/mod.ts'
import * as L from '../../wasm/layout.ts'
import { sideBlock } from './connection-block.ts'
import { CONNECTION_COUNT as COUNT, GAP_COUNT } from './connection-counters.ts'
import type { ReassemblySpace } from './reassembly-space.ts'
import type { RestQueue, Sleeper } from './rest-queue.ts'
import { isInStep, lendConnection, takeConnection } from './steady-connection.ts'
import type { Steadfast } from './steady-path.ts'
import { advance } from './sequence.ts'
import type { SideDormitory, Sides } from './side-rest.ts'
import { GAP } from './stream.ts'
import type { End, Gap, Side, StreamControl, StreamHandler } from './stream.ts'

/** Why a connection ended: as a stream, or because its SYN was refused or never answered. */
export type ConnectionEnd = End | 'refused' | 'timeout'

/** Which list a connection is in; when the table is full, the oldest of the lowest one goes (ConnectionTable). */
export const LINGER = {
  /** Both sides have ended: remembered for its late packets. */
  closed: 0,
  /** A SYN without answer. */
  halfOpen: 1,
  /** One endpoint has not acknowledged anything yet, or nobody wants it. */
  unconfirmed: 2,
  /** Both have acknowledged, and at most one has said anything. */
  silent: 3,
  open: 4,
} as const
export const LINGER_COUNT = 5

/** What a packet of the connection must look at besides its own side: bits of `attention`. */
export const ATTENTION = {
  closed: 1,
  challenged: 2,
  waiting: 4, // << side
  skipping: 16, // << side
  ignored: 64,
  rested: 128,
} as const
/** What is looked at after a packet. */
export const ATTENTION_AFTER = 0x7c

/** Copy of a SYN that would replace a connection once it is answered. */
export interface Challenger {
  readonly event: number
  readonly bytes: number
  readonly side: Side
  /** Its sequence number. */
  readonly initial: number
}

/** What a connection asks of its table. */
export interface ConnectionOwner {
  readonly space: ReassemblySpace
  readonly restQueue: RestQueue
  /** Whose packet is at work: it does not sleep. */
  readonly handled: Connection | undefined
  readonly dormitory: SideDormitory
  openHandler(connection: Connection, time: number): StreamHandler
  ignored(connection: Connection): void
  /** Its block is about to be given back. */
  freeing(connection: Connection): void
}

/** One connection: two sides, the block that describes it, and what its handler may ask. */
export class Connection implements StreamControl, Steadfast, Sleeper {
  id = 0
  slot = 0
  fromStart = false
  /** Undefined while it sleeps: then they are row `#row`; -1 = none. */
  #sides: Sides | undefined
  #row = -1
  readonly #owner: ConnectionOwner
  block = 0
  client: Side | undefined
  companion: object | undefined = undefined
  handler: StreamHandler | undefined
  /** The kernel's id of the connection, 0 = none. */
  tag = 0
  /** Packets so far, those of other paths excluded. */
  packets = 0
  /** Its first packet was the client's SYN. */
  isSynFirst = false
  list: number = LINGER.unconfirmed
  attention = 0
  isIgnored = false
  /** `opened` was told. */
  isTold = false
  /** The kernel counts the packets: not counted here. */
  isCounted = false
  challenger: Challenger | undefined
  /** It has ended, which is not told yet: why, and when. */
  closedBy: ConnectionEnd | undefined
  closedTime = 0
  /** Segments in a row that fit each other, but not the stream; and where the next of them would begin. */
  farCount = 0
  farNext = 0
  steady = 0
  patience = 1
  restless = 0
  isListed = false
  /** The TLS session inside, where it is read in the clear. */
  carried: Steadfast | undefined
  #retained = 0

  /** To be made anything by `renew`. */
  constructor(owner: ConnectionOwner) {
    this.#owner = owner
  }

  /** Is from now on a new connection: one that was just made, or that has left (`leave`). */
  renew(id: number, slot: number, block: number, fromStart: boolean): void {
    this.id = id
    this.slot = slot
    this.block = block
    this.fromStart = fromStart
    this.#sides = this.#owner.dormitory.open(this)
    this.client = undefined
    this.handler = undefined
    this.tag = 0
    this.packets = 0
    this.list = LINGER.unconfirmed
    this.attention = 0
    this.isSynFirst = this.isIgnored = this.isTold = this.isCounted = false
    this.farCount = 0
    this.farNext = 0
    this.steady = 0
    this.patience = 1
    this.restless = 0
  }

  /** Both directions; they wake when they sleep. */
  get sides(): Sides {
    return this.#sides ?? (this.#sides = this.#wake())
  }

  #wake(): Sides {
    const row = this.#row
    this.#row = -1
    return row < 0 ? this.#owner.dormitory.open(this) : this.#owner.dormitory.take(row, this)
  }

  /** The table forgets it: its sides serve others. @returns whether nobody else knows it, so that it may be another one itself */
  leave(): boolean {
    if (this.#sides !== undefined) this.#owner.dormitory.give(this.#sides)
    this.#sides = undefined
    return this.#retained === 0 && this.block === 0 && this.companion === undefined && this.carried === undefined && !this.isListed &&
      this.challenger === undefined
  }

  /** At rest its parts serve others, until the first packet that asks for them. What comes out is the same. */
  sleep(): boolean {
    if (this.#sides === undefined || this.isClosed || this.#owner.handled === this) return false
    const handler = this.handler?.sleep?.()
    this.handler = handler ?? this.handler
    const isResting = this.isIgnored ? this.#areSidesInStep : handler !== undefined && this.isInStep
    if (!isResting || this.#sides[0].hasAway || this.#sides[1].hasAway) return handler !== undefined
    this.#row = this.#owner.dormitory.put(this.#sides)
    this.#sides = undefined
    return true
  }

  giveWay(handler: StreamHandler): void {
    this.handler = handler
  }

  get isClosed(): boolean {
    return (this.attention & ATTENTION.closed) !== 0
  }

  setClient(side: Side): void {
    this.client = side
    if (this.block !== 0) this.#owner.space.memory.u8[this.block + L.CONNECTION_CLIENT] = side
  }

  /**
   * See `StreamControl`. The bytes are counted from the end of what the handler was given last, gaps
   * included; `length` may be any safe integer.
   */
  skip(side: Side, length: number): void {
    this.sides[side].skip(length)
  }

  hasStart(side: Side): boolean {
    return this.sides[side].hasSyn
  }

  position(side: Side): number {
    return this.sides[side].next
  }

  acknowledgement(side: Side): number {
    return this.sides[side].answers
  }

  ignore(): void {
    if (this.isIgnored || this.isClosed) return
    this.isIgnored = true
    this.attention |= ATTENTION.ignored
    this.#owner.ignored(this)
    if (!this.isListed) this.#owner.restQueue.add(this)
  }

  get isInStep(): boolean {
    return this.list === LINGER.open && !this.isIgnored && this.#areSidesInStep
  }

  get #areSidesInStep(): boolean {
    return this.attention === 0 && isInStep(this.sides[0]) && isInStep(this.sides[1])
  }

  lendTo(memory: ByteMemory, steady: number): void {
    lendConnection(memory, steady, this)
  }

  takeFrom(memory: ByteMemory, steady: number): void {
    takeConnection(memory, steady, this)
  }

  move(side: Side, bytes: number): void {
    this.sides[side].next = advance(this.sides[side].next, bytes)
  }

  rested(): void {
    if (!this.isListed) this.#owner.restQueue.add(this)
    if (this.patience > 0) this.patience--
    else this.attention |= ATTENTION.rested
  }

  leaveOut(isAllowed: boolean): boolean {
    const { source } = this.#owner.space
    if (this.tag === 0 || source.leaveOut === undefined) return false
    source.leaveOut(this.tag >>> 0, isAllowed)
    return isAllowed
  }

  mayStayAway(side: Side, length: number): void {
    const each = this.sides[side]
    each.hasAway = length > 0
    each.awayTo = advance(each.next, length)
  }

  retain(): void {
    this.#retained++
  }

  release(): void {
    this.#retained--
    if (this.isClosed) this.freeBlock()
  }

  /** Gives the block back, unless somebody still needs it. */
  freeBlock(): void {
    if (this.#retained > 0 || this.block === 0) return
    this.#owner.freeing(this)
    this.#owner.space.memory.allocator.free(this.block, L.CONNECTION_BYTES)
    this.block = 0
  }

  /** The first bytes, or the first gap, are there: the handler is made. */
  begin(time: number): StreamHandler {
    const handler = (this.handler = this.#owner.openHandler(this, time))
    // A side may have ended without a byte: its handler learns it now.
    for (const side of this.sides) if (side.hasEnded) handler.end(side.side, side.endCause, side.endTime)
    return handler
  }

  noteSkipping(side: Side, isSkipping: boolean): void {
    const bit = ATTENTION.skipping << side
    this.attention = isSkipping ? this.attention | bit : this.attention & ~bit
  }

  noteWaiting(side: Side, isWaiting: boolean): void {
    const bit = ATTENTION.waiting << side
    this.attention = isWaiting ? this.attention | bit : this.attention & ~bit
  }

  noteRetransmission(side: Side): void {
    if (this.isCounted || this.block === 0) return
    this.#owner.space.memory.u32[(sideBlock(this.block, side) + L.SIDE_RETRANSMISSIONS) >> 2]!++
  }

  noteReset(side: Side): void {
    if (this.block !== 0) this.#owner.space.memory.u32[(sideBlock(this.block, side) + L.SIDE_RESETS) >> 2]!++
  }

  /** Counts `length` bytes of `side` that are not there. */
  noteAbsent(side: Side, length: number, cause: Gap): void {
    const { counters, memory } = this.#owner.space
    if (cause === GAP.leftOut) return counters.add(COUNT.bytes_left_out, length)
    counters.add(GAP_COUNT[cause], 1)
    counters.add(COUNT.bytes_lost, length)
    if (this.block !== 0) memory.f64[(sideBlock(this.block, side) + L.SIDE_LOST_BYTES) >> 3]! += length
  }

  /** Keeps a copy of a SYN that contradicts this connection. @returns false = no memory */
  challenge(event: number, bytes: number, side: Side, initial: number): boolean {
    const { memory } = this.#owner.space
    this.dropChallenger()
    const copy = memory.allocator.alloc(bytes)
    if (copy === 0) return false
    memory.u8.copyWithin(copy, event, event + bytes)
    this.challenger = { event: copy, bytes, side, initial }
    this.attention |= ATTENTION.challenged
    this.#owner.space.counters.add(COUNT.syn_on_live, 1)
    return true
  }

  dropChallenger(): void {
    if (this.challenger === undefined) return
    this.#owner.space.memory.allocator.free(this.challenger.event, this.challenger.bytes)
    this.challenger = undefined
    this.attention &= ~ATTENTION.challenged
  }
}
