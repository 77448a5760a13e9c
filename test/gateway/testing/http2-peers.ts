import { once } from 'node:events'
import { connect, createServer } from 'node:http2'
import type { ClientHttp2Session, Http2Server, IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'

/** What one end of an exchange has sent and got. */
export interface Spoken {
  readonly port: number
  readonly stream: number
  readonly request: OutgoingHttpHeaders
  readonly response: IncomingHttpHeaders
  readonly trailers: IncomingHttpHeaders
  readonly body: string
}

/** One HTTP/2 connection of Node's client that keeps what it spoke. */
export class Http2Client {
  readonly session: ClientHttp2Session
  readonly port: number
  readonly spoken: Spoken[] = []

  private constructor(session: ClientHttp2Session) {
    this.session = session
    this.port = ((session as unknown as { socket: Socket }).socket.address() as AddressInfo).port
  }

  static async connect(port: number): Promise<Http2Client> {
    const session = connect(`http://127.0.0.1:${port}`)
    session.on('error', () => {})
    await once(session, 'connect')
    return new Http2Client(session)
  }

  /** One exchange, to its end. */
  async ask(headers: OutgoingHttpHeaders, body?: string | Buffer): Promise<Spoken> {
    const request = { ':method': body === undefined ? 'GET' : 'POST', ...headers }
    const stream = this.session.request(request, { endStream: body === undefined })
    if (body !== undefined) stream.end(body)
    let response: IncomingHttpHeaders = {}
    let trailers: IncomingHttpHeaders = {}
    let text = ''
    stream.on('response', (headers) => { response = headers })
    stream.on('trailers', (headers) => { trailers = headers })
    stream.setEncoding('utf8')
    stream.on('data', (part: string) => { text += part })
    await once(stream, 'close')
    const spoken = { port: this.port, stream: stream.id!, request, response, trailers, body: text }
    this.spoken.push(spoken)
    return spoken
  }

  async close(): Promise<void> {
    this.session.close()
    await once(this.session, 'close')
  }
}

/** A server of Node's http2 without TLS. */
export async function serve(port: number, answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void): Promise<Http2Server> {
  const server = createServer()
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    answer(stream, headers)
  })
  server.on('session', (session) => session.on('error', () => {}))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}
