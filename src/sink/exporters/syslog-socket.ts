import type { Socket as Datagrams } from 'node:dgram'
import type { Socket } from 'node:net'
import { type TlsConfig, tlsFiles } from '../http/mod.ts'

export interface SyslogAddress {
  readonly protocol: 'tcp:' | 'tls:' | 'udp:'
  readonly host: string
  readonly port: number
}

/** A stream to a server that never answers: connected when it is needed, given up at the first sign of trouble. */
export class StreamSocket {
  readonly #address: SyslogAddress
  readonly #tls: object
  readonly #timeoutMs: number
  #socket: Socket | undefined

  /** @throws {Error} with the mend, when a certificate is not to be had */
  constructor(address: SyslogAddress, tls: TlsConfig, timeoutMs: number) {
    this.#address = address
    this.#tls = tlsFiles(tls)
    this.#timeoutMs = timeoutMs
  }

  /** Resolves when the kernel has taken all of it. @throws {Error} when the connection failed or died before; it is closed then */
  async write(bytes: Buffer, signal: AbortSignal): Promise<void> {
    const socket = this.#socket ??= this.#open()
    await new Promise<void>((resolve, reject) => {
      const over = (error?: Error | null): void => {
        clearTimeout(limit)
        signal.removeEventListener('abort', abort)
        socket.off('close', closed).off('error', over)
        if (error === undefined || error === null) return resolve()
        this.close()
        reject(error)
      }
      const closed = (): void => { over(Object.assign(new Error('the server closed the connection'), { code: 'ECONNRESET' })) }
      const abort = (): void => { over(Object.assign(new Error('stopped'), { code: 'ABORT_ERR' })) }
      const limit = setTimeout(() => {
        over(Object.assign(new Error(`not taken within ${this.#timeoutMs} ms`), { code: 'ETIMEDOUT' }))
      }, this.#timeoutMs)
      signal.addEventListener('abort', abort)
      socket.on('close', closed).on('error', over)
      socket.write(bytes, over)
    })
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #open(): Socket {
    const { protocol, host, port } = this.#address
    const net = process.getBuiltinModule('node:net')
    const name = net.isIP(host) === 0 ? { servername: host } : {}
    const socket: Socket = protocol === 'tls:' ? process.getBuiltinModule('node:tls').connect({ host, port, ...name, ...this.#tls })
      : net.connect({ host, port })
    const gone = (): void => { if (this.#socket === socket) this.#socket = undefined }
    socket.on('error', gone).on('close', gone).on('end', () => { socket.destroy() })
    socket.resume() // a server says nothing; its end is only seen when it is read
    socket.unref()
    return socket
  }
}

/** Datagrams: each is sent at most once. */
export class DatagramSocket {
  readonly #address: SyslogAddress
  #socket: Datagrams | undefined

  constructor(address: SyslogAddress) {
    this.#address = address
  }

  /** @throws {Error} EMSGSIZE when it is too long; others when the name does not resolve or there is no way */
  async send(bytes: Buffer): Promise<void> {
    const { host, port } = this.#address
    const { lookup } = process.getBuiltinModule('node:dns').promises
    const { address, family } = await lookup(host)
    this.#socket ??= process.getBuiltinModule('node:dgram').createSocket(family === 6 ? 'udp6' : 'udp4').on('error', () => { this.close() }).unref()
    const socket = this.#socket
    await new Promise<void>((resolve, reject) => {
      socket.send(bytes, port, address, error => { if (error === null) resolve(); else reject(error) })
    })
  }

  close(): void {
    this.#socket?.close()
    this.#socket = undefined
  }
}
