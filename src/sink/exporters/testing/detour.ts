import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const PIECE_BYTES = 1000

/** A way to a server that is worse than the straight one: what goes there trickles, or ends with a reset. Answers come back as they are. */
export class Detour {
  /** What goes there comes through in small pieces with a pause behind each. */
  isTrickle = false
  /** A connection is reset after so many bytes went there. */
  cutAfter = Infinity
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  private constructor(port: number) {
    this.#server = createServer(socket => { this.#take(socket, connect(port, '127.0.0.1')) })
  }

  /** @param address `HOST:PORT` of a server on this machine */
  static async to(address: string): Promise<Detour> {
    const detour = new Detour(Number(address.slice(address.lastIndexOf(':') + 1)))
    await new Promise<void>(resolve => { detour.#server.listen(0, '127.0.0.1', resolve) })
    return detour
  }

  /** `HOST:PORT`. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #take(socket: Socket, upstream: Socket): void {
    for (const end of [socket, upstream]) {
      this.#sockets.add(end)
      end.on('error', () => undefined).on('close', () => {
        this.#sockets.delete(end)
        for (const other of [socket, upstream]) other.destroy()
      })
    }
    upstream.pipe(socket)
    void this.#pass(socket, upstream).catch(() => undefined) // the sender went away
  }

  async #pass(from: Socket, to: Socket): Promise<void> {
    for await (const part of from as AsyncIterable<Buffer>) {
      if (from.bytesRead > this.cutAfter) {
        from.resetAndDestroy()
        return
      }
      if (!this.isTrickle) to.write(part)
      else for (let at = 0; at < part.length; at += PIECE_BYTES) {
        to.write(part.subarray(at, at + PIECE_BYTES))
        await sleep(1)
      }
    }
    to.end()
  }
}
