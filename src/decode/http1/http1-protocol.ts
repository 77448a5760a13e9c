import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { SCAN_SIMPLE } from '../../../wasm/head-contract.ts'
import { HEAD_KIND_REQUEST, HEAD_KIND_RESPONSE } from '../../../wasm/layout.ts'
import type { Side, StreamControl, StreamHandler } from '../../connection/mod.ts'
import type { BodyFields } from '../body/mod.ts'
import { DETECT } from '../decoder.ts'
import type { Detect, OpenInner, Protocol } from '../decoder.ts'
import type { MessageSink } from '../message.ts'
import { TunnelSink } from '../tunnel-sink.ts'
import type { OpenTunnel, TunnelOpening } from '../tunnel.ts'
import { openWebSocket } from '../websocket/mod.ts'
import { HeadScanner } from './head-scanner.ts'
import { Http1Connection } from './http1-connection.ts'
import { behindEmptyLines, isMessageStart } from './message-start.ts'
import { Http1Dormitory } from './sleeping-http1.ts'

const SWITCHING_PROTOCOLS = 101

/** HTTP/0.9, 1.0 and 1.1. */
export class Http1Protocol implements Protocol {
  readonly name = 'http'
  readonly detectBytesMax = 512
  readonly #memory: ByteMemory
  readonly #scanner: HeadScanner
  readonly #openInner: OpenInner | undefined
  readonly #upgrade: OpenTunnel | undefined
  readonly #bodies: BodyFields | undefined
  readonly #dormitory: Http1Dormitory

  /**
   * @param openInner reads what lies in a tunnel made by CONNECT; undefined = nothing does
   * @param upgrade is asked first what a connection becomes behind 101; a WebSocket is one in any case
   * @param bodies whose bodies are read; undefined = nobody's
   */
  constructor(memory: ByteMemory, openInner?: OpenInner, upgrade?: OpenTunnel, bodies?: BodyFields) {
    this.#bodies = bodies
    this.#memory = memory
    this.#openInner = openInner
    this.#scanner = new HeadScanner(memory)
    this.#upgrade = upgrade
    this.#dormitory = new Http1Dormitory((control, sink) => this.#make(control, sink))
  }

  /** Connections that sleep, for tests. */
  get sleeping(): number {
    return this.#dormitory.size
  }

  detect(_side: Side, pointer: number, length: number, connection: StreamControl): Detect {
    const end = pointer + length
    const at = behindEmptyLines(this.#memory.u8, pointer, end)
    if (at === end) return DETECT.more
    const { scanStart } = this.#scanner.exports
    const simple = connection.fromStart ? SCAN_SIMPLE : 0
    const request = scanStart(at, end - at, HEAD_KIND_REQUEST | simple)
    const response = scanStart(at, end - at, HEAD_KIND_RESPONSE)
    if (request > 0 || response > 0) return DETECT.yes
    if (request < 0 && response < 0) return DETECT.no
    if (length < this.detectBytesMax) return DETECT.more
    const kind = response === 0 ? HEAD_KIND_RESPONSE : HEAD_KIND_REQUEST
    return isMessageStart(this.#scanner, at, end - at, kind, connection.fromStart) ? DETECT.yes : DETECT.no
  }

  open(connection: StreamControl, sink: MessageSink): Http1Connection {
    return this.#dormitory.open(connection, sink)
  }

  #make(control: StreamControl, sink: MessageSink): Http1Connection {
    return new Http1Connection({
      memory: this.#memory,
      scanner: this.#scanner,
      control,
      sink,
      tunnel: this.#tunnel,
      bodies: this.#bodies,
      dormitory: this.#dormitory,
    })
  }

  readonly #tunnel = (opening: TunnelOpening): StreamHandler | undefined => {
    const { status, control, sink, exchange } = opening
    if (status === SWITCHING_PROTOCOLS) return this.#upgrade?.(opening) ?? openWebSocket(this.#memory, opening)
    return this.#openInner?.(control, new TunnelSink(sink, exchange))
  }
}
