import { createServer, connect } from 'node:net'
import type { Server, Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

/** What a scripted server does once it has received so much. */
export interface Step {
  /** Text that the bytes received since the last step must hold. */
  readonly until: string
  readonly send?: string | Buffer
  /** `end`: FIN behind what was sent; `reset`: RST. */
  readonly then?: 'end' | 'reset'
}

/** A TCP server that answers as a test says, byte for byte: what no HTTP server would do. */
export class RawServer {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(port: number, server: Server) {
    this.port = port
    this.#server = server
  }

  /** @param serve is given each connection */
  static async start(port: number, serve: (socket: Socket) => void, host = '127.0.0.1'): Promise<RawServer> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    const raw = new RawServer(port, server)
    server.on('connection', (socket) => {
      raw.#sockets.add(socket)
      socket.on('close', () => { raw.#sockets.delete(socket) })
      socket.on('error', () => {}) // a test that resets connections wants them reset
      serve(socket)
    })
    server.listen({ port, host, backlog: 2048 })
    await once(server, 'listening')
    return raw
  }

  /** A server that works the same steps on each connection. */
  static async scripted(port: number, steps: readonly Step[]): Promise<RawServer> {
    return await RawServer.start(port, (socket) => { play(socket, steps) })
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

function play(socket: Socket, steps: readonly Step[]): void {
  let received = ''
  let next = 0
  socket.on('data', (data) => {
    received += data.toString('latin1')
    for (let step = steps[next]; step !== undefined; step = steps[next]) {
      const at = received.indexOf(step.until)
      if (at < 0) return
      received = received.slice(at + step.until.length)
      next++
      if (step.send !== undefined) socket.write(step.send)
      if (step.then === 'end') socket.end()
      if (step.then === 'reset') socket.resetAndDestroy()
    }
  })
  socket.on('end', () => { socket.end() })
}

/** A client that sends what it is told and keeps what it gets. */
export class RawClient {
  readonly socket: Socket
  received = ''
  closed = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (data) => { this.received += data.toString('latin1') })
    socket.on('close', () => { this.closed = true })
    socket.on('error', () => {})
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host, allowHalfOpen: true, noDelay: true })
    const client = new RawClient(socket)
    await once(socket, 'connect')
    return client
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Until what was received holds `text` (so many times). */
  async until(text: string, times = 1): Promise<void> {
    for (let tries = 0; tries < 1000; tries++) {
      if (this.received.split(text).length > times) return
      if (this.closed) break
      await delay(10)
    }
    throw new Error(`The server did not send ${JSON.stringify(text)} ${times} times; it sent ${JSON.stringify(this.received.slice(0, 500))}`)
  }

  async untilClosed(): Promise<void> {
    // Not once(): that fails when the connection is reset.
    if (!this.closed) await new Promise((resolve) => { this.socket.on('close', resolve) })
  }

  close(): void {
    this.socket.destroy()
  }
}

/** Sends `request` on a connection of its own, waits for `answer` in what comes back, and closes. */
export async function ask(port: number, request: string | Buffer, answer: string): Promise<string> {
  const client = await RawClient.connect(port)
  try {
    client.send(request)
    await client.until(answer)
    client.socket.end()
    return client.received
  } finally {
    client.close()
  }
}
