import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createSecureServer } from 'node:tls'
import type { Kept } from '../exporter.suite.ts'
import type { Identity } from './receiver.ts'

/** What a server does with a batch that it has read whole; it has kept it when it says `acknowledge` or `close`. */
export type Fate = 'acknowledge' | 'say nothing' | 'acknowledge another' | 'close'

/** Reads a connection to its end, strictly, and gives each batch to `server.batch`. What it throws is a fault of the other end. */
export type Converse = (socket: Socket, server: StreamServer) => Promise<void>

/** A real TCP or TLS server on a loopback port, that does what it is told. */
export class StreamServer {
  kept: Kept[] = []
  /** Records of each batch, in order of arrival, whatever became of it. */
  readonly batches: number[] = []
  /** What is done with the batches to come, in order; then what `fate` says. */
  fates: Fate[] = []
  fate: () => Fate = () => 'acknowledge'
  /** How long an acknowledgement is on its way. */
  delayMs: () => number = () => 0
  connections = 0
  failed: Error | undefined
  readonly #converse: Converse
  readonly #identity: Identity | undefined
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #port = 0

  private constructor(converse: Converse, identity: Identity | undefined) {
    this.#converse = converse
    this.#identity = identity
  }

  static async start(converse: Converse, identity?: Identity): Promise<StreamServer> {
    const server = new StreamServer(converse, identity)
    await server.listen()
    return server
  }

  get url(): string {
    return `${this.#identity === undefined ? 'tcp' : 'tls'}://127.0.0.1:${this.#port}`
  }

  /** `HOST:PORT`. */
  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** At the same port as before. */
  async listen(): Promise<void> {
    const identity = this.#identity
    const take = (socket: Socket): void => { this.#take(socket) }
    const server = identity === undefined ? createServer(take)
      : createSecureServer({ key: identity.key, cert: identity.cert, ...(identity.clientCa === undefined ? {} : { ca: identity.clientCa, requestCert: true }) }, take)
        .on('tlsClientError', () => undefined)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
  }

  /** Ends at once, every connection with it. */
  async kill(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>(resolve => this.#server?.close(() => resolve()))
  }

  /**
   * @param acknowledge writes what says that it has the batch, or one like it
   * @returns whether it has kept the batch
   */
  batch(records: readonly Kept[], socket: Socket, acknowledge: (isRight: boolean) => void): boolean {
    this.batches.push(records.length)
    const fate = this.fates.shift() ?? this.fate()
    const [isKept, delayMs] = [fate === 'acknowledge' || fate === 'close', this.delayMs()]
    if (isKept) this.kept.push(...records)
    if (fate === 'close') socket.destroy()
    else if (fate === 'say nothing') return isKept
    else if (delayMs === 0) acknowledge(isKept)
    else setTimeout(() => { acknowledge(isKept) }, delayMs)
    return isKept
  }

  /** How many connections are open. */
  get open(): number {
    return this.#sockets.size
  }

  #take(socket: Socket): void {
    const number = ++this.connections
    this.#sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket))
    this.#converse(socket, this).catch((error: unknown) => {
      if (!socket.destroyed && !socket.readableEnded) { // else the connection ended midway
        const message = `connection ${number} of ${this.connections}, ${socket.bytesRead} bytes: ${(error as Error).message}`
        this.failed ??= new Error(message, { cause: error })
      }
      socket.destroy()
    })
  }
}
