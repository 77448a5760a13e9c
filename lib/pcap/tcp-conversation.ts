import { ipv4, ipv6 } from './builder-internet.ts'
import { ethernet } from './builder-link.ts'
import { synOptions, tcp, TCP_FLAG } from './builder-transport.ts'
import { encode, raw, type Layer } from './layer.ts'

export type Side = 'client' | 'server'

export interface Segment {
  readonly from: Side
  readonly sequence: number
  readonly acknowledgement: number
  readonly flags: number
  readonly options: Uint8Array
  readonly payload: Uint8Array
}

export interface ConversationOptions {
  /** IPv4 or IPv6; both of the same kind. */
  clientAddress?: string
  serverAddress?: string
  clientPort?: number
  serverPort?: number
  /** Payload bytes in one segment. Default 1460. */
  mss?: number
  /** Initial sequence numbers. */
  clientSequence?: number
  serverSequence?: number
  /** Offer this window scale. Default none. */
  windowScale?: number
}

/**
 * A TCP connection as a list of segments, to be disarranged and then made into frames.
 *
 *     const conversation = new TcpConversation({ mss: 100 })
 *     conversation.open().send('client', request).send('server', response).close()
 *     conversation.swap(4, 5).duplicate(6).drop(8)
 */
export class TcpConversation {
  readonly segments: Segment[] = []
  readonly #options: Required<Omit<ConversationOptions, 'windowScale'>> & { windowScale: number | undefined }
  readonly #next: Record<Side, number>

  constructor(options: ConversationOptions = {}) {
    this.#options = {
      clientAddress: '10.0.0.1',
      serverAddress: '10.0.0.2',
      clientPort: 40000,
      serverPort: 80,
      mss: 1460,
      clientSequence: 1000,
      serverSequence: 5000,
      windowScale: undefined,
      ...options,
    }
    this.#next = { client: this.#options.clientSequence >>> 0, server: this.#options.serverSequence >>> 0 }
  }

  /** A whole connection: handshake, each request and response in turn, both ends closed. */
  static of(exchanges: ReadonlyArray<readonly [Uint8Array, Uint8Array]>, options: ConversationOptions = {}) {
    const conversation = new TcpConversation(options).open()
    for (const [request, response] of exchanges) conversation.send('client', request).send('server', response)
    return conversation.close()
  }

  /** SYN, SYN and ACK, ACK. */
  open(): this {
    const options = synOptions(this.#options.mss, this.#options.windowScale)
    this.#push('client', TCP_FLAG.SYN, new Uint8Array(0), options)
    this.#push('server', TCP_FLAG.SYN | TCP_FLAG.ACK, new Uint8Array(0), options)
    return this.acknowledge('client')
  }

  /** Payload in segments of at most the MSS, the last one pushed. */
  send(from: Side, bytes: Uint8Array | string): this {
    const payload = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
    const { mss } = this.#options
    for (let at = 0; at < payload.length; at += mss) {
      const last = at + mss >= payload.length
      const flags = last ? TCP_FLAG.ACK | TCP_FLAG.PSH : TCP_FLAG.ACK
      this.#push(from, flags, payload.subarray(at, at + mss))
    }
    return this
  }

  acknowledge(from: Side): this {
    return this.#push(from, TCP_FLAG.ACK, new Uint8Array(0))
  }

  /** FIN of both sides and the last acknowledgement. */
  close(): this {
    this.#push('client', TCP_FLAG.FIN | TCP_FLAG.ACK, new Uint8Array(0))
    this.#push('server', TCP_FLAG.FIN | TCP_FLAG.ACK, new Uint8Array(0))
    return this.acknowledge('client')
  }

  reset(from: Side): this {
    return this.#push(from, TCP_FLAG.RST | TCP_FLAG.ACK, new Uint8Array(0))
  }

  /** Exchanges two segments' places. */
  swap(first: number, second: number): this {
    const one = this.#at(first)
    this.segments[first] = this.#at(second)
    this.segments[second] = one
    return this
  }

  /** Puts a copy of a segment at `to`, by default right behind it. */
  duplicate(index: number, to = index + 1): this {
    this.segments.splice(to, 0, this.#at(index))
    return this
  }

  drop(index: number): this {
    this.#at(index)
    this.segments.splice(index, 1)
    return this
  }

  /** Cuts every payload anew into pieces of at most `bytes`: what a middlebox or a retransmission may do. */
  resegment(bytes: number): this {
    const cut = this.segments.flatMap(segment => {
      if (segment.payload.length <= bytes) return [segment]
      const pieces: Segment[] = []
      for (let at = 0; at < segment.payload.length; at += bytes) {
        const sequence = (segment.sequence + at) >>> 0
        pieces.push({ ...segment, sequence, payload: segment.payload.subarray(at, at + bytes) })
      }
      return pieces
    })
    this.segments.splice(0, this.segments.length, ...cut)
    return this
  }

  /** One IP layer a segment, to be put into other layers. */
  layers(): Layer[] {
    return this.segments.map(segment => this.#layer(segment))
  }

  /** One Ethernet frame a segment. */
  frames(): Uint8Array[] {
    return this.layers().map(layer => encode(ethernet({}, layer)))
  }

  #layer(segment: Segment): Layer {
    const { clientAddress, serverAddress, clientPort, serverPort } = this.#options
    const isClient = segment.from === 'client'
    const fields = {
      source: isClient ? clientAddress : serverAddress,
      destination: isClient ? serverAddress : clientAddress,
    }
    const inner = tcp({
      ...segment,
      sourcePort: isClient ? clientPort : serverPort,
      destinationPort: isClient ? serverPort : clientPort,
    }, raw(segment.payload))
    return clientAddress.includes(':') ? ipv6(fields, inner) : ipv4(fields, inner)
  }

  #push(from: Side, flags: number, payload: Uint8Array, options: Uint8Array = new Uint8Array(0)): this {
    const other = from === 'client' ? 'server' : 'client'
    const acknowledgement = (flags & TCP_FLAG.ACK) !== 0 ? this.#next[other] : 0
    this.segments.push({ from, sequence: this.#next[from], acknowledgement, flags, options, payload })
    const space = payload.length + ((flags & (TCP_FLAG.SYN | TCP_FLAG.FIN)) !== 0 ? 1 : 0)
    this.#next[from] = (this.#next[from] + space) >>> 0
    return this
  }

  #at(index: number): Segment {
    const segment = this.segments[index]
    if (segment === undefined) {
      throw new RangeError(`Cannot take segment ${index}: the conversation has ${this.segments.length}`)
    }
    return segment
  }
}
