import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import * as L from '../../../wasm/layout.ts'
import { sideBlock } from '../connection-block.ts'
import type { Connection } from '../connection.ts'
import { END } from '../stream.ts'
import type { RestQueue, Sleeper } from '../rest-queue.ts'
import type { Steadfast } from '../steady-path.ts'
import type { End, Gap, Side, StreamControl, StreamHandler } from '../stream.ts'
import { PlaintextSide } from './plaintext-side.ts'
import type { SideOutput } from './plaintext-side.ts'

/** What a session asks of its table. */
export interface PlaintextOwner {
  readonly memory: ByteMemory
  readonly restQueue: RestQueue | undefined
  openHandler(connection: PlaintextConnection): StreamHandler
  ignored(connection: PlaintextConnection): void
  lost(cause: Gap, bytes: number): void
  freeing(block: number): void
}

/** What is known of a session when its first bytes are given on. */
export interface PlaintextOpening {
  readonly id: number
  /** Its CONNECTION block, unless it has a wire connection, whose block it then shares. */
  readonly block: number
  readonly wire: Connection | undefined
  /** The side of the program that was probed. */
  readonly localSide: Side
  readonly fromStart: boolean
}

/**
 * One TLS session in the clear: a connection to those who decode it. It shares the block of the connection whose packets
 * carry it, so that one record tells what both know.
 */
export class PlaintextConnection implements StreamControl, SideOutput, Steadfast, Sleeper {
  readonly id: number
  readonly fromStart: boolean
  readonly isPlaintext = true
  readonly session: number
  readonly localSide: Side
  readonly wire: Connection | undefined
  readonly sides: readonly [PlaintextSide, PlaintextSide] = [new PlaintextSide(0), new PlaintextSide(1)]
  companion: object | undefined = undefined
  isIgnored = false
  isClosed = false
  steady = 0
  patience = 1
  restless = 0
  isListed = false
  /** Nothing is pending on it: it may take the steady path. */
  isResting = false
  readonly #owner: PlaintextOwner
  #block: number
  #client: Side | undefined
  #handler: StreamHandler | undefined
  #retained = 0

  constructor(owner: PlaintextOwner, session: number, opening: PlaintextOpening) {
    this.#owner = owner
    this.session = session
    this.id = opening.id
    this.wire = opening.wire
    this.#block = opening.block
    this.localSide = opening.localSide
    this.fromStart = opening.fromStart
    if (this.wire === undefined) return
    this.wire.retain()
    this.wire.carried = this
  }

  get block(): number {
    return this.wire?.block ?? this.#block
  }

  get client(): Side | undefined {
    return this.#client ?? this.wire?.client
  }

  setClient(side: Side): void {
    this.#client = side
    if (this.block !== 0) this.#owner.memory.u8[this.block + L.CONNECTION_CLIENT] = side
  }

  hasStart(): boolean {
    return this.fromStart
  }

  position(side: Side): number {
    return this.sides[side].position
  }

  /** The program's own order: what it had read, or written, of the other direction. */
  acknowledgement(side: Side): number {
    return this.sides[side === 0 ? 1 : 0].position
  }

  skip(side: Side, length: number): void {
    if (!this.isIgnored) this.sides[side].skip(length)
  }

  ignore(): void {
    if (this.isIgnored || this.isClosed) return
    this.isIgnored = true
    this.#owner.ignored(this)
  }

  retain(): void {
    this.#retained++
    this.wire?.retain()
  }

  release(): void {
    this.#retained--
    this.wire?.release()
    this.#freeBlock()
  }

  data(side: Side, pointer: number, length: number, time: number): void {
    if (!this.isIgnored) this.#begin().data(side, pointer, length, time)
  }

  gap(side: Side, length: number, cause: Gap, time: number): void {
    if (this.isIgnored) return
    this.#owner.lost(cause, length)
    this.#owner.memory.f64[(sideBlock(this.block, side) + L.SIDE_LOST_BYTES) >>> 3]! += length
    this.#begin().gap(side, length, cause, time)
  }

  skipped(side: Side, time: number): void {
    if (!this.isIgnored) this.#handler?.skipped(side, time)
  }

  end(side: Side, cause: End, time: number): void {
    this.#handler?.end(side, cause, time)
  }

  /** Both directions are over. */
  close(cause: End, time: number): void {
    if (this.isClosed) return
    for (const side of this.sides) side.end(cause, time, this)
    this.isClosed = true
    this.#handler = undefined
    if (this.wire?.carried === this) this.wire.carried = undefined
    this.wire?.release()
    this.#freeBlock()
  }

  /** The program has told its peer that it writes no more. */
  closeWrites(time: number): void {
    this.sides[this.localSide].end(END.fin, time, this)
  }

  get handler(): StreamHandler | undefined {
    return this.#handler
  }

  giveWay(handler: StreamHandler): void {
    this.#handler = handler
  }

  sleep(): boolean {
    const handler = this.isClosed ? undefined : this.#handler?.sleep?.()
    this.#handler = handler ?? this.#handler
    return handler !== undefined
  }

  rested(): void {
    if (!this.isListed) this.#owner.restQueue?.add(this)
    if (this.patience > 0) this.patience--
    else this.isResting = true
  }

  /** Without addresses each exchange is marked: the plain path's business. */
  get isInStep(): boolean {
    const hasAddresses = this.block !== 0 && this.#owner.memory.u8[this.block + L.CONNECTION_IP_VERSION] !== 0
    return hasAddresses && !this.isIgnored && !this.isClosed && this.sides[0].isInStep && this.sides[1].isInStep
  }

  lendTo({ u8, u32, f64 }: ByteMemory, steady: number): void {
    u32[(steady + L.STEADY_ADDRESS) >>> 2] = this.session
    u32[(steady + L.STEADY_VERSION) >>> 2] = L.STEADY_SESSION
    u8[steady + L.STEADY_LOCAL] = this.localSide
    for (const { side, next } of this.sides) f64[positionOf(steady, side)] = next
  }

  takeFrom({ f64 }: ByteMemory, steady: number): void {
    for (const side of this.sides) side.next = f64[positionOf(steady, side.side)]!
  }

  move(side: Side, bytes: number): void {
    this.sides[side].next += bytes
  }

  #begin(): StreamHandler {
    return this.#handler ??= this.#owner.openHandler(this)
  }

  #freeBlock(): void {
    if (!this.isClosed || this.#retained > 0 || this.#block === 0) return
    this.#owner.freeing(this.#block)
    this.#owner.memory.allocator.free(this.#block, L.CONNECTION_BYTES)
    this.#block = 0
  }
}

/** Index of a side's position in a STEADY block. */
function positionOf(steady: number, side: Side): number {
  return (steady + L.STEADY_SIDE + side * L.STEADY_SIDE_BYTES + L.STEADY_POSITION) >>> 3
}
