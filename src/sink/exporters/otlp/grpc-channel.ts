import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import { promisify } from 'node:util'
import type { Answer } from '../../delivery/mod.ts'
import { connectionTrouble, type HttpConfig, NoAnswer, Redaction, requestHeaders, tlsFiles } from '../../http/mod.ts'
import type { Channel, Signal } from './channel.ts'
import { grpcAnswer, type GrpcEnd } from './grpc-status.ts'

const PATHS = {
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
} as const satisfies Record<Signal, string>

/** Before a message: is it compressed, and its length. */
const PREFIX_BYTES = 5
const REPLY_BYTES_MAX = 4 * 1024 * 1024

/** What came back of a call. */
interface Call {
  readonly headers: IncomingHttpHeaders
  readonly trailers: IncomingHttpHeaders
  readonly body: Buffer
}

/**
 * OTLP over gRPC (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), on node:http2: a unary call is one POST whose status
 * stands in the trailers. One connection, kept; a new one when it fails.
 */
export class GrpcChannel implements Channel {
  readonly target: string
  readonly #config: HttpConfig
  readonly #headers: Readonly<Record<string, string>>
  readonly #redaction: Redaction
  readonly #tls: ReturnType<typeof tlsFiles>
  #session: ClientHttp2Session | undefined

  /** @throws {Error} with the mend, when a secret or certificate is not to be had */
  constructor(config: HttpConfig) {
    this.#config = config
    this.target = new URL(config.url).host
    const { headers, secrets } = requestHeaders(config)
    this.#headers = headers
    this.#redaction = new Redaction(secrets)
    this.#tls = config.url.startsWith('https:') ? tlsFiles(config.tls) : {}
  }

  async export(signal: Signal, request: Buffer, abort: AbortSignal): Promise<Buffer | Exclude<Answer, { outcome: 'done' }>> {
    const message = await this.#framed(request)
    let call: Call
    try {
      call = await this.#call(PATHS[signal], message, abort)
    } catch (error) {
      this.#drop()
      throw new NoAnswer(connectionTrouble(error as Error, this.target, text => this.clean(text)))
    }
    const end = endOf(call)
    if (end === undefined) return this.#odd(`HTTP status ${call.headers[':status']}, not gRPC`)
    if (end.code !== 0) return grpcAnswer(end, this.target, text => this.clean(text))
    return await messageIn(call) ?? this.#odd('OK without one whole message')
  }

  clean(text: string): string {
    return this.#redaction.clean(text)
  }

  close(): void {
    this.#drop()
  }

  #odd(what: string): Exclude<Answer, { outcome: 'done' }> {
    const message = `${this.target} answers ${what}; is it a server of OTLP over gRPC, and are url and auth right?`
    return { outcome: 'later', hindrance: { reason: 'odd answer', message } }
  }

  /** @throws {Error} when no whole answer came */
  #call(path: string, message: Buffer, abort: AbortSignal): Promise<Call> {
    return new Promise((resolve, reject) => {
      abort.throwIfAborted()
      const session = this.#session ??= this.#open()
      const isGzip = message[0] === 1
      session.ref()
      const stream: ClientHttp2Stream = session.request({
        ...this.#headers, ':method': 'POST', ':path': path, 'content-type': 'application/grpc+proto', te: 'trailers', 'user-agent': 'lintel',
        'grpc-timeout': `${this.#config.timeout}m`, 'grpc-accept-encoding': 'identity,gzip', ...(isGzip ? { 'grpc-encoding': 'gzip' } : {}),
      })
      const fail = (error: Error): void => {
        stop()
        stream.close()
        reject(error)
      }
      const limit = setTimeout(() => {
        fail(Object.assign(new Error(`no answer within ${this.#config.timeout} ms`), { code: 'ETIMEDOUT' }))
      }, this.#config.timeout)
      const stopped = (): void => { fail(Object.assign(new Error('stopped'), { code: 'ABORT_ERR' })) }
      const stop = (): void => {
        clearTimeout(limit)
        abort.removeEventListener('abort', stopped)
        session.off('error', fail)
        session.unref()
      }
      abort.addEventListener('abort', stopped)
      session.on('error', fail) // of the connection: the stream itself only learns that it was cancelled
      let [headers, trailers]: IncomingHttpHeaders[] = [{}, {}]
      const parts: Buffer[] = []
      let bytes = 0
      stream.on('response', got => { headers = got })
      stream.on('trailers', got => { trailers = got })
      stream.on('data', (part: Buffer) => {
        parts.push(part)
        bytes += part.length
        if (bytes > REPLY_BYTES_MAX) fail(new Error(`the answer is longer than ${REPLY_BYTES_MAX} bytes`))
      })
      stream.on('error', error => { setImmediate(fail, error) }) // after the session's, which says more
      stream.on('close', () => {
        const call = { headers, trailers, body: Buffer.concat(parts) } as Call
        if (isCut(call)) {
          setImmediate(fail, Object.assign(new Error('the connection was closed before the answer was whole'), { code: 'ECONNRESET' }))
          return
        }
        stop()
        resolve(call)
      })
      stream.end(message)
    })
  }

  #open(): ClientHttp2Session {
    const session = process.getBuiltinModule('node:http2').connect(this.#config.url, this.#tls)
    const gone = (): void => { if (this.#session === session) this.#session = undefined }
    session.on('error', gone).on('goaway', gone).on('close', gone)
    return session
  }

  #drop(): void {
    this.#session?.destroy()
    this.#session = undefined
  }

  async #framed(request: Buffer): Promise<Buffer> {
    const isGzip = this.#config.compression === 'gzip'
    const zlib = process.getBuiltinModule('node:zlib')
    const body = isGzip ? await promisify(zlib.gzip)(request, { level: 1 }) : request
    const prefix = Buffer.alloc(PREFIX_BYTES)
    prefix[0] = isGzip ? 1 : 0
    prefix.writeUInt32BE(body.length, 1)
    return Buffer.concat([prefix, body])
  }
}

/** True when the call has ended without a status: the server, or the way to it, went away. */
function isCut({ headers, trailers }: Call): boolean {
  if (headers[':status'] === undefined) return true
  const isGrpc = headers['content-type']?.startsWith('application/grpc') === true
  return isGrpc && headers['grpc-status'] === undefined && trailers['grpc-status'] === undefined
}

/** Undefined when it is none of gRPC. An answer without a message may have its status among the headers. */
function endOf({ headers, trailers }: Call): GrpcEnd | undefined {
  const from = trailers['grpc-status'] === undefined ? headers : trailers
  const code = from['grpc-status']
  if (typeof code !== 'string' || !/^\d{1,5}$/.test(code)) return undefined
  const [message, details] = [from['grpc-message'], from['grpc-status-details-bin']].map(value => typeof value === 'string' ? value : undefined)
  return { code: Number(code), message: decoded(message ?? ''), details }
}

function decoded(message: string): string {
  try {
    return decodeURIComponent(message)
  } catch {
    return message
  }
}

/** The message of a body that holds one; compressed where the request was, whatever is asked for: so does the server of Go. */
async function messageIn({ headers, body }: Call): Promise<Buffer | undefined> {
  if (body.length < PREFIX_BYTES || body.readUInt32BE(1) !== body.length - PREFIX_BYTES) return undefined
  const message = body.subarray(PREFIX_BYTES)
  if (body[0] === 0) return message
  if (body[0] !== 1 || headers['grpc-encoding'] !== 'gzip') return undefined
  const { gunzip } = process.getBuiltinModule('node:zlib')
  return await promisify(gunzip)(message, { maxOutputLength: REPLY_BYTES_MAX }).catch(() => undefined)
}
