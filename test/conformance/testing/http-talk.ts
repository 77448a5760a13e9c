import type { Random } from './damage.ts'

/** One packet of a conversation, as it passes the place of the capture. */
export interface TalkPacket {
  readonly from: 'client' | 'server'
  /** Nanoseconds. */
  readonly time: number
  readonly flags: string
  readonly sequence: number
  readonly acknowledgement: number
  readonly payload: string
  /** Numbers of the exchanges of which it carries bytes. */
  readonly exchanges: readonly number[]
}

/** How many requests a client keeps under way: all the time, or answered together, or as they happen to come. */
export type ClientManner = 'constant' | 'batches' | 'random'
export type ServerManner = 'steady' | 'random' | 'fast'

export interface TalkOptions {
  readonly exchanges: number
  /** Requests under way at most. */
  readonly depth: number
  readonly manner: ClientManner
  /** Exchanges in which the client still waits, before it goes to its depth. */
  readonly probes: number
  /** The client's mean pause after a response, nanoseconds; 0 = it goes on at once. */
  readonly pause: number
  /** The server's mean time for one request, nanoseconds, one after the other. */
  readonly work: number
  readonly server: ServerManner
  /** One way between client and server, nanoseconds. */
  readonly way: number
  /** Where the capture stands on it: 0 = at the client, 1 = at the server. */
  readonly place: number
  readonly mss: number
}

interface Endpoint {
  readonly name: 'client' | 'server'
  sent: number
  /** What the peer is known to have. */
  confirmed: number
  received: number
  /** Arrival of its last packet at the peer: packets of one direction stay in order. */
  arrival: number
  ackIsDue: boolean
}

interface Piece {
  readonly text: string
  readonly exchange: number
}

const HEAD_SHARE = 10
const BUSY = 50_000

/**
 * Two endpoints that speak HTTP/1.1 over TCP, each knowing only what has reached it: every sequence and acknowledgement number
 * is the one that a real stack would have sent at that time. The n-th request has the target `/n`, its response the field
 * `X-Id: n`.
 */
export class HttpTalk {
  readonly packets: TalkPacket[] = []
  readonly #options: TalkOptions
  readonly #random: Random
  readonly #events: { time: number; order: number; run: () => void }[] = []
  #order = 0
  #now = 1e12
  readonly #client: Endpoint
  readonly #server: Endpoint
  #asked = 0
  #answered = 0
  readonly #isHead: boolean[] = []
  /** Ends of requests in the client's stream, and of responses in the server's. */
  readonly #requestEnds: number[] = []
  readonly #responseEnds: number[] = []
  #isServerBusy = false
  #worked = 0

  constructor(options: TalkOptions, random: Random) {
    this.#options = options
    this.#random = random
    const endpoint = (name: 'client' | 'server'): Endpoint => {
      const first = random.below(2 ** 31) * 2
      return { name, sent: first, confirmed: first, received: 0, arrival: 0, ackIsDue: false }
    }
    this.#client = endpoint('client')
    this.#server = endpoint('server')
  }

  run(): TalkPacket[] {
    const { way } = this.#options
    this.#emit(this.#client, 'S', '', [])
    this.#client.sent++
    this.#at(way, () => {
      this.#server.received = this.#client.sent
      this.#emit(this.#server, 'SA', '', [])
      this.#server.sent++
    })
    this.#at(2 * way, () => {
      this.#client.received = this.#server.sent
      this.#emit(this.#client, 'A', '', [])
      this.#ask()
    })
    for (let steps = 0; this.#events.length > 0 && steps < 20_000; steps++) {
      this.#events.sort((a, b) => a.time - b.time || a.order - b.order)
      const { time, run } = this.#events.shift()!
      this.#now = time
      run()
    }
    return this.packets.sort((a, b) => a.time - b.time)
  }

  #at(delay: number, run: () => void): void {
    this.#events.push({ time: this.#now + delay, order: this.#order++, run })
  }

  /** Around `mean`, never 0. */
  #about(mean: number, isSteady: boolean): number {
    const unit = (this.#random.below(1_000_000) + 1) / 1_000_001
    return Math.max(1000, Math.round(isSteady ? mean * (0.98 + unit * 0.04) : -Math.log(unit) * mean))
  }

  #emit(from: Endpoint, flags: string, payload: string, exchanges: readonly number[], sequence = from.sent): void {
    const { way, place } = this.#options
    const gone = from === this.#client ? place : 1 - place
    this.packets.push({
      from: from.name, time: Math.round(this.#now + gone * way), flags, sequence: sequence >>> 0,
      acknowledgement: flags === 'S' ? 0 : from.received >>> 0, payload, exchanges,
    })
  }

  /** Sends pieces as one write: segments of at most `mss` bytes that reach the peer in order. */
  #write(from: Endpoint, pieces: readonly Piece[]): void {
    const text = pieces.map((piece) => piece.text).join('')
    const { mss, way } = this.#options
    for (let at = 0; at < text.length; at += mss) {
      const payload = text.slice(at, at + mss)
      const start = from.sent
      let before = 0
      const exchanges: number[] = []
      for (const piece of pieces) {
        if (before < at + payload.length && before + piece.text.length > at) exchanges.push(piece.exchange)
        before += piece.text.length
      }
      this.#now += 500
      this.#emit(from, 'PA', payload, exchanges)
      from.sent += payload.length
      from.ackIsDue = false
      const acknowledgement = from.received
      from.arrival = Math.max(from.arrival + 200, this.#now + Math.round(way * (1 + this.#random.below(100) / 2000)))
      const end = from.sent
      this.#at(from.arrival - this.#now, () => this.#arrive(from, end, acknowledgement))
      // A timer that was too short: sent again, with what has come since.
      if (this.#random.below(60) === 0) {
        this.#at(way * (1 + this.#random.below(3)), () => {
          if (from.confirmed < end) this.#emit(from, 'PA', payload, exchanges, start)
        })
      }
    }
  }

  #arrive(from: Endpoint, end: number, acknowledgement: number): void {
    const to = from === this.#client ? this.#server : this.#client
    to.received = Math.max(to.received, end)
    to.confirmed = Math.max(to.confirmed, acknowledgement)
    to.ackIsDue = true
    const late = this.#random.below(3) === 0 ? 0 : this.#random.below(40) * 1e6
    this.#at(late, () => {
      if (!to.ackIsDue) return
      to.ackIsDue = false
      this.#emit(to, 'A', '', [])
      const { received } = to
      this.#at(this.#options.way, () => { from.confirmed = Math.max(from.confirmed, received) })
    })
    if (to === this.#server) this.#serve()
    else this.#read()
  }

  /** The client has received more: for each response that is whole now it may ask again. */
  #read(): void {
    const before = this.#answered
    while (this.#answered < this.#responseEnds.length && this.#responseEnds[this.#answered]! <= this.#client.received) this.#answered++
    if (this.#answered === before) return
    const { manner, pause } = this.#options
    if (this.#answered >= this.#options.exchanges) return this.#at(this.#about(Math.max(pause, BUSY), false), () => this.#finish())
    if (manner === 'random') return
    if (manner === 'batches' && this.#answered < this.#asked) return
    this.#at(pause === 0 ? this.#about(BUSY, false) : this.#about(pause, false), () => this.#ask())
  }

  #ask(): void {
    const { exchanges, depth, manner, probes, pause, work } = this.#options
    const limit = this.#asked < probes ? 1 : depth
    const pieces: Piece[] = []
    while (this.#asked < exchanges && this.#asked - this.#answered < limit) {
      const exchange = ++this.#asked
      const text = this.#request(exchange)
      this.#requestEnds.push(this.#client.sent + pieces.reduce((sum, piece) => sum + piece.text.length, 0) + text.length)
      if (manner !== 'batches' || this.#random.below(2) === 0) {
        this.#write(this.#client, [...pieces, { text, exchange }])
        pieces.length = 0
      } else pieces.push({ text, exchange })
      if (manner === 'random') break
    }
    if (pieces.length > 0) this.#write(this.#client, pieces)
    if (manner === 'random' && this.#asked < exchanges) this.#at(this.#about(pause + work, false), () => this.#ask())
  }

  #request(exchange: number): string {
    const isHead = this.#random.below(HEAD_SHARE) === 0
    this.#isHead[exchange] = isHead
    const body = isHead || this.#random.below(4) > 0 ? '' : 'x'.repeat(1 + this.#random.below(this.#random.below(4) === 0 ? 6000 : 400))
    const framing = body === '' ? '' : `Content-Length: ${body.length}\r\n`
    return `${isHead ? 'HEAD' : body === '' ? 'GET' : 'POST'} /${exchange} HTTP/1.1\r\nHost: a\r\n${framing}\r\n${body}`
  }

  /** The server works on one request after the other, each from when it is whole. */
  #serve(): void {
    const { work, server } = this.#options
    if (this.#isServerBusy || this.#worked >= this.#requestEnds.length) return
    if (this.#requestEnds[this.#worked]! > this.#server.received) return
    this.#isServerBusy = true
    const exchange = ++this.#worked
    if (this.#random.below(15) === 0) this.#write(this.#server, [{ text: 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n', exchange }])
    this.#at(server === 'fast' ? 2000 : this.#about(work, server === 'steady'), () => {
      const [head, body] = this.#response(exchange)
      if (body !== '' && this.#random.below(4) === 0) {
        this.#write(this.#server, [{ text: head, exchange }])
        this.#at(this.#about(100_000, false), () => this.#completed(body, exchange))
      } else this.#completed(head + body, exchange)
    })
  }

  #completed(text: string, exchange: number): void {
    this.#write(this.#server, [{ text, exchange }])
    this.#responseEnds.push(this.#server.sent)
    this.#isServerBusy = false
    this.#serve()
  }

  #response(exchange: number): [string, string] {
    const isHead = this.#isHead[exchange] === true
    const body = 'y'.repeat(this.#random.below(4) === 0 ? this.#random.below(6000) : this.#random.below(300))
    const start = `X-Id: ${exchange}\r\n`
    if (!isHead && this.#random.below(12) === 0) return [`HTTP/1.1 304 Not Modified\r\n${start}\r\n`, '']
    if (isHead || this.#random.below(3) > 0) {
      return [`HTTP/1.1 200 OK\r\n${start}Content-Length: ${body.length}\r\n\r\n`, isHead ? '' : body]
    }
    const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`
    return [`HTTP/1.1 200 OK\r\n${start}Transfer-Encoding: chunked\r\n\r\n`, `${chunk}0\r\n\r\n`]
  }

  #finish(): void {
    this.#emit(this.#client, 'FA', '', [])
    this.#client.sent++
    this.#at(this.#options.way, () => {
      this.#server.received = this.#client.sent
      this.#emit(this.#server, 'FA', '', [])
      this.#server.sent++
    })
    this.#at(2 * this.#options.way, () => {
      this.#client.received = this.#server.sent
      this.#emit(this.#client, 'A', '', [])
    })
  }
}
