import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side, StreamControl, StreamHandler } from '../../connection/mod.ts'
import { DETECT } from '../decoder.ts'
import type { Detect, OpenInner, Protocol } from '../decoder.ts'
import type { MessageSink } from '../message.ts'
import { SIGNATURE } from './header-binary.ts'
import { ProxyConnection } from './proxy-connection.ts'

const LINE_STARTS = ['PROXY TCP4 ', 'PROXY TCP6 ', 'PROXY UNKNOWN'].map((text) => Buffer.from(text))
const STARTS: readonly Uint8Array[] = [SIGNATURE, ...LINE_STARTS]

/** The PROXY protocol, versions 1 and 2 (haproxy's doc/proxy-protocol.txt), in front of any other. */
export class ProxyProtocol implements Protocol {
  readonly name = 'proxy'
  readonly detectBytesMax = Math.max(...STARTS.map((start) => start.length)) + 1
  readonly #memory: ByteMemory
  readonly #openInner: OpenInner
  /** Whose bytes were looked at last: who sends the header, when they are one. */
  #side: Side = 0

  constructor(memory: ByteMemory, openInner: OpenInner) {
    this.#memory = memory
    this.#openInner = openInner
  }

  /** A connection joined midway may begin with it all the same (its SYN was not captured): then a whole start is asked for. */
  detect(side: Side, pointer: number, length: number, connection: StreamControl): Detect {
    if (connection.client !== undefined && connection.client !== side) return DETECT.no
    this.#side = side
    const { u8 } = this.#memory
    let answer: Detect = DETECT.no
    for (const start of STARTS) {
      const known = Math.min(length, start.length)
      let index = 0
      while (index < known && u8[pointer + index] === start[index]) index++
      if (index < known) continue
      if (known === start.length) return DETECT.yes
      if (connection.fromStart) answer = DETECT.more
    }
    return answer
  }

  open(connection: StreamControl, sink: MessageSink): StreamHandler {
    const side = connection.client ?? this.#side
    if (connection.client === undefined) connection.setClient(side)
    return new ProxyConnection({ memory: this.#memory, control: connection, sink, side, inner: this.#openInner(connection, sink) })
  }
}
