import type { Side, StreamControl } from '../connection/mod.ts'
import type { Handshake, ProxyHeader } from './connection-facts.ts'
import type { Message, MessageSink, Settlement, Unanswered } from './message.ts'
import type { WebSocket } from './websocket/mod.ts'

/**
 * The sink of what another protocol has given on: that one says when the connection is over, and may have taken numbers already.
 * `Required`: what a sink learns to take must be given on here too.
 */
export class TunnelSink implements Required<MessageSink> {
  readonly #outer: MessageSink
  readonly exchangesBefore: number

  constructor(outer: MessageSink, exchangesBefore: number) {
    this.#outer = outer
    this.exchangesBefore = exchangesBefore
  }

  head(connection: StreamControl, message: Message): void {
    this.#outer.head(connection, message)
  }

  end(connection: StreamControl, message: Message): void {
    this.#outer.end(connection, message)
  }

  unanswered(connection: StreamControl, exchange: number, time: number, why?: Unanswered): void {
    this.#outer.unanswered?.(connection, exchange, time, why)
  }

  settled(connection: StreamControl, settlement: Settlement, time: number): void {
    this.#outer.settled?.(connection, settlement, time)
  }

  handshake(connection: StreamControl, handshake: Handshake): void {
    this.#outer.handshake?.(connection, handshake)
  }

  proxied(connection: StreamControl, header: ProxyHeader): void {
    this.#outer.proxied?.(connection, header)
  }

  anomaly(connection: StreamControl, side: Side, name: string, time: number): void {
    this.#outer.anomaly(connection, side, name, time)
  }

  webSocketOpened(connection: StreamControl, webSocket: WebSocket): void {
    this.#outer.webSocketOpened?.(connection, webSocket)
  }

  webSocketOver(connection: StreamControl, webSocket: WebSocket): void {
    this.#outer.webSocketOver?.(connection, webSocket)
  }

  isQuiet(connection: StreamControl): boolean {
    return this.#outer.isQuiet?.(connection) ?? false
  }

  rest(connection: StreamControl): number {
    return this.#outer.rest?.(connection) ?? -1
  }

  passed(connection: StreamControl, count: number): void {
    this.#outer.passed?.(connection, count)
  }

  close(): void {
    // Told by the connection around it.
  }
}
