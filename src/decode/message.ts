import type { End, Side, StreamControl } from '../connection/mod.ts'
import type { BodyFindings } from './body/mod.ts'
import type { WebSocket } from './websocket/mod.ts'
import type { Handshake, ProxyHeader } from './connection-facts.ts'

/** What a decoder yields. */
export const MESSAGE = { request: 1, response: 2, interim: 3 } as const
export type MessageKind = (typeof MESSAGE)[keyof typeof MESSAGE]

/** How a message ended. */
export const MESSAGE_END = {
  /** Its framing says that it is whole. */
  complete: 'complete',
  /** The connection, or its stream, was over for the capture inside it (see `cutBy`). */
  cut: 'cut',
  /** Bytes are missing inside it, so its end is not known. */
  lost: 'lost',
  /** It breaks the protocol's grammar: what came before stands, what follows cannot be read. */
  malformed: 'malformed',
  /** Its head has no end within its bound: what of it is whole stands. */
  overBound: 'over bound',
  /** The connection speaks another protocol from here on (CONNECT, 101). */
  tunnel: 'tunnel',
  /** One side reset its stream (see `resetCode`). */
  reset: 'reset',
} as const
export type MessageEnd = (typeof MESSAGE_END)[keyof typeof MESSAGE_END]

/**
 * What becomes of the pairs that were held: they are right; they are likely, and nothing more will be learnt; or it cannot be
 * told which response answers which request.
 */
export type Settlement = 'proven' | 'likely' | 'apart'

/** One message. Its head and trailer are blocks of shared memory (wasm/layout.ts) that belong to the sink from `head` on. */
export interface Message {
  readonly kind: MessageKind
  readonly side: Side
  /**
   * Number of its exchange on the connection: a request and its responses share it, nothing else does. A response that
   * is held, or cannot be told to answer a known request, gets a number of its own.
   */
  readonly exchange: number
  /** Of a response: the number of the request that it answers unless `MessageSink.settled` says 'apart' later; 0 = none. */
  readonly likely?: number
  /** Of a response: that it answers the request of its number is likely, not proven. */
  readonly isLikely?: boolean
  /** Head block; 0 when the memory limit refused it. */
  readonly head: number
  /** Trailer block, set by the time of `end`; 0 = none. */
  readonly trailer: number
  /** PROTOCOL_* (wasm/layout.ts) where it is not HTTP. */
  readonly protocol?: number
  /** First byte, nanoseconds in the source's clock. */
  readonly startTime: number
  /** Last byte; set by the time of `end`; -1 = not known. */
  readonly endTime: number
  /** Body bytes with the transfer coding taken off, as far as seen; -1 = not known. Set by the time of `end`. */
  readonly bodyBytes: number
  /** ODDITY_* bits of head, framing and trailer. */
  readonly oddities: number
  /** Set by the time of `end`. */
  readonly ended: MessageEnd | undefined
  /** HTTP/2 stream that carries it. */
  readonly stream?: number
  /** What ended it, when it ended as `cut`. */
  readonly cutBy?: CutBy | undefined
  /** Error code of the reset that ended it (RFC 9113 7). */
  readonly resetCode?: number | undefined
  /** A response that the server sent before it heard that the client had reset its request, whose exchange is told already. */
  readonly crossesReset?: boolean
  /** gRPC messages in its body, -1 = not known; undefined = it is no gRPC. Set by the time of `end`. */
  readonly messages?: number | undefined
  /** What its body was read for, where that was asked for. Set by the time of `end`. */
  readonly findings?: BodyFindings | undefined
}

/** What cuts a message short: the end of its connection, the server's GOAWAY, or a bound on streams. */
export type CutBy = End | 'goaway' | 'streams'

/** Why no response will come, as far as the decoder knows: an error code of a reset (RFC 9113 7), or a word. */
export type Unanswered = number | 'goaway' | 'streams'

/** Takes messages in the order in which they begin on each side. */
export interface MessageSink {
  /** Numbers of exchanges that the connection has given already; those of a decoder begin behind them. Undefined = none. */
  readonly exchangesBefore?: number
  /** The head is whole. */
  head(connection: StreamControl, message: Message): void
  /** The message is over: called once for each `head`. */
  end(connection: StreamControl, message: Message): void
  /**
   * No response will carry this number: the request's response was lost, or cannot be told from others. Called after the
   * request's `head`, at most once; its `end` may still be to come. `why` where that is known.
   */
  unanswered?(connection: StreamControl, exchange: number, time: number, why?: Unanswered): void
  /** What a handshake told in the open, as soon as it tells no more. */
  handshake?(connection: StreamControl, handshake: Handshake): void
  /** The connection began with a PROXY header; comes before any message. */
  proxied?(connection: StreamControl, header: ProxyHeader): void
  /**
   * Every response so far that has a `likely` request answers it for certain ('proven') or as it seems ('likely'), or that
   * cannot be told ('apart'): each such request is unanswered then. What is still held when the connection closes is likely. A
   * sink that gave pairs on as likely before is told nevertheless.
   */
  settled?(connection: StreamControl, settlement: Settlement, time: number): void
  /**
   * Bytes that are no message: named, counted by the sink. `name` is one of the decoder's closed set.
   */
  anomaly(connection: StreamControl, side: Side, name: string, time: number): void
  /** The response of its exchange, whose head comes next, opens a WebSocket. Its `depth` is set here. */
  webSocketOpened?(connection: StreamControl, webSocket: WebSocket): void
  /** A WebSocket is over: called once for each `webSocketOpened`. */
  webSocketOver?(connection: StreamControl, webSocket: WebSocket): void
  /** Nothing of the connection is pending: its handler may sleep. Without it: never. */
  isQuiet?(connection: StreamControl): boolean
  /**
   * Exchanges of a connection so far, when it has nothing pending and those of the next whole turns may be made without it; else -1.
   * Without it: never.
   */
  rest?(connection: StreamControl): number
  /** `count` exchanges were made without it. */
  passed?(connection: StreamControl, count: number): void
  /** Nothing more comes of this connection; every message has ended. */
  close(connection: StreamControl, cause: End, time: number): void
}
