import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { HEADER_SEC_WEBSOCKET_EXTENSIONS, HEADER_SEC_WEBSOCKET_PROTOCOL } from '../../../wasm/header-ids.ts'
import type { End, Side, StreamControl } from '../../connection/mod.ts'
import { headValue } from '../head-value.ts'
import type { MessageSink } from '../message.ts'
import { WebSocketFrames } from './web-socket-frames.ts'

export interface WebSocketOptions {
  readonly memory: ByteMemory
  readonly control: StreamControl
  readonly sink: MessageSink
  /** Number of the exchange that opened it. */
  readonly exchange: number
  /** Side of the client. */
  readonly client: Side
  /** HEAD block of the response that opened it; read by the constructor only. 0 = none. */
  readonly response: number
  /** Nanoseconds in the source's clock. */
  readonly startTime: number
}

/**
 * One WebSocket (RFC 6455), whatever carries it: its two directions, and its end, which the sink is told once. The caller brings
 * the bytes: the connection's own after a 101, the DATA of one stream after an extended CONNECT (RFC 8441).
 *
 * It is over when both sides have sent a close frame, or when both have ended.
 */
export class WebSocket {
  readonly exchange: number
  readonly client: Side
  /** Subprotocol that the server chose, raw; undefined = none. */
  readonly subprotocol: string | undefined
  /** Extensions that the server agreed to, raw. */
  readonly extensions: string | undefined
  readonly startTime: number
  /** Time of the last byte; -1 = none came. */
  lastTime = -1
  /** Nth exchange of its connection: set by the sink when it is told of the beginning. 0 = not known. */
  depth = 0
  /** Side whose close frame came first. */
  closedBy: Side | undefined
  /** How it ended without the close frames of both sides; undefined while it is open, or after these. */
  cause: End | undefined
  readonly #options: WebSocketOptions
  readonly #frames: readonly [WebSocketFrames, WebSocketFrames]
  readonly #ended: [boolean, boolean] = [false, false]
  #isOver = false

  constructor(options: WebSocketOptions) {
    const { memory, control, sink, client, response } = options
    this.#options = options
    this.exchange = options.exchange
    this.client = client
    this.startTime = options.startTime
    this.subprotocol = headValue(memory, response, HEADER_SEC_WEBSOCKET_PROTOCOL)
    this.extensions = headValue(memory, response, HEADER_SEC_WEBSOCKET_EXTENSIONS)
    const mayCompress = /\bpermessage-deflate\b/i.test(this.extensions ?? '')
    const open = (side: Side): WebSocketFrames => new WebSocketFrames({
      u8: memory.u8,
      isClient: side === client,
      mayCompress,
      anomaly: (name) => { sink.anomaly(control, side, name, Math.max(this.lastTime, this.startTime)) },
    })
    this.#frames = [open(0), open(1)]
  }

  /** What a side has sent. */
  frames(side: Side): WebSocketFrames {
    return this.#frames[side]
  }

  get isOver(): boolean {
    return this.#isOver
  }

  data(side: Side, pointer: number, length: number, time: number): void {
    if (this.#isOver) return
    this.lastTime = time
    this.#frames[side].take(pointer, pointer + length)
    this.#lookForClose(side, time)
  }

  /** `length` payload bytes went by unseen: at most `frames(side).unneeded`. */
  pass(side: Side, length: number, time: number): void {
    if (this.#isOver) return
    this.lastTime = time
    this.#frames[side].pass(length)
  }

  /** `length` bytes are missing, 0 = an unknown number. */
  gap(side: Side, length: number, time: number): void {
    if (this.#isOver) return
    this.lastTime = time
    this.#frames[side].lose(length)
  }

  /** Nothing more comes on this side. */
  end(side: Side, cause: End, time: number): void {
    if (this.#ended[side]) return
    this.#ended[side] = true
    if (this.#ended[0] && this.#ended[1]) this.#over(cause, time)
  }

  #lookForClose(side: Side, time: number): void {
    if (!this.#frames[side].isClosed) return
    this.closedBy ??= side
    if (this.#frames[0].isClosed && this.#frames[1].isClosed) this.#over(undefined, time)
  }

  #over(cause: End | undefined, time: number): void {
    if (this.#isOver) return
    this.#isOver = true
    this.cause = cause
    // Silence is not part of its life: only what ends it, or its last byte.
    if (cause === undefined || cause === 'fin' || cause === 'reset' || this.lastTime < 0) this.lastTime = time
    this.#options.sink.webSocketOver?.(this.#options.control, this)
  }
}
