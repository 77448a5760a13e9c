import type { End, Gap, Side, StreamControl, StreamHandler } from '../../connection/mod.ts'
import type { WebSocket } from './web-socket.ts'

/** A rest of a frame shorter than this is awaited, a longer one skipped. */
const SKIP_BYTES_MIN = 2048

/** A WebSocket that has the connection for itself, as after a 101: long payloads are left out before they are copied. */
export class WebSocketTunnel implements StreamHandler {
  readonly #webSocket: WebSocket
  readonly #control: StreamControl
  /** Bytes asked to be skipped that have not all gone by. */
  readonly #skipping: [number, number] = [0, 0]

  constructor(webSocket: WebSocket, control: StreamControl) {
    this.#webSocket = webSocket
    this.#control = control
  }

  data(side: Side, pointer: number, length: number, time: number): void {
    this.#webSocket.data(side, pointer, length, time)
    const unneeded = this.#webSocket.frames(side).unneeded
    if (unneeded < SKIP_BYTES_MIN || this.#skipping[side] > 0) return
    this.#skipping[side] = unneeded
    this.#control.skip(side, unneeded)
  }

  gap(side: Side, length: number, _cause: Gap, time: number): void {
    this.#webSocket.gap(side, length, time)
  }

  skipped(side: Side, time: number): void {
    const length = this.#skipping[side]
    this.#skipping[side] = 0
    if (length > 0 && this.#webSocket.frames(side).unneeded >= length) this.#webSocket.pass(side, length, time)
  }

  end(side: Side, cause: End, time: number): void {
    this.#webSocket.end(side, cause, time)
  }
}
