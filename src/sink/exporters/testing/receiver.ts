import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'

/** A request as a server reads it. */
export interface Received {
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  /** Decompressed. */
  readonly bytes: Buffer
  /** The same as text. */
  readonly text: string
  /** As it came. */
  readonly body: Buffer
}

export interface Said {
  readonly status: number
  readonly body?: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

/** What a server does with a request: an answer, or whatever it does to the connection itself. */
export type Behaviour = (request: Received, response: ServerResponse) => Said | undefined

export interface Identity {
  readonly key: string
  readonly cert: string
  /** Asks for a certificate of this authority. */
  readonly clientCa?: string
}

/** A real HTTP server on a loopback port, that does what it is told. */
export class Receiver {
  readonly requests: Received[] = []
  readonly sockets = new Set<{ destroy(): void }>()
  behave: Behaviour
  #server: Server | undefined
  #port = 0
  readonly #identity: Identity | undefined

  private constructor(behave: Behaviour, identity: Identity | undefined) {
    this.behave = behave
    this.#identity = identity
  }

  static async start(behave: Behaviour, identity?: Identity): Promise<Receiver> {
    const receiver = new Receiver(behave, identity)
    await receiver.listen()
    return receiver
  }

  get url(): string {
    return `${this.#identity === undefined ? 'http' : 'https'}://127.0.0.1:${this.#port}`
  }

  /** `HOST:PORT`. */
  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** At the same port as before. */
  async listen(): Promise<void> {
    const handle = (request: IncomingMessage, response: ServerResponse): void => { void this.#handle(request, response) }
    const identity = this.#identity
    const server = identity === undefined ? createServer(handle)
      : createSecureServer({ key: identity.key, cert: identity.cert, ...(identity.clientCa === undefined ? {} : { ca: identity.clientCa, requestCert: true }) }, handle)
    server.on('connection', socket => {
      this.sockets.add(socket)
      socket.on('close', () => this.sockets.delete(socket))
    })
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#port = (server.address() as AddressInfo).port
  }

  /** Ends at once, every connection with it. */
  async kill(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    this.#server?.closeAllConnections()
    await new Promise<void>(resolve => this.#server?.close(() => resolve()))
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    try {
      for await (const part of request) parts.push(part as Buffer)
    } catch {
      return // the client went away
    }
    const url = new URL(request.url ?? '', 'http://receiver')
    const body = Buffer.concat(parts)
    const bytes = decoded(request, body)
    const received = { path: url.pathname, query: url.searchParams, headers: request.headers, bytes, text: bytes.toString(), body }
    this.requests.push(received)
    const said = this.behave(received, response)
    if (said === undefined) return
    response.writeHead(said.status, said.headers)
    response.end(said.body)
  }
}

function decoded(request: IncomingMessage, body: Buffer): Buffer {
  const coding = request.headers['content-encoding']
  return coding === 'gzip' ? gunzipSync(body) : coding === 'zstd' ? zstdDecompressSync(body) : body
}
