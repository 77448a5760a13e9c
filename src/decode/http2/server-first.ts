import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { GAP } from '../../connection/mod.ts'
import type { End, Gap, Side, StreamControl, StreamHandler } from '../../connection/mod.ts'
import { Carry } from '../carry.ts'
import type { OpenInner } from '../decoder.ts'
import type { MessageSink } from '../message.ts'
import { TunnelSink } from '../tunnel-sink.ts'
import { HTTP2_ANOMALY } from './anomaly.ts'
import { PREFACE } from './frame.ts'

/**
 * A connection that was told by its server's SETTINGS, which came before the client's first byte (RFC 9113 3.4): a client that
 * then sends no preface speaks something else, and its requests are read.
 *
 * Holds what of the preface came in parts.
 */
export class ServerFirst implements StreamHandler {
  readonly #memory: ByteMemory
  readonly #control: StreamControl
  readonly #sink: MessageSink
  readonly #openOther: OpenInner
  readonly #client: Side
  readonly #http2: StreamHandler
  readonly #preface: Carry
  #isDecided = false
  #other: StreamHandler | undefined

  /** @param client side that has not spoken yet */
  constructor(http2: StreamHandler, memory: ByteMemory, control: StreamControl, sink: MessageSink, client: Side, openOther: OpenInner) {
    this.#http2 = http2
    this.#memory = memory
    this.#control = control
    this.#sink = sink
    this.#client = client
    this.#openOther = openOther
    this.#preface = new Carry(memory, PREFACE.length)
  }

  data(side: Side, pointer: number, length: number, time: number): void {
    if (!this.#isDecided && side === this.#client) return this.#decide(pointer, length, time)
    this.#reader.data(side, pointer, length, time)
  }

  gap(side: Side, length: number, cause: Gap, time: number): void {
    if (side === this.#client) this.#settle(time)
    this.#reader.gap(side, length, cause, time)
  }

  skipped(side: Side, time: number): void {
    this.#reader.skipped(side, time)
  }

  end(side: Side, cause: End, time: number): void {
    if (side === this.#client) this.#settle(time)
    this.#other?.end(side, cause, time)
    // The one that tells of the connection's end.
    this.#http2.end(side, cause, time)
  }

  get #reader(): StreamHandler {
    return this.#other ?? this.#http2
  }

  #decide(pointer: number, length: number, time: number): void {
    const held = this.#preface
    const part = Math.min(length, held.room)
    const { u8 } = this.#memory
    let same = 0
    while (same < part && u8[pointer + same] === PREFACE[held.length + same]) same++
    if (same === length && same < held.room && held.append(pointer, length)) return
    if (same < part) this.#giveOver(time)
    this.#settle(time)
    this.#reader.data(this.#client, pointer, length, time)
  }

  /** Gives on what is held. */
  #settle(time: number): void {
    this.#isDecided = true
    const held = this.#preface
    if (held.length > 0) this.#reader.data(this.#client, held.pointer, held.length, time)
    held.clear()
  }

  #giveOver(time: number): void {
    const server: Side = this.#client === 0 ? 1 : 0
    this.#sink.anomaly(this.#control, this.#client, HTTP2_ANOMALY.preface, time)
    this.#other = this.#openOther(this.#control, new TunnelSink(this.#sink, 0))
    this.#other.gap(server, 0, GAP.lost, time)
  }
}
