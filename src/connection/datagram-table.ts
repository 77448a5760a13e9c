import type { ByteMemory } from '../../lib/bytes/mod.ts'
import * as L from '../../wasm/layout.ts'
import { PACKET_EVENT as E } from '../capture/mod.ts'
import { fillBlock } from './connection-block.ts'
import { Segment } from './segment.ts'
import type { Side, StreamControl } from './stream.ts'

/** Flows that are remembered at once, and for how long after their last datagram. */
const FLOWS_MAX = 4096
const IDLE_NS_MAX = 5e9

/** Takes the datagrams of one flow, as captured. */
export interface DatagramHandler {
  /** It wants no more. */
  readonly isDone: boolean
  /** `bytes` is a view of shared memory, valid during the call. */
  datagram(side: Side, bytes: Uint8Array, time: number): void
  /** The flow is forgotten. Called once, done or not. */
  end(time: number): void
}

export interface DatagramEvents {
  /** Nobody needs the block any more: what hangs on it is to be given back now. */
  freeing(block: number): void
}

/** One flow of datagrams. It has no number: those are for connections of TCP. */
class Flow implements StreamControl {
  readonly id = 0
  readonly fromStart = true
  readonly handler: DatagramHandler
  block: number
  client: Side | undefined
  companion?: object | undefined
  lastTime = 0
  readonly #memory: ByteMemory

  constructor(memory: ByteMemory, block: number, open: (control: StreamControl) => DatagramHandler) {
    this.#memory = memory
    this.block = block
    this.handler = open(this)
  }

  setClient(side: Side): void {
    this.client = side
    this.#memory.u8[this.block + L.CONNECTION_CLIENT] = side
  }

  hasStart(): boolean { return true }
  position(): number { return 0 }
  acknowledgement(): number { return 0 }
  skip(): void { /* a datagram is given whole */ }
  ignore(): void { /* the handler says that it is done */ }
  retain(): void { /* records of a flow are written at once */ }
  release(): void { /* see retain */ }
}

/**
 * UDP datagrams by flow: two addresses and two ports, the direction by which of them sorts first, as for TCP.
 *
 * Bound: FLOWS_MAX flows; the one that was quiet longest goes first. A datagram that no memory is left for is not given on.
 */
export class DatagramTable {
  readonly #memory: ByteMemory
  readonly #open: (control: StreamControl) => DatagramHandler
  readonly #events: DatagramEvents
  /** By endpoints; the order is that of the last datagram. */
  readonly #flows = new Map<string, Flow>()
  readonly #segment = new Segment()
  #evicted = 0

  constructor(memory: ByteMemory, open: (control: StreamControl) => DatagramHandler, events: DatagramEvents) {
    this.#memory = memory
    this.#open = open
    this.#events = events
  }

  /** Flows given up for room, or not taken for want of memory. */
  get evicted(): number {
    return this.#evicted
  }

  /** Takes the UDP packet event at `event`, which has been found sound. */
  process(event: number): void {
    const segment = this.#segment
    segment.read(this.#memory, event)
    if (segment.captured === 0 || segment.skipped > 0) return
    const [key, side] = this.#place(event)
    let flow = this.#flows.get(key)
    if (flow === undefined) flow = this.#begin(side, segment)
    else this.#flows.delete(key)
    if (flow === undefined) return
    flow.lastTime = segment.time
    this.#flows.set(key, flow)
    if (flow.handler.isDone) return
    flow.handler.datagram(side, this.#memory.u8.subarray(segment.pointer, segment.pointer + segment.captured), segment.time)
    if (flow.handler.isDone) this.#free(flow)
  }

  /** Forgets what has been quiet too long at `time`, nanoseconds in the source's clock. */
  tick(time: number): void {
    for (const [key, flow] of this.#flows) {
      if (Math.abs(time - flow.lastTime) < IDLE_NS_MAX) break
      this.#remove(key, flow, time)
    }
  }

  close(time: number): void {
    for (const [key, flow] of this.#flows) this.#remove(key, flow, time)
  }

  #begin(side: Side, segment: Segment): Flow | undefined {
    if (this.#flows.size >= FLOWS_MAX) {
      this.#evicted++
      for (const [key, flow] of this.#flows) {
        this.#remove(key, flow, segment.time)
        break
      }
    }
    const block = this.#memory.allocator.alloc(L.CONNECTION_BYTES)
    if (block === 0) {
      this.#evicted++
      return undefined
    }
    fillBlock(this.#memory, block, 0, side, segment)
    return new Flow(this.#memory, block, this.#open)
  }

  #remove(key: string, flow: Flow, time: number): void {
    this.#flows.delete(key)
    flow.handler.end(time)
    this.#free(flow)
  }

  #free(flow: Flow): void {
    if (flow.block === 0) return
    this.#events.freeing(flow.block)
    this.#memory.allocator.free(flow.block, L.CONNECTION_BYTES)
    flow.block = 0
  }

  /** Key of the flow, and the side that sent it: 0 is the endpoint whose address, then port, sorts first. */
  #place(event: number): readonly [key: string, side: Side] {
    const { u8, u16 } = this.#memory
    const text = (address: number, port: number): string => {
      const value = u16[(event + port) >>> 1]!
      return String.fromCharCode(...u8.subarray(event + address, event + address + 16), value >> 8, value & 0xff)
    }
    const source = text(E.source_address, E.source_port)
    const destination = text(E.destination_address, E.destination_port)
    return source <= destination ? [source + destination, 0] : [destination + source, 1]
  }
}
