import type { Http2Message } from './http2-message.ts'

/** One stream that is not over. */
export class Http2Stream {
  readonly id: number
  readonly exchange: number
  request: Http2Message | undefined = undefined
  response: Http2Message | undefined = undefined
  requestOver = false
  responseOver = false
  /** The response, when it is not known yet whether it is one of 1xx: its status is not known. */
  held: Http2Message | undefined = undefined
  /** Bytes of the server went missing since it was opened: its response may be among them. */
  mayBeAnswered = false

  constructor(id: number, exchange: number) {
    this.id = id
    this.exchange = exchange
  }

  get isOver(): boolean {
    return this.requestOver && this.responseOver
  }
}
