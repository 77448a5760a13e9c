import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side, StreamControl, StreamHandler } from '../../connection/mod.ts'
import { DETECT } from '../decoder.ts'
import type { Detect, OpenInner, Protocol } from '../decoder.ts'
import type { MessageSink } from '../message.ts'
import { SocksConnection } from './socks-connection.ts'

const CONNECT = 1
const METHODS_MAX = 16
/** RFC 1928 3: assigned methods are few; the rest up to X'7F' is free. */
const METHOD_ASSIGNED_MAX = 9

/** SOCKS 4, 4A and 5, in front of any other protocol. */
export class SocksProtocol implements Protocol {
  readonly name = 'socks'
  readonly detectBytesMax = 2 + METHODS_MAX
  readonly #memory: ByteMemory
  readonly #openInner: OpenInner

  constructor(memory: ByteMemory, openInner: OpenInner) {
    this.#memory = memory
    this.#openInner = openInner
  }

  /** Its first bytes are few: nothing else may stand with them. */
  detect(side: Side, pointer: number, length: number, connection: StreamControl): Detect {
    if (!connection.fromStart || connection.client !== side) return DETECT.no
    const { u8 } = this.#memory
    const version = u8[pointer]
    if (version === 4) return this.#detect4(pointer, length)
    if (version !== 5) return DETECT.no
    if (length < 2) return DETECT.more
    const count = u8[pointer + 1]!
    if (count === 0 || count > METHODS_MAX || length > 2 + count) return DETECT.no
    for (let index = 2; index < length; index++) if (!isMethod(u8[pointer + index]!)) return DETECT.no
    if (length < 2 + count) return DETECT.more
    return DETECT.yes
  }

  open(connection: StreamControl, sink: MessageSink): StreamHandler {
    return new SocksConnection({
      memory: this.#memory, control: connection, sink, client: connection.client ?? 0,
      inner: this.#openInner(connection, sink),
    })
  }

  /** Version, command, a port, an address; the user id that follows is text and ends with NUL. */
  #detect4(pointer: number, length: number): Detect {
    const { u8 } = this.#memory
    if (length > 1 && u8[pointer + 1] !== CONNECT) return DETECT.no
    if (length > 3 && u8[pointer + 2] === 0 && u8[pointer + 3] === 0) return DETECT.no
    if (length < 9) return DETECT.more
    const first = u8[pointer + 8]!
    return first === 0 || (first >= 0x20 && first < 0x7f) ? DETECT.yes : DETECT.no
  }
}

function isMethod(byte: number): boolean {
  return byte <= METHOD_ASSIGNED_MAX || (byte >= 0x80 && byte < 0xff)
}
