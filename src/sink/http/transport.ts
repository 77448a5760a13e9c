import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import type { Agent } from 'node:https'
import { promisify } from 'node:util'
import type { Hindrance } from '../delivery/mod.ts'
import { connectionTrouble } from './connection-trouble.ts'
import { type HttpConfig, requestHeaders, tlsFiles } from './http-options.ts'
import { Redaction } from './secret.ts'

export interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** At most REPLY_BYTES_MAX; more of it counts as no answer. */
  readonly body: Buffer
}

/** An answer whose body is still to come. */
export interface OpenReply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** To be read to its end, or destroyed; fails when the connection is closed within it, or the request aborted. */
  readonly body: IncomingMessage
}

export interface Post {
  /** Put behind the path of the url; may have a query. */
  readonly path?: string
  readonly type: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Credentials of an exporter's own kind. */
export interface OwnCredentials {
  readonly headers: Readonly<Record<string, string>>
  readonly secrets: readonly string[]
}

/** No whole answer came. The message is without secrets. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  readonly hindrance: Hindrance

  constructor(hindrance: Hindrance) {
    super(hindrance.message)
    this.hindrance = hindrance
  }
}

/** Of a bulk answer with a line for each record. */
const REPLY_BYTES_MAX = 32 * 1024 * 1024
/** Smaller bodies are sent as they are. */
const COMPRESS_BYTES_MIN = 256

/**
 * POSTs over connections that are kept: node:http, with its own TLS and proxies. One request at a time.
 *
 * Redirects are not followed: credentials would go with them.
 */
export class Transport {
  /** Where it sends to, without path and query: these can hold secrets. */
  readonly target: string
  readonly #config: HttpConfig
  readonly #url: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #redaction: Redaction
  readonly #agent: Agent
  readonly #request: (url: URL, options: RequestOptions) => ClientRequest

  /**
   * @throws {Error} with the mend, when a secret or certificate is not to be had
   */
  constructor(config: HttpConfig, own: OwnCredentials = { headers: {}, secrets: [] }) {
    this.#config = config
    this.#url = new URL(config.url)
    this.target = this.#url.host
    const { headers, secrets } = requestHeaders(config)
    this.#headers = { ...headers, ...own.headers }
    this.#redaction = new Redaction([...secrets, ...own.secrets])
    // Brought in by what needs it: some MiB that an agent without network outputs does without.
    const isSecure = this.#url.protocol === 'https:'
    const http = process.getBuiltinModule(isSecure ? 'node:https' : 'node:http')
    const proxy = config.proxy === undefined ? {} : { proxyEnv: { HTTP_PROXY: config.proxy, HTTPS_PROXY: config.proxy } }
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: 1, ...proxy, ...(isSecure ? tlsFiles(config.tls) : {}) }) as Agent
    this.#request = http.request
  }

  /** Text of a server, fit for a message. */
  clean(text: string): string {
    return this.#redaction.clean(text)
  }

  /** @throws {NoAnswer} when none came, or not a whole one, by the time limit or until `signal` is aborted */
  async post(post: Post, signal: AbortSignal): Promise<Reply> {
    const body = await this.#compressed(post.body)
    const headers = this.#headersOf(post, body)
    return await this.#again(() => this.#exchange(post.path ?? '', headers, body, signal), signal)
  }

  /** For answers that are read as they come. @throws {NoAnswer} when none has begun by the time limit or until `signal` is aborted */
  async open(post: Post, signal: AbortSignal): Promise<OpenReply> {
    const body = await this.#compressed(post.body)
    const options = { method: 'POST', headers: this.#headersOf(post, body), agent: this.#agent, signal, timeout: this.#config.timeout }
    return await this.#again(() => new Promise((resolve, reject) => {
      const request = this.#request(this.#target(post.path ?? ''), options)
      request.on('error', error => { reject(Object.assign(error, { isReused: request.reusedSocket })) })
      request.on('timeout', () => {
        request.destroy(Object.assign(new Error(`no answer within ${this.#config.timeout} ms`), { code: 'ETIMEDOUT' }))
      })
      request.on('response', response => { resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response }) })
      request.end(body)
    }), signal)
  }

  close(): void {
    this.#agent.destroy()
  }

  /** Once more where the server closed a kept connection while this was on its way: usual, and no trouble. @throws {NoAnswer} */
  async #again<T>(run: () => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await run()
    } catch (error) {
      const isStale = (error as { isReused?: boolean }).isReused === true && (error as NodeJS.ErrnoException).code === 'ECONNRESET'
      if (!isStale || signal.aborted) throw this.#noAnswer(error)
    }
    try {
      return await run()
    } catch (error) {
      throw this.#noAnswer(error)
    }
  }

  #headersOf(post: Post, body: Buffer): Record<string, string> {
    return {
      ...this.#headers, ...post.headers, 'content-type': post.type, 'content-length': String(body.length), 'user-agent': 'lintel',
      ...(body === post.body ? {} : { 'content-encoding': this.#config.compression }),
    }
  }

  #target(path: string): URL {
    const url = new URL(this.#url)
    if (path === '') return url
    const [name, query] = path.split('?', 2) as [string, string | undefined]
    url.pathname = `${url.pathname.replace(/\/$/, '')}${name}`
    if (query !== undefined) url.search = url.search === '' ? query : `${url.search}&${query}`
    return url
  }

  #exchange(path: string, headers: Record<string, string>, body: Buffer, signal: AbortSignal): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const request = this.#request(this.#target(path), { method: 'POST', headers, agent: this.#agent, signal })
      const limit = setTimeout(() => {
        request.destroy(Object.assign(new Error(`no answer within ${this.#config.timeout} ms`), { code: 'ETIMEDOUT' }))
      }, this.#config.timeout)
      const fail = (error: Error): void => {
        clearTimeout(limit)
        reject(Object.assign(error, { isReused: request.reusedSocket }))
      }
      request.on('error', fail)
      request.on('response', response => {
        const parts: Buffer[] = []
        let bytes = 0
        response.on('data', (part: Buffer) => {
          parts.push(part)
          bytes += part.length
          if (bytes > REPLY_BYTES_MAX) request.destroy(new Error(`the answer is longer than ${REPLY_BYTES_MAX} bytes`))
        })
        response.on('error', fail)
        response.on('end', () => {
          clearTimeout(limit)
          if (response.complete) resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) })
          else fail(Object.assign(new Error('the connection was closed within the answer'), { code: 'ECONNRESET' }))
        })
      })
      request.end(body)
    })
  }

  async #compressed(body: Buffer): Promise<Buffer> {
    const { compression } = this.#config
    if (compression === 'none' || body.length < COMPRESS_BYTES_MIN) return body
    const zlib = process.getBuiltinModule('node:zlib')
    if (compression === 'gzip') return await promisify(zlib.gzip)(body, { level: 1 })
    return await promisify(zlib.zstdCompress)(body, { params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } })
  }

  #noAnswer(error: unknown): NoAnswer {
    return new NoAnswer(connectionTrouble(error as Error, this.target, text => this.clean(text)))
  }
}
