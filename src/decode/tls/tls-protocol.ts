import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side, StreamControl, StreamHandler } from '../../connection/mod.ts'
import { DETECT } from '../decoder.ts'
import type { Detect, OpenInner, Protocol } from '../decoder.ts'
import type { MessageSink } from '../message.ts'
import { CertificateReader } from './certificate.ts'
import { MESSAGE_TYPE, RECORD } from './parameters.ts'
import { RECORD_BYTES_MAX } from './record-layer.ts'
import { mayBeSsl2Hello } from './ssl2-start.ts'
import { TlsConnection } from './tls-connection.ts'

/** A record's header and the type of its first message. */
const DETECT_BYTES = 6

/** SSL 3.0 to TLS 1.3 over TCP: their handshakes. */
export class TlsProtocol implements Protocol {
  readonly name = 'tls'
  readonly detectBytesMax = DETECT_BYTES
  readonly #memory: ByteMemory
  readonly #certificates = new CertificateReader()

  readonly #openInner: OpenInner | undefined

  /** @param openInner reads the answer of a server that does not speak TLS; undefined = nothing does */
  constructor(memory: ByteMemory, openInner?: OpenInner) {
    this.#memory = memory
    this.#openInner = openInner
  }

  /**
   * A hello of either side; an alert, as the answer of one that refuses; in a connection joined mid-way any record, as long as
   * its header is in all of its 5 bytes one of TLS.
   */
  detect(_side: Side, pointer: number, length: number, connection: StreamControl): Detect {
    const { u8 } = this.#memory
    const type = u8[pointer]!
    if ((type & 0x80) !== 0 && connection.fromStart) return this.#detectSsl2(pointer, length)
    if (type < RECORD.changeCipherSpec || type > RECORD.applicationData) return DETECT.no
    if (length > 1 && u8[pointer + 1] !== 3) return DETECT.no
    if (length > 2 && u8[pointer + 2]! > 4) return DETECT.no
    if (length > 4) {
      const size = u8[pointer + 3]! * 0x100 + u8[pointer + 4]!
      if (size === 0 || size > RECORD_BYTES_MAX) return DETECT.no
      if (type === RECORD.alert && size === 2) return DETECT.yes
      if (!connection.fromStart && type !== RECORD.handshake) return DETECT.yes
    }
    if (type !== RECORD.handshake && connection.fromStart && type !== RECORD.alert) return DETECT.no
    if (length < DETECT_BYTES) return DETECT.more
    const message = u8[pointer + 5]!
    if (type !== RECORD.handshake) return DETECT.no
    return message === MESSAGE_TYPE.clientHello || message === MESSAGE_TYPE.serverHello || !connection.fromStart ? DETECT.yes : DETECT.no
  }

  open(connection: StreamControl, sink: MessageSink): StreamHandler {
    return new TlsConnection({
      memory: this.#memory, control: connection, sink, certificates: this.#certificates, openOther: this.#openInner,
    })
  }

  #detectSsl2(pointer: number, length: number): Detect {
    if (length >= 5) return mayBeSsl2Hello(this.#memory.u8, pointer, length) ? DETECT.yes : DETECT.no
    return length < 3 || this.#memory.u8[pointer + 2] === 1 ? DETECT.more : DETECT.no
  }
}
