/**
 * Connections of HTTP/1 that mostly go turn by turn, a segment a message, and now and then do something else: whatever TCP, a
 * kernel that counts and numbers, several interfaces or a broken record may show between two turns.
 *
 * @module
 */
import { FLAG_IP_OPTIONS, FLAG_NOT_HTTP, FRAME_BYTES, PACKET_EVENT } from '../../../src/capture/mod.ts'
import type { SegmentFields } from '../../../src/connection/testing/segment-builder.ts'
import type { Random } from './damage.ts'
import { chance } from './harm.ts'

const MS = 1e6

/** A packet as it is met; `spoil` writes over a byte of its event. */
export interface OddPacket {
  readonly fields: SegmentFields
  readonly spoil?: { readonly at: number; readonly byte: number }
}

interface Sender {
  readonly isClient: boolean
  sequence: number
  /** Numbers, and what the kernel counts. */
  record: number
  packets: number
  bytes: number
}

type Odd = (connection: OddConnection, sender: Sender, fields: SegmentFields) => void

export class OddConnection {
  readonly packets: OddPacket[]
  readonly #random: Random
  readonly #oneIn: number
  readonly #ends: readonly [{ address: string; port: number }, { address: string; port: number }]
  readonly #client: Sender
  readonly #server: Sender
  #time: () => number
  #isNumbered: boolean
  #isCounted: boolean
  #tag: number
  #exchange = 0
  /** Packets that are met after the next one. */
  #late: OddPacket[] = []

  /** @param oneIn packets of which one is odd */
  constructor(random: Random, number: number, oneIn: number, packets: OddPacket[], time: () => number) {
    this.#random = random
    this.#oneIn = oneIn
    this.packets = packets
    this.#time = time
    const isSix = chance(random, 3)
    const [low, high] = isSix ? ['2001:db8::1', '2001:db8::2'] : ['10.0.0.1', '10.0.0.2']
    const [client, server] = chance(random, 2) ? [low!, high!] : [high!, low!]
    this.#ends = [{ address: client, port: 1024 + number }, { address: server, port: 80 }]
    this.#isNumbered = chance(random, 2)
    this.#isCounted = chance(random, 3)
    this.#tag = this.#isNumbered ? number + 1 : 0
    // Near the wrap, often.
    const first = (): number => chance(random, 2) ? 2 ** 32 - random.below(3000) : random.below(2 ** 31) * 2
    this.#client = { isClient: true, sequence: first(), record: 0, packets: 0, bytes: 0 }
    this.#server = { isClient: false, sequence: first(), record: 0, packets: 0, bytes: 0 }
  }

  open(): void {
    this.send(this.#client, 'S')
    this.send(this.#server, 'SA')
    this.send(this.#client, 'A')
  }

  turn(): void {
    const random = this.#random
    const exchange = ++this.#exchange
    const method = ['GET', 'GET', 'POST', 'HEAD'][random.below(4)]!
    const body = method !== 'POST' ? '' : 'x'.repeat(random.below(chance(random, 4) ? 6000 : 50))
    const length = method === 'POST' ? `Content-Length: ${body.length}\r\n` : ''
    this.#odd(this.#client, { flags: 'PA', payload: `${method} /${exchange} HTTP/1.1\r\nHost: a\r\n${length}\r\n${body}` })
    if (chance(random, 4)) this.#odd(this.#server, { flags: 'A' })
    this.#odd(this.#server, { flags: 'PA', payload: this.#response(exchange, method) })
    if (chance(random, 3)) this.#odd(this.#client, { flags: 'A' })
  }

  #response(exchange: number, method: string): string {
    const random = this.#random
    const body = 'y'.repeat(random.below(chance(random, 6) ? 6000 : 50))
    const start = `X-Id: ${exchange}\r\n`
    if (method !== 'HEAD' && chance(random, 8)) return `HTTP/1.1 304 Not Modified\r\n${start}\r\n`
    if (method === 'HEAD' || chance(random, 2)) {
      return `HTTP/1.1 200 OK\r\n${start}Content-Length: ${body.length}\r\n\r\n${method === 'HEAD' ? '' : body}`
    }
    const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`
    return `HTTP/1.1 200 OK\r\n${start}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`
  }

  #odd(sender: Sender, fields: Partial<SegmentFields>): void {
    const random = this.#random
    if (chance(random, this.#oneIn)) ODDS[random.below(ODDS.length)]!(this, sender, fields as SegmentFields)
    else this.send(sender, fields.flags!, fields.payload as string | undefined)
  }

  get random(): Random {
    return this.#random
  }

  peerOf(sender: Sender): Sender {
    return sender.isClient ? this.#server : this.#client
  }

  /** A packet as its sender would send it now; what `more` says of its numbers is how it is met. */
  send(sender: Sender, flags: string, payload = '', more: Partial<SegmentFields> = {}, spoil?: OddPacket['spoil']): void {
    this.#meet({ fields: this.#fields(sender, flags, payload, more), ...(spoil === undefined ? {} : { spoil }) })
    sender.sequence = (sender.sequence + payload.length + (/[SF]/.test(flags) ? 1 : 0)) % 2 ** 32
  }

  /** It was sent, and numbered, and is not met. */
  lose(sender: Sender, flags: string, payload = ''): void {
    this.#fields(sender, flags, payload, {})
    sender.sequence = (sender.sequence + payload.length) % 2 ** 32
  }

  /** It is met after the next one. */
  delay(sender: Sender, flags: string, payload = ''): void {
    this.#late.push({ fields: this.#fields(sender, flags, payload, {}) })
    sender.sequence = (sender.sequence + payload.length) % 2 ** 32
  }

  /** What the kernel says of the packets from here on. */
  retell(): void {
    const random = this.#random
    if (chance(random, 2)) this.#isCounted = !this.#isCounted
    else if (chance(random, 2)) this.#isNumbered = !this.#isNumbered
    else {
      this.#tag += 1000
      this.#client.record = this.#server.record = random.below(3)
    }
  }

  #fields(sender: Sender, flags: string, payload: string, more: Partial<SegmentFields>): SegmentFields {
    const [client, server] = this.#ends
    sender.packets++
    sender.bytes += payload.length
    const seen = { packets: sender.packets, bytes: sender.bytes, retransmissions: 0 }
    return {
      from: sender.isClient ? client : server, to: sender.isClient ? server : client, flags, payload,
      sequence: sender.sequence, acknowledgement: flags === 'S' ? 0 : this.peerOf(sender).sequence, time: this.#time(),
      window: 1000 + this.#random.below(3), ...(this.#tag === 0 ? {} : { tag: this.#tag }),
      ...(this.#isNumbered ? { record: sender.record++ } : {}), ...(this.#isCounted ? { seen } : {}), ...more,
    }
  }

  #meet(packet: OddPacket): void {
    this.packets.push(packet, ...this.#late)
    this.#late = []
  }
}

const plain = (connection: OddConnection, sender: Sender, { flags, payload }: SegmentFields, more: Partial<SegmentFields> = {}): void =>
  connection.send(sender, flags!, payload as string | undefined, more)

/** Like `plain`, with another packet of the same sender before it that takes no number of the stream. */
const before = (flags: string, more: (sender: Sender, peer: Sender, random: Random) => Partial<SegmentFields>): Odd =>
  (connection, sender, fields) => {
    const { sequence } = sender
    connection.send(sender, flags, '', more(sender, connection.peerOf(sender), connection.random))
    sender.sequence = sequence
    plain(connection, sender, fields)
  }

const ODDS: readonly Odd[] = [
  (connection, sender, { flags, payload }) => { connection.lose(sender, flags!, payload as string) },
  (connection, sender, { flags, payload }) => { connection.delay(sender, flags!, payload as string) },
  // Bare acknowledgements: of what was acknowledged before, of what was not seen, of a byte too many.
  before('A', (_, peer, random) => ({ acknowledgement: peer.sequence - random.below(200) })),
  before('A', (_, peer) => ({ acknowledgement: peer.sequence + 500 })),
  before('A', (_, peer) => ({ acknowledgement: peer.sequence + 1 })),
  // A window that is closed, and the probe of it; a keep-alive probe.
  before('A', () => ({ window: 0 })),
  before('A', (sender) => ({ sequence: sender.sequence - 1, payload: 'z' })),
  before('A', (sender) => ({ sequence: sender.sequence - 1 })),
  // Resets: forged, and not; a SYN on a live connection; a FIN that nobody believes.
  before('R', (sender) => ({ sequence: sender.sequence + 2 ** 29 })),
  before('RA', (_, __, random) => (chance(random, 2) ? {} : { interfaceIndex: 2 })),
  before('S', (sender) => ({ sequence: sender.sequence + 12345, acknowledgement: 0 })),
  before('F', (sender) => ({ sequence: sender.sequence - 20 })),
  // Other interfaces, directions and tunnels: a double, or the only one.
  (connection, sender, fields) => {
    const { sequence } = sender
    plain(connection, sender, fields)
    const after = sender.sequence
    sender.sequence = sequence
    plain(connection, sender, fields, chance(connection.random, 3) ? {} : { interfaceIndex: 2 })
    sender.sequence = after
  },
  (connection, sender, fields) => plain(connection, sender, fields, { direction: 2 }),
  (connection, sender, fields) => plain(connection, sender, fields, { tunnel: 1 }),
  // Two segments a message, two messages a segment, an interim response.
  (connection, sender, { flags, payload = '' }) => {
    const cut = 1 + connection.random.below(Math.max(1, payload.length - 1))
    connection.send(sender, flags!, payload.slice(0, cut) as string)
    connection.send(sender, flags!, payload.slice(cut) as string)
  },
  (connection, sender, { flags, payload = '' }) => connection.send(sender, flags!, `${payload as string}${payload as string}`),
  (connection, sender, fields) => {
    if (!sender.isClient) connection.send(sender, 'PA', 'HTTP/1.1 100 Continue\r\n\r\n')
    plain(connection, sender, fields)
  },
  // Old and new acknowledgements on data, data with FIN, data cut, its front left out.
  (connection, sender, fields) => plain(connection, sender, fields, { acknowledgement: connection.peerOf(sender).sequence - 1 }),
  (connection, sender, fields) => plain(connection, sender, fields, { acknowledgement: connection.peerOf(sender).sequence + 30 }),
  (connection, sender, { payload }) => connection.send(sender, 'FPA', payload as string),
  (connection, sender, fields) => plain(connection, sender, fields, { captured: (fields.payload?.length ?? 0) >> 1 }),
  (connection, sender, fields) => plain(connection, sender, fields, { skipped: Math.min(4, fields.payload?.length ?? 0) }),
  // What is told of packets beside their numbers.
  (connection, sender, fields) => {
    connection.retell()
    plain(connection, sender, fields)
  },
  (connection, sender, fields) => plain(connection, sender, fields, { process: 7, ttl: 9, tos: 3 }),
  (connection, sender, fields) => plain(connection, sender, fields, { marks: FLAG_IP_OPTIONS }),
  (connection, sender, fields) => plain(connection, sender, fields, { marks: FLAG_NOT_HTTP }),
  (connection, sender, fields) => plain(connection, sender, fields, { flags: 'PAU' }),
  (connection, sender, fields) => plain(connection, sender, fields, { flags: 'P' }),
  // A clock that goes back, or far ahead for one packet.
  (connection, sender, fields) => plain(connection, sender, fields, { time: 1e12 - 5 * MS }),
  (connection, sender, fields) => plain(connection, sender, fields, { time: 0 }),
  (connection, sender, fields) => plain(connection, sender, fields, { protocol: 17 }),
  // A byte of the event, or of its frame, that is anything.
  (connection, sender, { flags, payload }) => {
    const { random } = connection
    const at = random.below(FRAME_BYTES + PACKET_EVENT.bytes + ((payload as string | undefined)?.length ?? 0))
    connection.send(sender, flags!, payload as string, {}, { at, byte: random.below(256) })
  },
]
