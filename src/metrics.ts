import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import {
  type MetricFamily, negotiate, OPEN_METRICS_TYPE, openMetrics, PROTOBUF_TYPE, protobufFormat, TEXT_TYPE, textFormat,
} from '../lib/prometheus/mod.ts'

export interface MetricsOptions {
  readonly host: string
  readonly port: number
}

const CONNECTIONS_MAX = 16
// A page in a browser on this machine could otherwise read the figures through a name that leads to 127.0.0.1.
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i

/** Serves `/metrics` on a loopback port, in the format that the scraper asks for. */
export class MetricsServer {
  readonly #options: MetricsOptions
  readonly #collect: () => readonly MetricFamily[]
  #server: Server | undefined

  /** @param collect gives what is shown; called for each scrape */
  constructor(options: MetricsOptions, collect: () => readonly MetricFamily[]) {
    this.#options = options
    this.#collect = collect
  }

  /** @returns the address it listens on, e.g. `127.0.0.1:9464`. @throws {Error} with the mend */
  async start(): Promise<string> {
    const { host, port } = this.#options
    const { createServer } = await import('node:http') // some MiB that a run without metrics does without
    const server = createServer({ requestTimeout: 5000, headersTimeout: 5000, keepAliveTimeout: 5000 },
      (request, response) => answer(request, response, this.#collect))
    server.maxConnections = CONNECTIONS_MAX
    this.#server = server
    return await new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        reject(new Error(`Cannot serve metrics on ${host}:${port}: ${reason(error)}`, { cause: error }))
      })
      server.listen({ host, port }, () => {
        server.unref()
        const address = server.address()
        resolve(`${host.includes(':') ? `[${host}]` : host}:${typeof address === 'object' && address !== null ? address.port : port}`)
      })
    })
  }

  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    server.closeAllConnections()
    await new Promise<void>((resolve) => { server.close(() => { resolve() }) })
  }
}

function answer(request: IncomingMessage, response: ServerResponse, collect: () => readonly MetricFamily[]): void {
  if (!LOOPBACK_HOST.test(request.headers.host ?? '')) return end(response, 403, 'Host must be a loopback address\n')
  const path = request.url?.split('?')[0]
  if (path !== '/metrics') return end(response, 404, 'There is only /metrics here\n')
  if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, 'GET only\n')
  const [type, body] = exposed(request.headers.accept, collect())
  response.setHeader('content-type', type)
  response.setHeader('vary', 'accept')
  end(response, 200, body)
}

function exposed(accept: string | undefined, families: readonly MetricFamily[]): [type: string, body: string | Buffer] {
  switch (negotiate(accept)) {
    case 'protobuf': return [PROTOBUF_TYPE, protobufFormat(families)]
    case 'openmetrics': return [OPEN_METRICS_TYPE, openMetrics(families)]
    case 'text': return [TEXT_TYPE, textFormat(families)]
  }
}

function end(response: ServerResponse, status: number, text: string | Buffer): void {
  response.statusCode = status
  response.setHeader('cache-control', 'no-store')
  response.setHeader('x-content-type-options', 'nosniff')
  response.end(text)
}

function reason(error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE') return 'the port is in use, perhaps by another lintel; choose another with --metrics ADDRESS, or --metrics off'
  if (error.code === 'EACCES') return 'permission denied for this port; choose one above 1023'
  return error.message
}
