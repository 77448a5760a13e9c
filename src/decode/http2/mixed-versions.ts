import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { GAP } from '../../connection/mod.ts'
import type { End, Gap, Side, StreamControl, StreamHandler } from '../../connection/mod.ts'
import { Carry } from '../carry.ts'
import type { OpenInner } from '../decoder.ts'
import type { MessageSink } from '../message.ts'
import { TunnelSink } from '../tunnel-sink.ts'
import { HTTP2_ANOMALY } from './anomaly.ts'
import { PREFACE } from './frame.ts'

/** As a frame's length it would say 4.7 MB. */
const STATUS_LINE = Buffer.from('HTTP/1.', 'latin1')
/** Numbers of exchanges that no stream of the same connection has. */
const OTHER_NUMBERS = 2 ** 40

/** First bytes of a side, held while they may still be the ones expected. */
class FirstBytes {
  readonly #memory: ByteMemory
  readonly #expected: Uint8Array
  readonly held: Carry

  constructor(memory: ByteMemory, expected: Uint8Array) {
    this.#memory = memory
    this.#expected = expected
    this.held = new Carry(memory, expected.length)
  }

  /** `more`: the bytes are held. Else they are not, and say with those held what the side begins with. */
  take(pointer: number, length: number): 'more' | 'expected' | 'other' {
    const { u8 } = this.#memory
    const { held } = this
    const part = Math.min(length, held.room)
    for (let at = 0; at < part; at++) if (u8[pointer + at] !== this.#expected[held.length + at]) return 'other'
    if (part === held.room) return 'expected'
    return held.append(pointer, length) ? 'more' : 'other'
  }
}

/**
 * A connection on which one side was seen to speak HTTP/2: the other may not. A client of HTTP/1 is read although the server's
 * SETTINGS came first (RFC 9113 3.4), and so is the answer of a server of HTTP/1 to the preface.
 *
 * Holds the first bytes of a side that came in parts.
 */
export class MixedVersions implements StreamHandler {
  readonly #control: StreamControl
  readonly #sink: MessageSink
  readonly #openOther: OpenInner
  readonly #client: Side
  readonly #http2: StreamHandler
  readonly #first: [FirstBytes | undefined, FirstBytes | undefined]
  readonly #readers: [StreamHandler, StreamHandler]
  #other: StreamHandler | undefined

  constructor(http2: StreamHandler, memory: ByteMemory, control: StreamControl, sink: MessageSink, client: Side, openOther: OpenInner) {
    this.#http2 = http2
    this.#control = control
    this.#sink = sink
    this.#client = client
    this.#openOther = openOther
    this.#readers = [http2, http2]
    const make = (side: Side): FirstBytes => new FirstBytes(memory, side === client ? PREFACE : STATUS_LINE)
    this.#first = [make(0), make(1)]
  }

  data(side: Side, pointer: number, length: number, time: number): void {
    const first = this.#first[side]
    if (first !== undefined) {
      const verdict = first.take(pointer, length)
      if (verdict === 'more') return
      const isOther = (verdict === 'other') === (side === this.#client)
      // Whoever speaks second; where both do not speak HTTP/2 it was none.
      if (isOther && this.#other === undefined) this.#giveOver(side, time)
      this.#settle(side, time)
    }
    this.#readers[side].data(side, pointer, length, time)
  }

  gap(side: Side, length: number, cause: Gap, time: number): void {
    this.#settle(side, time)
    this.#readers[side].gap(side, length, cause, time)
  }

  skipped(side: Side, time: number): void {
    this.#readers[side].skipped(side, time)
  }

  end(side: Side, cause: End, time: number): void {
    this.#settle(side, time)
    this.#other?.end(side, cause, time)
    // The one that tells of the connection's end.
    this.#http2.end(side, cause, time)
  }

  /** The first bytes of the side are judged: gives on what is held of them. */
  #settle(side: Side, time: number): void {
    const held = this.#first[side]?.held
    this.#first[side] = undefined
    if (held === undefined || held.length === 0) return
    this.#readers[side].data(side, held.pointer, held.length, time)
    held.clear()
  }

  #giveOver(side: Side, time: number): void {
    const isClient = side === this.#client
    this.#sink.anomaly(this.#control, side, isClient ? HTTP2_ANOMALY.preface : HTTP2_ANOMALY.otherAnswer, time)
    const other = this.#openOther(this.#control, new TunnelSink(this.#sink, isClient ? 0 : OTHER_NUMBERS))
    this.#other = other
    this.#readers[side] = other
    // A server that began in HTTP/2 may go on in HTTP/1, once it knows its client.
    if (isClient) this.#readers[side === 0 ? 1 : 0] = other
    other.gap(side === 0 ? 1 : 0, 0, GAP.lost, time)
  }
}
