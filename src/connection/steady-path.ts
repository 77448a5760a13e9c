import { randomFillSync } from 'node:crypto'
import type { ByteMemory } from '../../lib/bytes/mod.ts'
import * as L from '../../wasm/layout.ts'
import {
  STEADY_INFO_DELIVERED, STEADY_INFO_EXCHANGE, STEADY_INFO_PACKETS, STEADY_INFO_TIME,
} from '../../wasm/steady-contract.ts'
import { CONNECTION_COUNT as COUNT } from './connection-counters.ts'
import type { ConnectionCounters } from './connection-counters.ts'
import type { Side, StreamHandler, Turns } from './stream.ts'

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

/** A connection, or a TLS session, as it can go to the steady path and back. */
export interface Steadfast {
  /** Its STEADY block while the steady path has it, 0 = it has not. */
  steady: number
  /** Exchanges that it is left on the plain path for. */
  patience: number
  /** How often in a row the steady path soon gave it back. */
  restless: number
  readonly block: number
  readonly client: Side | undefined
  readonly handler: StreamHandler | undefined
  /** Everything of both sides was given to the handler, and it is plain what comes next. */
  readonly isInStep: boolean
  /** Writes what its events are known by, and where its streams stand, into a STEADY block full of zeros. */
  lendTo(memory: ByteMemory, steady: number): void
  /** Takes back what stands there now. */
  takeFrom(memory: ByteMemory, steady: number): void
  /** Its stream of `side` stands `bytes` further on, or back. */
  move(side: Side, bytes: number): void
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
  orderOf({ steady }: Steadfast): number {
    return steady === 0 ? 0 : this.#memory.f64[(steady + L.STEADY_ORDER) >>> 3]!
  }

  /** Time of that packet. */
  timeOf({ steady }: Steadfast): number {
    return this.#memory.f64[(steady + L.STEADY_LAST_TIME) >>> 3]!
  }

  /** One on which nothing is pending: taken if both streams are in step and its handler lets the next exchanges go by. */
  lend(of: Steadfast): void {
    const { handler, client } = of
    if (this.#events.turn === undefined || this.#events.packet !== undefined) return
    if (handler?.rest === undefined || client === undefined || of.steady !== 0 || !of.isInStep) return
    const depth = handler.rest()
    if (depth < 0) return
    const { allocator } = this.#memory
    const block = allocator.alloc(L.STEADY_BYTES)
    const exchange = allocator.alloc(L.EXCHANGE_BYTES)
    if (block !== 0 && exchange !== 0) {
      this.#fill(of, client, block, exchange, depth)
      if (this.#exports.keepSteady(block) !== 0) {
        of.steady = block
        this.#size++
        return
      }
    }
    if (block !== 0) allocator.free(block, L.STEADY_BYTES)
    if (exchange !== 0) allocator.free(exchange, L.EXCHANGE_BYTES)
  }

  #fill(of: Steadfast, client: Side, block: number, exchange: number, depth: number): void {
    const { u8, u32, i32 } = this.#memory
    u8.fill(0, block, block + L.STEADY_BYTES)
    of.lendTo(this.#memory, block)
    u32[(block + L.STEADY_OWNER) >>> 2] = this.#owner
    u32[(block + L.STEADY_CONNECTION) >>> 2] = of.block
    u32[(block + L.STEADY_EXCHANGE) >>> 2] = exchange
    u8[block + L.STEADY_CLIENT] = client
    u32[(block + L.STEADY_DEPTH) >>> 2] = depth
    u8.fill(0, exchange, exchange + L.EXCHANGE_BYTES)
    u32[(exchange + L.EXCHANGE_CONNECTION) >>> 2] = of.block
    i32[(exchange + L.EXCHANGE_REQUEST_MESSAGES) >>> 2] = -1
    i32[(exchange + L.EXCHANGE_RESPONSE_MESSAGES) >>> 2] = -1
    if (u32[(block + L.STEADY_VERSION) >>> 2] === L.STEADY_SESSION) u8[exchange + L.EXCHANGE_TLS] = 1
  }

  /** Back to the plain path, as if all that went by had come there. Nothing, when it is there. */
  takeBack(of: Steadfast): void {
    const block = of.steady
    if (block === 0) return
    of.steady = 0
    this.#size--
    this.#exports.dropSteady(block)
    const { u8, u32, allocator } = this.#memory
    const turns = u32[(block + L.STEADY_TURNS) >>> 2]!
    of.restless = turns >= TURNS_WORTH ? 0 : Math.min(of.restless + 1, PATIENCE_MAX)
    of.patience = of.restless === 0 ? 0 : 2 ** of.restless
    of.takeFrom(this.#memory, block)
    const exchange = u32[(block + L.STEADY_EXCHANGE) >>> 2]!
    const client = u8[block + L.STEADY_CLIENT] as Side
    const isAsked = u8[block + L.STEADY_IS_ASKED] !== 0
    const requestLength = u32[(block + L.STEADY_REQUEST_LENGTH) >>> 2]!
    // Where the stream stood when the last turn was over.
    if (isAsked) of.move(client, -requestLength)
    if (turns > 0) of.handler!.passed!(this.#turns(block))
    if (isAsked) this.#ask(of, client, exchange, requestLength)
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

  /**
   * The request that waits for its response comes to the handler now, in one call as in one packet: a body that came later would
   * be skipped by who is told of it. Of the body the length is enough.
   */
  #ask(of: Steadfast, client: Side, exchange: number, length: number): void {
    const { u8, u32, f64 } = this.#memory
    const head = u32[(exchange + L.EXCHANGE_REQUEST) >>> 2]!
    const raw = head + L.HEAD_SPANS + u32[(head + L.HEAD_COUNT) >>> 2]! * L.SPAN_BYTES
    const headLength = u32[(head + L.HEAD_RAW_LENGTH) >>> 2]!
    u8.copyWithin(this.#request, raw, raw + headLength)
    u8.fill(0, this.#request + headLength, this.#request + length)
    of.move(client, length)
    of.handler!.data(client, this.#request, length, f64[(exchange + L.EXCHANGE_REQUEST_TIME) >>> 3]!)
  }
}
