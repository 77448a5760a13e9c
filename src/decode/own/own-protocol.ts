import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { CONNECTION_PORT, PROTOCOL_OWN } from '../../../wasm/layout.ts'
import type { Side, StreamControl, StreamHandler } from '../../connection/mod.ts'
import { DETECT } from '../decoder.ts'
import type { Detect, Protocol } from '../decoder.ts'
import type { MessageSink } from '../message.ts'
import { OWN_ANOMALY } from './anomaly.ts'
import { FailureWatch } from './failure-watch.ts'
import type { FailureReport } from './failure-watch.ts'
import type { LoadedDecoder } from './load-decoder.ts'
import { OwnConnection } from './own-connection.ts'

const DETECT_BYTES = 64

/** A decoder of the user's own as one of the protocols that are asked: on its ports, from a connection's first byte on. */
export class OwnProtocol implements Protocol {
  readonly name: string
  readonly detectBytesMax: number
  /** PROTOCOL_* (wasm/layout.ts). */
  readonly number: number
  readonly #memory: ByteMemory
  readonly #loaded: LoadedDecoder
  readonly #ports: ReadonlySet<number>
  readonly #watch: FailureWatch
  readonly #report: FailureReport

  /** `index` is its place among the decoders of this run, below 16. */
  constructor(memory: ByteMemory, loaded: LoadedDecoder, index: number, report: FailureReport) {
    const { decoder, file } = loaded
    this.name = decoder.name
    this.detectBytesMax = decoder.detectBytes ?? DETECT_BYTES
    this.number = PROTOCOL_OWN + index
    this.#memory = memory
    this.#loaded = loaded
    this.#ports = new Set(decoder.ports)
    this.#report = report
    this.#watch = new FailureWatch(decoder.name, file, report)
  }

  detect(side: Side, pointer: number, length: number, connection: StreamControl): Detect {
    const server = this.#serverOf(connection)
    if (server === undefined || !connection.fromStart || this.#watch.isOff) return DETECT.no
    const { decoder } = this.#loaded
    const bytes = this.#memory.u8.slice(pointer, pointer + Math.min(length, this.detectBytesMax))
    const called = this.#watch.call(() => decoder.detect(bytes, side === server ? 'server' : 'client'),
      () => { this.#report.anomaly(`${OWN_ANOMALY.slow}:${this.name}`) })
    if (called === 'failed') {
      this.#report.anomaly(`${OWN_ANOMALY.failed}:${this.name}`)
      return DETECT.no
    }
    return called.result === DETECT.yes || called.result === DETECT.more ? called.result : DETECT.no
  }

  open(connection: StreamControl, sink: MessageSink): StreamHandler {
    const server = this.#serverOf(connection)!
    const { decoder } = this.#loaded
    return new OwnConnection({
      memory: this.#memory, control: connection, sink, decoder, watch: this.#watch, protocol: this.number, server,
    })
  }

  /** The side whose port is one of the decoder's: of two the one that did not open the connection. */
  #serverOf({ block, client }: StreamControl): Side | undefined {
    const ports = (block + CONNECTION_PORT) >>> 1
    const isOurs = (side: Side): boolean => this.#ports.has(this.#memory.u16[ports + side]!)
    if (client !== undefined) return isOurs(client === 0 ? 1 : 0) ? (client === 0 ? 1 : 0) : undefined
    if (isOurs(0) === isOurs(1)) return undefined
    return isOurs(0) ? 0 : 1
  }
}
