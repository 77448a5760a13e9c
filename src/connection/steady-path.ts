import { randomFillSync } from 'node:crypto'
import type { ByteMemory } from '../../lib/bytes/mod.ts'
import * as L from '../../wasm/layout.ts'
import {
  STEADY_INFO_DELIVERED, STEADY_INFO_EXCHANGE, STEADY_INFO_PACKETS, STEADY_INFO_TIME,
} from '../../wasm/steady-contract.ts'
import { CONNECTION_COUNT as COUNT } from './connection-counters.ts'
import type { ConnectionCounters } from './connection-counters.ts'
import { LINGER } from './connection.ts'
import type { Connection } from './connection.ts'
import { advance, distance, milliseconds } from './sequence.ts'
import type { Side, StreamHandler, Turns } from './stream.ts'
import type { StreamSide } from './stream-side.ts'

/** Turns under which taking the steady path was not worth the way there and back. */
const TURNS_WORTH = 4
/** Exchanges that a connection which is given back at once again and again stays on the plain path, as a power of two. */
const PATIENCE_MAX = 10

/** What wasm/steady.ts and wasm/steady-index.ts export. */
interface SteadyExports {
  runSteady(owner: number, at: number, end: number, before: number): number
  steadyInfo(): number
  steadyRequest(): number
  closeTurn(exchange: number): void
  keepSteady(block: number): number
  dropSteady(block: number): void
  setSteadySeed(first: number, second: number): void
}

/** The part of ConnectionEvents that matters here. */
interface SteadyEvents {
  turn?(exchange: number): void
  packet?(pointer: number): void
}

let owners = 0

/**
 * Connections that rest between two exchanges of HTTP/1 are lent to wasm/steady.ts: it takes their packets as long as each turn is
 * whole, one segment a request and one a response. The first packet that is anything else takes the connection back, with all
 * that went by, and goes the plain path; so does a request whose response turns out to be more than that.
 *
 * What comes out is the same on both paths; the plain one alone knows what to do when something is out of the ordinary.
 *
 * Bound: 32,768 connections at once (wasm/steady-index.ts), and the memory's limit; others stay on the plain path.
 */
export class SteadyPath {
  /** Time of the newest packet taken, nanoseconds in the source's clock. */
  time = 0
  /** Packets so far, those of the plain path included: what the lists of the table are sorted by. */
  order = 0
  readonly #memory: ByteMemory
  readonly #exports: SteadyExports
  readonly #counters: ConnectionCounters
  readonly #events: SteadyEvents
  readonly #owner = ++owners
  readonly #info: number
  readonly #request: number
  #size = 0

  /** @param events `turn` takes the exchanges; who wants every packet (`packet`) gets all of them on the plain path */
  constructor(memory: ByteMemory, counters: ConnectionCounters, events: SteadyEvents) {
    this.#memory = memory
    this.#counters = counters
    this.#events = events
    this.#exports = memory.exports<SteadyExports>()
    this.#info = this.#exports.steadyInfo()
    this.#request = this.#exports.steadyRequest()
    const seeds = randomFillSync(new Uint32Array(2))
    this.#exports.setSteadySeed(seeds[0]!, seeds[1]!)
  }

  /** Takes packet events from `at` on. @returns the address of the first one that goes the plain path, or where they end */
  run(at: number, end: number): number {
    if (this.#size === 0) return at
    const { u32, f64 } = this.#memory
    for (let from = at;;) {
      const to = this.#exports.runSteady(this.#owner, from, end, this.order)
      const packets = u32[(this.#info + STEADY_INFO_PACKETS) >>> 2]!
      if (packets === 0) return to
      this.order += packets
      this.#counters.add(COUNT.bytes_delivered, u32[(this.#info + STEADY_INFO_DELIVERED) >>> 2]!)
      this.time = Math.max(this.time, f64[(this.#info + STEADY_INFO_TIME) >>> 3]!)
      const exchange = u32[(this.#info + STEADY_INFO_EXCHANGE) >>> 2]!
      if (exchange === 0) return to
      this.#events.turn!(exchange)
      this.#exports.closeTurn(exchange)
      from = to
    }
  }

  /** Place of the last packet that it took of a connection; 0 = it took none, or has not the connection. */
  orderOf({ steady }: Connection): number {
    return steady === 0 ? 0 : this.#memory.f64[(steady + L.STEADY_ORDER) >>> 3]!
  }

  /** Time of that packet. */
  timeOf({ steady }: Connection): number {
    return this.#memory.f64[(steady + L.STEADY_LAST_TIME) >>> 3]!
  }

  /** A connection on which nothing is pending: taken if both streams are in step and its handler lets the next exchanges go by. */
  lend(connection: Connection): void {
    const { handler, sides, client } = connection
    if (this.#events.turn === undefined || this.#events.packet !== undefined) return
    if (handler?.rest === undefined || client === undefined || connection.steady !== 0) return
    if (connection.attention !== 0 || connection.list !== LINGER.open || connection.isIgnored) return
    if (!isInStep(sides[0]) || !isInStep(sides[1])) return
    const depth = handler.rest()
    if (depth < 0) return
    const { allocator } = this.#memory
    const block = allocator.alloc(L.STEADY_BYTES)
    const exchange = allocator.alloc(L.EXCHANGE_BYTES)
    if (block !== 0 && exchange !== 0) {
      this.#fill(connection, client, block, exchange, depth)
      if (this.#exports.keepSteady(block) !== 0) {
        connection.steady = block
        this.#size++
        return
      }
    }
    if (block !== 0) allocator.free(block, L.STEADY_BYTES)
    if (exchange !== 0) allocator.free(exchange, L.EXCHANGE_BYTES)
  }

  #fill(connection: Connection, client: Side, block: number, exchange: number, depth: number): void {
    const { u8, u32, i32 } = this.#memory
    const { block: of } = connection
    u8.fill(0, block, block + L.STEADY_BYTES)
    u8.copyWithin(block + L.STEADY_ADDRESS, of + L.CONNECTION_ADDRESS, of + L.CONNECTION_ADDRESS + 32)
    u32[(block + L.STEADY_PORTS) >>> 2] = u32[(of + L.CONNECTION_PORT) >>> 2]!
    u32[(block + L.STEADY_VERSION) >>> 2] = u8[of + L.CONNECTION_IP_VERSION]!
    u32[(block + L.STEADY_OWNER) >>> 2] = this.#owner
    u32[(block + L.STEADY_CONNECTION) >>> 2] = of
    u32[(block + L.STEADY_EXCHANGE) >>> 2] = exchange
    i32[(block + L.STEADY_TAG) >>> 2] = connection.tag
    u8[block + L.STEADY_CLIENT] = client
    u8[block + L.STEADY_IS_COUNTED] = connection.isCounted ? 1 : 0
    u32[(block + L.STEADY_DEPTH) >>> 2] = depth
    for (const side of connection.sides) this.#fillSide(block, side)
    u8.fill(0, exchange, exchange + L.EXCHANGE_BYTES)
    u32[(exchange + L.EXCHANGE_CONNECTION) >>> 2] = of
    i32[(exchange + L.EXCHANGE_REQUEST_MESSAGES) >>> 2] = -1
    i32[(exchange + L.EXCHANGE_RESPONSE_MESSAGES) >>> 2] = -1
  }

  #fillSide(block: number, side: StreamSide): void {
    const { u8, i32, f64 } = this.#memory
    const at = block + L.STEADY_SIDE + side.side * L.STEADY_SIDE_BYTES
    const number = side.evidence.nextNumber
    if (number !== undefined) u8[block + L.STEADY_NUMBERED]! |= 1 << side.side
    i32[(at + L.STEADY_NEXT) >>> 2] = side.next
    i32[(at + L.STEADY_ACKNOWLEDGED) >>> 2] = side.acknowledged
    i32[(at + L.STEADY_ANSWERS) >>> 2] = side.answers
    i32[(at + L.STEADY_RECORD) >>> 2] = number ?? 0
    i32[(at + L.STEADY_REACHED) >>> 2] = side.evidence.reached
    f64[(at + L.STEADY_TIME) >>> 3] = NaN
    i32[(at + L.STEADY_INTERFACE) >>> 2] = side.homeInterface
    i32[(at + L.STEADY_PATH) >>> 2] = side.homePath
  }

  /** Back to the plain path, as if all that went by had come there. Nothing, when the connection is there. */
  takeBack(connection: Connection): void {
    const block = connection.steady
    if (block === 0) return
    connection.steady = 0
    this.#size--
    this.#exports.dropSteady(block)
    const { u8, u32, allocator } = this.#memory
    const turns = u32[(block + L.STEADY_TURNS) >>> 2]!
    connection.restless = turns >= TURNS_WORTH ? 0 : Math.min(connection.restless + 1, PATIENCE_MAX)
    connection.patience = connection.restless === 0 ? 0 : 2 ** connection.restless
    connection.packets += u32[(block + L.STEADY_PACKETS) >>> 2]!
    connection.isCounted = u8[block + L.STEADY_IS_COUNTED] !== 0
    for (const side of connection.sides) this.#takeBackSide(block, side)
    const exchange = u32[(block + L.STEADY_EXCHANGE) >>> 2]!
    const client = connection.sides[u8[block + L.STEADY_CLIENT] as Side]
    const isAsked = u8[block + L.STEADY_IS_ASKED] !== 0
    const requestLength = u32[(block + L.STEADY_REQUEST_LENGTH) >>> 2]!
    // Where the stream stood when the last turn was over.
    if (isAsked) client.next = advance(client.next, -requestLength)
    if (turns > 0) connection.handler!.passed!(this.#turns(block))
    if (isAsked) this.#ask(connection.handler!, client, exchange, requestLength)
    this.#exports.closeTurn(exchange)
    allocator.free(exchange, L.EXCHANGE_BYTES)
    allocator.free(block, L.STEADY_BYTES)
  }

  #turns(block: number): Turns {
    const { i32, u32, f64 } = this.#memory
    return {
      count: u32[(block + L.STEADY_TURNS) >>> 2]!,
      requestAcknowledgement: i32[(block + L.STEADY_TURN_REQUEST_ACKNOWLEDGEMENT) >>> 2]!,
      responseAcknowledgement: i32[(block + L.STEADY_RESPONSE_ACKNOWLEDGEMENT) >>> 2]!,
      requestTime: f64[(block + L.STEADY_TURN_REQUEST_TIME) >>> 3]!,
      responseTime: f64[(block + L.STEADY_RESPONSE_TIME) >>> 3]!,
    }
  }

  #takeBackSide(block: number, side: StreamSide): void {
    const { i32, f64, u8 } = this.#memory
    const at = block + L.STEADY_SIDE + side.side * L.STEADY_SIDE_BYTES
    const time = f64[(at + L.STEADY_TIME) >>> 3]!
    side.next = i32[(at + L.STEADY_NEXT) >>> 2]!
    side.acknowledged = i32[(at + L.STEADY_ACKNOWLEDGED) >>> 2]!
    side.answers = i32[(at + L.STEADY_ANSWERS) >>> 2]!
    if ((u8[block + L.STEADY_NUMBERED]! & (1 << side.side)) !== 0) {
      side.evidence.catchUp(i32[(at + L.STEADY_RECORD) >>> 2]!, i32[(at + L.STEADY_REACHED) >>> 2]!)
    }
    if (!Number.isNaN(time)) side.homeTime = milliseconds(time)
  }

  /**
   * The request that waits for its response comes to the handler now, in one call as in one packet: a body that came later would
   * be skipped by who is told of it. Of the body the length is enough.
   */
  #ask(handler: StreamHandler, client: StreamSide, exchange: number, length: number): void {
    const { u8, u32, f64 } = this.#memory
    const head = u32[(exchange + L.EXCHANGE_REQUEST) >>> 2]!
    const raw = head + L.HEAD_SPANS + u32[(head + L.HEAD_COUNT) >>> 2]! * L.SPAN_BYTES
    const headLength = u32[(head + L.HEAD_RAW_LENGTH) >>> 2]!
    u8.copyWithin(this.#request, raw, raw + headLength)
    u8.fill(0, this.#request + headLength, this.#request + length)
    client.next = advance(client.next, length)
    handler.data(client.side, this.#request, length, f64[(exchange + L.EXCHANGE_REQUEST_TIME) >>> 3]!)
  }
}

/** Everything of the side was given to its handler, and it is plain what comes next. */
function isInStep(side: StreamSide): boolean {
  return side.isPlain && !side.hasEnded && !side.isBlocked && side.hasAcknowledged && side.homePath >= 0 &&
    side.isAcknowledged && distance(side.acknowledged, side.next) <= 0 && side.reach === 0 && !Number.isNaN(side.evidence.nextNumber)
}
