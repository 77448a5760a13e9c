import type { Socket } from 'node:net'
import type { Hindrance } from '../delivery/mod.ts'
import { connectionTrouble, type TlsConfig, tlsFiles } from '../http/mod.ts'
import type { StreamAddress } from './stream-address.ts'

/** What a server said so far, read: `used` bytes of it are done with; `value` ends the question. */
export interface Reading<Value> {
  readonly used: number
  readonly value?: Value
}

/** A server answered what it should not have. The message is without secrets. */
export class OddAnswer extends Error {
  override readonly name = 'OddAnswer'
  readonly reason: string

  /** @param message stands behind the target: `... answers ...; the mend` */
  constructor(message: string, reason = 'odd answer') {
    super(message)
    this.reason = reason
  }
}

/** Whether a question ended for that the server, connected, has never said anything. */
export function isSilence(error: unknown): boolean {
  return (error as { isSilence?: boolean }).isSilence === true
}

/** Answers of these protocols are some bytes; a server that says more than this is none of theirs. */
const ANSWER_BYTES_MAX = 64 * 1024
/** Times the limit that a server which says that it is at work is waited for. */
const PATIENCE = 10

/**
 * A connection over TCP or TLS for one question at a time: made when it is needed, given up at the first sign of trouble, so that an answer
 * which comes too late is never taken for that of a later question. Nothing is written before the server's certificate is checked.
 *
 * Bounds: bytes of an answer; time, for each question.
 */
export class StreamSocket {
  readonly #address: StreamAddress
  readonly #tls: object
  readonly #timeoutMs: number
  #socket: Socket | undefined
  #heard: Buffer = Buffer.alloc(0)
  #onHeard: (() => void) | undefined
  #isUp = false
  #isSilent = true

  /** @throws {Error} with the mend, when a certificate is not to be had */
  constructor(address: StreamAddress, tls: TlsConfig, timeoutMs: number) {
    this.#address = address
    this.#tls = tlsFiles(tls)
    this.#timeoutMs = timeoutMs
  }

  get isOpen(): boolean {
    return this.#socket !== undefined
  }

  /** Begins a connection; what is asked next waits for it. */
  open(): void {
    this.close()
    this.#socket = this.#connect()
  }

  /**
   * To a server that never answers, over a new connection where there is none.
   *
   * @returns when the kernel has taken all of it
   * @throws {Error} when the connection failed or died before; it is closed then
   */
  async write(bytes: Buffer, signal: AbortSignal): Promise<void> {
    if (!this.isOpen) this.open()
    await this.#talk<true>(bytes, undefined, signal)
  }

  /**
   * Over the connection that `open` began.
   *
   * @param read is given what came and was not used yet, whenever something comes; what it uses without an end of the question says that the
   *   server is at work, and time counts anew, up to ten times what one answer may take
   * @throws {OddAnswer} of `read`, or when the answer is too long; {Error} when the connection failed, died, or no answer came in time. It is
   *   closed then
   */
  async ask<Value>(bytes: Buffer, read: (heard: Buffer) => Reading<Value>, signal: AbortSignal): Promise<Value> {
    return await this.#talk(bytes, read, signal)
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
    this.#heard = Buffer.alloc(0)
  }

  #talk<Value>(bytes: Buffer, read: ((heard: Buffer) => Reading<Value>) | undefined, signal: AbortSignal): Promise<Value> {
    const socket = this.#socket
    return new Promise<Value>((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(limit)
        signal.removeEventListener('abort', abort)
        socket?.off('close', closed).off('error', fail)
        this.#onHeard = undefined
      }
      const fail = (error: Error): void => {
        stop()
        this.close()
        reject(error)
      }
      const closed = (): void => { fail(coded('the server closed the connection', 'ECONNRESET')) }
      const abort = (): void => { fail(coded('stopped', 'ABORT_ERR')) }
      const late = (): void => {
        const what = !this.#isUp ? 'not connected' : read === undefined ? 'not taken' : 'no answer'
        const error = coded(`${what} within ${this.#timeoutMs} ms`, 'ETIMEDOUT')
        fail(this.#isUp && this.#isSilent ? Object.assign(error, { isSilence: true }) : error)
      }
      const done = (value: Value): void => {
        stop()
        resolve(value)
      }
      let limit = setTimeout(late, this.#timeoutMs)
      if (signal.aborted) return abort()
      if (socket === undefined) return closed()
      signal.addEventListener('abort', abort)
      socket.on('close', closed).on('error', fail)
      const endMs = Date.now() + PATIENCE * this.#timeoutMs
      const listen = (): void => {
        try {
          const { used, value } = this.#read(read as (heard: Buffer) => Reading<Value>)
          if (value !== undefined) return done(value)
          if (used === 0 || Date.now() >= endMs) return
          clearTimeout(limit)
          limit = setTimeout(late, this.#timeoutMs)
        } catch (error) {
          fail(error as Error)
        }
      }
      if (read !== undefined) this.#onHeard = listen
      if (bytes.length > 0 || read === undefined) {
        this.#heard = Buffer.alloc(0) // what came unasked answers nothing
        socket.write(bytes, error => {
          if (error !== undefined && error !== null) fail(error)
          else if (read === undefined) done(undefined as Value)
        })
      }
      if (this.#heard.length > 0 && read !== undefined) listen()
    })
  }

  #read<Value>(read: (heard: Buffer) => Reading<Value>): Reading<Value> {
    const reading = read(this.#heard)
    this.#heard = this.#heard.subarray(reading.used)
    if (this.#heard.length > ANSWER_BYTES_MAX) {
      throw new OddAnswer('answers more than this protocol has to say; is it the server that this output is for?')
    }
    return reading
  }

  #connect(): Socket {
    const { protocol, host, port } = this.#address
    const net = process.getBuiltinModule('node:net')
    const name = net.isIP(host) === 0 ? { servername: host } : {}
    const isSecure = protocol === 'tls:'
    const socket: Socket = isSecure ? process.getBuiltinModule('node:tls').connect({ host, port, ...name, ...this.#tls })
      : net.connect({ host, port })
    const gone = (): void => { if (this.#socket === socket) this.#socket = undefined }
    this.#isUp = false
    this.#isSilent = true
    socket.on(isSecure ? 'secureConnect' : 'connect', () => { if (this.#socket === socket) this.#isUp = true })
    socket.on('error', gone).on('close', gone).on('end', () => {
      gone()
      socket.destroy()
    })
    socket.on('data', (part: Buffer) => {
      if (this.#socket !== socket) return
      this.#isSilent = false
      if (this.#onHeard === undefined) this.#heard = this.#heard.subarray(0, ANSWER_BYTES_MAX) // of one who was not asked
      this.#heard = Buffer.concat([this.#heard, part])
      this.#onHeard?.()
    })
    socket.unref()
    return socket
  }
}

function coded(message: string, code: string): Error {
  return Object.assign(new Error(message), { code })
}

/** Why a question had no good answer. @param clean takes secrets out of the error's text */
export function streamTrouble(error: unknown, target: string, clean: (text: string) => string = same => same): Hindrance {
  if (error instanceof OddAnswer) return { reason: error.reason, message: `${target} ${error.message}` }
  return connectionTrouble(error as Error, target, clean)
}
