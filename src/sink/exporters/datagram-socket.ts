import type { Socket } from 'node:dgram'
import type { StreamAddress } from './stream-address.ts'

/** Datagrams: each is sent at most once. */
export class DatagramSocket {
  readonly #address: StreamAddress
  #socket: Socket | undefined

  constructor(address: StreamAddress) {
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
