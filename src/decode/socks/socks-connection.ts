import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { End, Gap, Side, StreamControl, StreamHandler } from '../../connection/mod.ts'
import { Carry } from '../carry.ts'
import type { MessageSink } from '../message.ts'
import { SOCKS_ANOMALY } from './anomaly.ts'
import type { SocksAnomaly } from './anomaly.ts'
import { isClientTurn, step } from './socks-step.ts'
import type { SocksState } from './socks-step.ts'

/** What a client may send before it knows that it is connected. */
const HELD_BYTES_MAX = 65_536

export interface SocksOptions {
  readonly memory: ByteMemory
  readonly control: StreamControl
  readonly sink: MessageSink
  /** Takes both streams from behind the handshake. */
  readonly inner: StreamHandler
  readonly client: Side
}

/** A connection through a SOCKS proxy: takes the handshake off, and gives everything behind it on. */
export class SocksConnection implements StreamHandler {
  readonly #options: SocksOptions
  readonly #held: readonly [Carry, Carry]
  readonly #times: [number, number] = [-1, -1]
  #state: SocksState = 'start'

  constructor(options: SocksOptions) {
    this.#options = options
    this.#held = [new Carry(options.memory, HELD_BYTES_MAX), new Carry(options.memory, HELD_BYTES_MAX)]
  }

  data(side: Side, pointer: number, length: number, time: number): void {
    if (this.#state === 'open') return this.#options.inner.data(side, pointer, length, time)
    if (this.#isOver) return
    const held = this.#held[side]
    this.#times[side] = time
    if (!held.append(pointer, length)) return this.#giveUp(SOCKS_ANOMALY.heldTooLong, side, time)
    this.#run(side, time)
  }

  gap(side: Side, length: number, cause: Gap, time: number): void {
    if (this.#state === 'open') this.#options.inner.gap(side, length, cause, time)
    else if (!this.#isOver) this.#giveUp(SOCKS_ANOMALY.lost, side, time)
  }

  skipped(side: Side, time: number): void {
    this.#options.inner.skipped(side, time)
  }

  end(side: Side, cause: End, time: number): void {
    if (!this.#isOver && this.#state !== 'open') this.#held[side].clear()
    this.#options.inner.end(side, cause, time)
  }

  get #isOver(): boolean {
    return this.#state === 'refused' || this.#state === 'malformed'
  }

  /** Takes as many steps as the held bytes allow. */
  #run(side: Side, time: number): void {
    const { client, memory } = this.#options
    const server = client === 0 ? 1 : 0
    const taken: [number, number] = [0, 0]
    while (this.#state !== 'open' && !this.#isOver) {
      const turn = isClientTurn(this.#state) ? client : server
      const held = this.#held[turn]
      const from = held.pointer + taken[turn]
      const { size, next } = step(this.#state, memory.u8.subarray(from, held.pointer + held.length))
      if (size === 0 && next === this.#state) break
      taken[turn] += size
      this.#state = next
    }
    for (const each of [client, server] as const) this.#drop(each, taken[each])
    if (this.#isOver) this.#giveUp(this.#state === 'refused' ? SOCKS_ANOMALY.refused : SOCKS_ANOMALY.malformed, side, time)
  }

  /** Takes `length` bytes off the front of what is held; once the way is open, gives the rest on. */
  #drop(side: Side, length: number): void {
    const held = this.#held[side]
    const rest = held.length - length
    if (this.#state === 'open' && rest > 0) this.#options.inner.data(side, held.pointer + length, rest, this.#times[side])
    if (rest === 0 || this.#state === 'open') held.clear()
    else if (length > 0) held.dropFront(length)
  }

  #giveUp(anomaly: SocksAnomaly, side: Side, time: number): void {
    this.#state = this.#state === 'malformed' ? 'malformed' : 'refused'
    for (const held of this.#held) held.clear()
    this.#options.sink.anomaly(this.#options.control, side, anomaly, time)
    this.#options.control.ignore()
  }
}
