import type { Side, StreamControl, StreamHandler } from '../connection/mod.ts'
import type { MessageSink } from './message.ts'

/** What a protocol says of the first bytes of a stream. */
export const DETECT = { yes: 'yes', no: 'no', more: 'more' } as const
export type Detect = (typeof DETECT)[keyof typeof DETECT]

/** Opens the handler of what lies inside another protocol: it finds out what that is, as at the start of a connection. */
export type OpenInner = (connection: StreamControl, sink: MessageSink) => StreamHandler

/**
 * One protocol: a folder and a line in registry.ts.
 *
 * `detect` looks at bytes and keeps nothing. `open` makes the handler of one connection; it takes over from the first
 * byte that `detect` saw.
 */
export interface Protocol {
  /** OpenTelemetry `network.protocol.name`. */
  readonly name: string
  /** Bytes that `detect` needs at most to decide. */
  readonly detectBytesMax: number
  detect(side: Side, pointer: number, length: number, connection: StreamControl): Detect
  open(connection: StreamControl, sink: MessageSink): StreamHandler
}
