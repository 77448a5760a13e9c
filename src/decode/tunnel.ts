import type { Side, StreamControl, StreamHandler } from '../connection/mod.ts'
import type { MessageSink } from './message.ts'

/** An HTTP/1 connection is about to speak something else: the response to CONNECT or to an upgrade has said so. */
export interface TunnelOpening {
  readonly control: StreamControl
  readonly sink: MessageSink
  /** Number of the exchange that opens it; the head of its response is told to the sink right after. */
  readonly exchange: number
  /** Side that asked for it. */
  readonly client: Side
  readonly status: number
  /** HEAD block of the response, valid during the call; 0 when the memory limit refused it. */
  readonly response: number
  /** First byte of the response, nanoseconds in the source's clock. */
  readonly time: number
}

/** Makes the handler of both sides' bytes from there on; undefined = nothing reads them. */
export type OpenTunnel = (opening: TunnelOpening) => StreamHandler | undefined
