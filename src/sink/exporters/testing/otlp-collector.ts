/** A server of OTLP over gRPC, by grpc-js: nothing of it is Lintel's. */
import { type Metadata, type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall, type status } from '@grpc/grpc-js'
import type { Kept } from '../exporter.suite.ts'
import { byName, decodeLogs, decodeSpans, type KeyValue } from './otlp-decoder.ts'
import type { Identity } from './receiver.ts'

type Signal = 'logs' | 'traces'
export interface Taken {
  readonly signal: Signal
  readonly numbers: number[]
  readonly attributes: readonly (readonly KeyValue[])[]
  readonly metadata: Metadata
}

/** An answer: bytes, a code with its text, or nothing at all. */
type Said = Buffer | { readonly code: status, readonly details: string, readonly metadata?: Metadata } | undefined
type Behaviour = (taken: Taken) => Said

export const EMPTY = Buffer.alloc(0)
const same = (bytes: Buffer): Buffer => bytes

export class Collector {
  readonly taken: Taken[] = []
  /** Log records that were taken. */
  kept: Kept[] = []
  behave: Behaviour
  #server: Server | undefined
  #port = 0
  readonly #credentials: ServerCredentials

  private constructor(behave: Behaviour, credentials: ServerCredentials) {
    this.behave = behave
    this.#credentials = credentials
  }

  static async start(behave: Behaviour = () => EMPTY, identity?: Identity): Promise<Collector> {
    const credentials = identity === undefined ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [{ private_key: Buffer.from(identity.key), cert_chain: Buffer.from(identity.cert) }])
    const collector = new Collector(behave, credentials)
    await collector.listen()
    return collector
  }

  get port(): number {
    return this.#port
  }

  /** `HOST:PORT`. */
  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** At the same port as before. */
  async listen(): Promise<void> {
    const server = new Server({ 'grpc.max_receive_message_length': -1 })
    for (const [signal, service] of [['logs', 'logs.v1.LogsService'], ['traces', 'trace.v1.TraceService']] as const) {
      const handle = ({ request, metadata }: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void => {
        const ones: readonly { readonly attributes: readonly KeyValue[] }[] =
          (signal === 'logs' ? decodeLogs(request) : decodeSpans(request)).flatMap(group => [...group.ones])
        const attributes = ones.map(one => one.attributes)
        const taken = { signal, attributes, metadata, numbers: attributes.map(all => Number(byName(all).get('event.sequence')?.intValue)) }
        const said = this.behave(taken)
        if (said === undefined) return
        if (!Buffer.isBuffer(said)) return done(said)
        this.taken.push(taken)
        if (signal === 'logs') this.kept.push(...attributes.map(keptOf))
        done(null, said)
      }
      server.register(`/opentelemetry.proto.collector.${service}/Export`, handle, same, same, 'unary')
    }
    this.#server = server
    this.#port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${this.#port}`, this.#credentials, (error, port) => { if (error === null) resolve(port); else reject(error) })
    })
  }

  async kill(): Promise<void> {
    this.#server?.forceShutdown()
    await Promise.resolve()
  }

  numbers(signal: Signal): number[] {
    return this.taken.filter(one => one.signal === signal).flatMap(one => one.numbers)
  }
}

function keptOf(attributes: readonly KeyValue[]): Kept {
  const found = byName(attributes)
  const hostile = found.get('http.request.header.x-hostile')?.arrayValue?.values?.map(({ stringValue }) => stringValue as string)
  return { id: found.get('log.record.uid')?.stringValue as string, number: Number(found.get('event.sequence')?.intValue), hostile }
}
