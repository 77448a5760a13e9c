import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { End, Gap, Side, StreamControl, StreamHandler } from '../../connection/mod.ts'
import { Carry } from '../carry.ts'
import { MESSAGE, MESSAGE_END } from '../message.ts'
import type { MessageEnd, MessageSink } from '../message.ts'
import { OWN_ANOMALY } from './anomaly.ts'
import type { OwnAnomaly } from './anomaly.ts'
import type { Decoder, DecoderHandler, DecoderSide } from './contract.ts'
import type { FailureWatch } from './failure-watch.ts'
import { messageHead } from './message-head.ts'
import { Outstanding } from './outstanding.ts'
import { checkMessage, OwnMessage } from './own-message.ts'

/** Bytes of one side that a decoder may leave for later. */
const HELD_BYTES_MAX = 262_144

export interface OwnConnectionOptions {
  readonly memory: ByteMemory
  readonly control: StreamControl
  readonly sink: MessageSink
  readonly decoder: Decoder
  readonly watch: FailureWatch
  /** PROTOCOL_* (wasm/layout.ts). */
  readonly protocol: number
  readonly server: Side
}

/** A name, with the decoder's where it is to blame. */
type Told = OwnAnomaly | `${OwnAnomaly}:${string}`

/** What is kept of one side. */
interface SideState {
  held: Carry
  /** Time of the first byte held. */
  heldTime: number
  /** Its body goes by unseen. */
  open: OwnMessage | undefined
  readonly outstanding: Outstanding
  ended: boolean
}

/**
 * One connection read by a decoder of the user's own: gives it bytes, and pairs what it says by correlation. Whatever the decoder
 * does wrong ends the reading of this connection, and of no other.
 */
export class OwnConnection implements StreamHandler {
  readonly #options: OwnConnectionOptions
  readonly #sides: readonly [SideState, SideState]
  #handler: DecoderHandler | undefined
  /** Messages of the call under way; undefined = none is. */
  #given: OwnMessage[] | undefined
  #callSide: Side = 0
  #exchanges: number
  #isOver = false
  #now = -1

  constructor(options: OwnConnectionOptions) {
    this.#options = options
    const side = (): SideState =>
      ({ held: new Carry(options.memory, HELD_BYTES_MAX), heldTime: -1, open: undefined, outstanding: new Outstanding(), ended: false })
    this.#sides = [side(), side()]
    this.#exchanges = options.sink.exchangesBefore ?? 0
    const { decoder, control } = options
    const opened = this.#call(0, 0, () => decoder.open({ id: control.id, message: (message) => { this.#take(message) } }))
    if (opened === 'failed') return
    this.#deliver(undefined)
    const { result } = opened
    if (typeof result === 'object' && result !== null && typeof result.data === 'function') this.#handler = result
    else this.#broke('opened a connection without giving an object with "data"', 0)
  }

  data(side: Side, pointer: number, length: number, time: number): void {
    const state = this.#sides[side]
    const handler = this.#handler
    if (this.#isOver || handler === undefined) return
    if (this.#options.watch.isOff) return this.#giveUp(undefined, side, time)
    this.#now = time
    const isFirst = state.held.length === 0
    if (isFirst) state.heldTime = time
    else if (!state.held.append(pointer, length)) return this.#giveUp(OWN_ANOMALY.held, side, time)
    const at = isFirst ? pointer : state.held.pointer
    const known = isFirst ? length : state.held.length
    const bytes = this.#options.memory.u8.slice(at, at + known)
    const called = this.#call(side, time, () => handler.data(this.#nameOf(side), bytes), state)
    if (called === 'failed') return
    const used = called.result
    if (!Number.isSafeInteger(used) || used < 0) return this.#broke('gave no whole number of bytes from "data"', time)
    this.#deliver(used > known ? state : undefined)
    if (used > known) {
      state.held.clear()
      this.#options.control.skip(side, used - known)
    } else if (!this.#keep(state, at + used, known - used, isFirst, length, time)) {
      this.#giveUp(OWN_ANOMALY.held, side, time)
    }
  }

  gap(side: Side, length: number, _cause: Gap, time: number): void {
    const handler = this.#handler
    if (this.#isOver || handler === undefined) return
    this.#now = time
    this.#sides[side].held.clear()
    if (handler.gap === undefined) return this.#giveUp(OWN_ANOMALY.gap, side, time)
    if (this.#call(side, time, () => handler.gap!(this.#nameOf(side), length)) !== 'failed') this.#deliver(undefined)
  }

  skipped(side: Side, time: number): void {
    const state = this.#sides[side]
    const { open } = state
    state.open = undefined
    if (open !== undefined) this.#finish(open, MESSAGE_END.complete, time)
  }

  end(side: Side, cause: End, time: number): void {
    const state = this.#sides[side]
    if (state.ended) return
    state.ended = true
    this.#now = time
    state.held.clear()
    const { open } = state
    state.open = undefined
    if (open !== undefined) {
      open.cutBy = cause
      this.#finish(open, MESSAGE_END.cut, -1)
    }
    const handler = this.#handler
    if (!this.#isOver && handler?.end !== undefined) {
      if (this.#call(side, time, () => handler.end!(this.#nameOf(side))) !== 'failed') this.#deliver(undefined)
    }
    if (this.#sides[0].ended && this.#sides[1].ended) {
      this.#isOver = true
      this.#options.sink.close(this.#options.control, cause, time)
    }
  }

  #nameOf(side: Side): DecoderSide {
    return side === this.#options.server ? 'server' : 'client'
  }

  /** Calls the decoder; what it gives in the meantime is kept. When it fails, what it gave before stands. */
  #call<Result>(side: Side, time: number, run: () => Result, state?: SideState): { readonly result: Result } | 'failed' {
    const { watch, decoder } = this.#options
    this.#given = []
    this.#callSide = side
    const called = watch.call(run, () => { this.#tell(`${OWN_ANOMALY.slow}:${decoder.name}`, side, time) })
    const given = this.#given
    given.forEach((message, index) => {
      message.startTime = index === 0 && state !== undefined ? state.heldTime : time
      message.endTime = time
    })
    if (called !== 'failed') return called
    this.#deliver(undefined)
    this.#giveUp(`${OWN_ANOMALY.failed}:${decoder.name}`, side, time)
    return 'failed'
  }

  #take(message: unknown): void {
    const { memory, protocol } = this.#options
    if (this.#given === undefined || this.#isOver) return this.#tell(OWN_ANOMALY.late, this.#callSide, this.#now)
    checkMessage(message)
    this.#given.push(new OwnMessage(message, this.#callSide, messageHead(memory, message), protocol))
  }

  /** Gives on the messages of the call that is over; the last stays open when the rest of `state`'s side is to go by. */
  #deliver(state: SideState | undefined): void {
    const given = this.#given ?? []
    this.#given = undefined
    given.forEach((message, index) => {
      this.#begin(message)
      if (state !== undefined && index === given.length - 1) state.open = message
      else this.#finish(message, MESSAGE_END.complete, message.endTime)
    })
  }

  #begin(message: OwnMessage): void {
    const { sink, control } = this.#options
    const { side, correlation } = message
    const other = this.#sides[side === 0 ? 1 : 0]
    const isRequest = message.kind === MESSAGE.request
    const asked = isRequest || correlation === undefined ? undefined : other.outstanding.take(correlation)
    message.exchange = asked ?? ++this.#exchanges
    sink.head(control, message)
    if (!isRequest) return
    if (correlation === undefined) return sink.unanswered?.(control, message.exchange, message.startTime)
    const gone = this.#sides[side].outstanding.add(correlation, message.exchange)
    if (gone === undefined) return
    this.#tell(gone.isRepeated ? OWN_ANOMALY.repeated : OWN_ANOMALY.outstanding, side, message.startTime)
    sink.unanswered?.(control, gone.exchange, message.startTime)
  }

  #finish(message: OwnMessage, ended: MessageEnd, time: number): void {
    message.ended = ended
    message.endTime = time
    this.#options.sink.end(this.#options.control, message)
  }

  /** Bytes from `from` on are for later; false when they are too many. */
  #keep(state: SideState, from: number, length: number, isFirst: boolean, fresh: number, time: number): boolean {
    const before = state.held
    if (length === 0) {
      before.clear()
      return true
    }
    if (isFirst) return before.append(from, length)
    if (from === before.pointer) return true
    const rest = new Carry(this.#options.memory, HELD_BYTES_MAX)
    if (!rest.append(from, length)) return false
    before.clear()
    state.held = rest
    if (length <= fresh) state.heldTime = time
    return true
  }

  #broke(what: string, time: number): void {
    const { watch, decoder } = this.#options
    this.#deliver(undefined)
    watch.broke(what)
    this.#giveUp(`${OWN_ANOMALY.failed}:${decoder.name}`, this.#callSide, time)
  }

  #tell(name: Told, side: Side, time: number): void {
    this.#options.sink.anomaly(this.#options.control, side, name, time)
  }

  /** Nothing more of this connection is read. What waits for a response will not be known to have one. */
  #giveUp(anomaly: Told | undefined, side: Side, time: number): void {
    const { sink, control } = this.#options
    if (this.#isOver) return
    this.#isOver = true
    if (anomaly !== undefined) this.#tell(anomaly, side, time)
    for (const state of this.#sides) {
      state.held.clear()
      const { open } = state
      state.open = undefined
      if (open !== undefined) this.#finish(open, MESSAGE_END.lost, -1)
      for (const exchange of state.outstanding.takeAll()) sink.unanswered?.(control, exchange, time)
    }
    control.ignore()
  }
}
