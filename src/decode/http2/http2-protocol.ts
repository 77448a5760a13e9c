import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { HEADER_UPGRADE } from '../../../wasm/header-ids.ts'
import type { Side, StreamControl, StreamHandler } from '../../connection/mod.ts'
import type { BodyFields } from '../body/mod.ts'
import { DETECT } from '../decoder.ts'
import type { Detect, OpenInner, Protocol } from '../decoder.ts'
import { headValue } from '../head-value.ts'
import { HeadScanner } from '../http1/mod.ts'
import type { MessageSink } from '../message.ts'
import type { TunnelOpening } from '../tunnel.ts'
import { EVIDENCE_CERTAIN, FrameSearch } from './frame-search.ts'
import { FRAME, FRAME_HEADER_BYTES, PREFACE, SETTING_BYTES, uint24, uint32 } from './frame.ts'
import { HpackDecoder } from './hpack-decoder.ts'
import { Http2Connection } from './http2-connection.ts'
import { MixedVersions } from './mixed-versions.ts'

/** A server's first SETTINGS frame has some ten settings at most. */
const FIRST_SETTINGS_MAX = 64 * SETTING_BYTES

/** HTTP/2: by prior knowledge, behind an upgrade, and as plaintext of TLS. */
export class Http2Protocol implements Protocol {
  readonly name = 'http2'
  readonly detectBytesMax = PREFACE.length
  readonly #memory: ByteMemory
  readonly #decoder: HpackDecoder
  readonly #search: FrameSearch
  readonly #scanner: HeadScanner
  readonly #openOther: OpenInner | undefined
  readonly #bodies: BodyFields | undefined

  /**
   * @param openOther reads the side that does not speak HTTP/2 where the other does; undefined = nothing does
   * @param bodies whose bodies are read; undefined = nobody's
   */
  constructor(memory: ByteMemory, openOther?: OpenInner, bodies?: BodyFields) {
    this.#openOther = openOther
    this.#bodies = bodies
    this.#memory = memory
    this.#decoder = new HpackDecoder(memory)
    this.#search = new FrameSearch(this.#decoder)
    this.#scanner = new HeadScanner(memory)
  }

  /**
   * The client's preface; the SETTINGS frame that a server may send before it (RFC 9113 3.4); in a connection joined mid-way a
   * run of frames that is certain.
   */
  detect(side: Side, pointer: number, length: number, connection: StreamControl): Detect {
    const u8 = this.#memory.u8
    const known = Math.min(length, PREFACE.length)
    let same = 0
    while (same < known && u8[pointer + same] === PREFACE[same]) same++
    if (same === known) return known === PREFACE.length ? DETECT.yes : DETECT.more
    if (!connection.fromStart) {
      return this.#search.evidence(pointer, pointer + length) >= EVIDENCE_CERTAIN ? DETECT.yes : DETECT.no
    }
    if (side === connection.client) return DETECT.no
    return isFirstSettings(u8, pointer, length)
  }

  open(connection: StreamControl, sink: MessageSink): StreamHandler {
    const http2 = this.#connection(connection, sink)
    const { client, fromStart } = connection
    if (this.#openOther === undefined || !fromStart || client === undefined) return http2
    return new MixedVersions(http2, this.#memory, connection, sink, client, this.#openOther)
  }

  /** Takes a connection over behind the 101 of HTTP/1.1 to an upgrade (RFC 7540 3.2); undefined = it speaks something else. */
  upgrade({ control, sink, status, response, exchange }: TunnelOpening): StreamHandler | undefined {
    if (status !== 101 || headValue(this.#memory, response, HEADER_UPGRADE)?.toLowerCase() !== 'h2c') return undefined
    return this.#connection(control, sink, exchange)
  }

  #connection(control: StreamControl, sink: MessageSink, upgraded?: number): Http2Connection {
    return new Http2Connection({
      memory: this.#memory, decoder: this.#decoder, search: this.#search, scanner: this.#scanner, control, sink, bodies: this.#bodies,
      ...(upgraded === undefined ? {} : { upgraded }),
    })
  }
}

function isFirstSettings(u8: Uint8Array, pointer: number, length: number): Detect {
  if (length < FRAME_HEADER_BYTES) {
    if (u8[pointer] !== 0 || (length > 3 && u8[pointer + 3] !== FRAME.settings)) return DETECT.no
    return DETECT.more
  }
  const bytes = uint24(u8, pointer)
  const isSettings = u8[pointer + 3] === FRAME.settings && u8[pointer + 4] === 0 && uint32(u8, pointer + 5) === 0
  return isSettings && bytes % SETTING_BYTES === 0 && bytes <= FIRST_SETTINGS_MAX ? DETECT.yes : DETECT.no
}
