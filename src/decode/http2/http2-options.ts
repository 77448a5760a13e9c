import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { StreamControl } from '../../connection/mod.ts'
import type { HeadScanner } from '../http1/mod.ts'
import type { BodyFields } from '../body/mod.ts'
import type { MessageSink } from '../message.ts'
import type { FrameSearch } from './frame-search.ts'
import type { HpackDecoder } from './hpack-decoder.ts'

/** What an HTTP/2 connection is made from. */
export interface Http2Options {
  readonly memory: ByteMemory
  readonly decoder: HpackDecoder
  readonly search: FrameSearch
  readonly scanner: HeadScanner
  readonly control: StreamControl
  readonly sink: MessageSink
  /** Whose bodies are read; undefined = nobody's. */
  readonly bodies?: BodyFields | undefined
  /** The connection was upgraded from HTTP/1.1: number of the exchange whose request stream 1 answers. */
  readonly upgraded?: number
}
