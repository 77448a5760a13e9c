import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { HEAD_AUTHORITY, HEAD_BYTES, HEAD_COUNT, HEAD_SPANS, HEAD_UNKNOWN, SPAN_BYTES } from '../../../wasm/layout.ts'
import type { End, Side, StreamControl } from '../../connection/mod.ts'
import type { Handshake, ProxyHeader } from '../connection-facts.ts'
import { MESSAGE, MESSAGE_END } from '../message.ts'
import type { CutBy, Message, MessageSink, Settlement, Unanswered } from '../message.ts'
import type { WebSocket } from '../websocket/mod.ts'
import { oddityNames } from '../oddity.ts'
import { headText } from './head-text.ts'
import type { HeadText } from './head-text.ts'
import type { BodyFindings } from '../body/mod.ts'

/** One message as a test sees it. */
export interface Recorded extends HeadText {
  readonly kind: 'request' | 'response' | 'interim'
  readonly side: Side
  exchange: number
  /** See Message: it becomes `exchange` when that is proven. */
  likely: number
  /** That it answers the request of its exchange is not proven. */
  isLikely: boolean
  readonly startTime: number
  endTime: number
  bodyBytes: number
  ended: string | undefined
  oddities: string[]
  trailer: HeadText['fields']
  /** HTTP/2: pseudo-headers that are not among the above, and what is not known. */
  authority?: string
  unknown?: number
  stream?: number
  resetCode?: number | undefined
  cutBy?: CutBy
  messages?: number | undefined
  findings?: BodyFindings
}

const KINDS = { [MESSAGE.request]: 'request', [MESSAGE.response]: 'response', [MESSAGE.interim]: 'interim' } as const
const NO_HEAD: HeadText = { method: '', target: '', version: 0, status: 0, fields: [] }

/**
 * A MessageSink that keeps messages as plain values, gives every block back, and fails when a decoder breaks the contract
 * (message.ts): `end` once for each `head`, one request and one final response an exchange, `webSocketOver`
 * once for each `webSocketOpened`, what cut a message where it is cut, `close` last and once.
 */
export class MessageRecorder implements MessageSink {
  readonly messages: Recorded[] = []
  readonly anomalies: string[] = []
  readonly unansweredExchanges: number[] = []
  /** Why, for each of them. */
  readonly reasons: (Unanswered | undefined)[] = []
  /** Those that are over. */
  readonly webSockets: WebSocket[] = []
  readonly handshakes: Handshake[] = []
  readonly proxyHeaders: ProxyHeader[] = []
  closed: End | undefined
  readonly #memory: ByteMemory
  readonly #open = new Map<Message, Recorded>()
  readonly #taken = new Set<string>()
  readonly #openWebSockets = new Set<WebSocket>()

  constructor(memory: ByteMemory) {
    this.#memory = memory
  }

  get requests(): Recorded[] {
    return this.messages.filter((message) => message.kind === 'request')
  }

  get responses(): Recorded[] {
    return this.messages.filter((message) => message.kind === 'response')
  }

  /** Exchange → [request target, response status], of those that have both. */
  get pairs(): [string, number][] {
    return this.requests.flatMap((request) => {
      const response = this.responses.find((candidate) => candidate.exchange === request.exchange)
      return response === undefined ? [] : [[request.target, response.status] as [string, number]]
    })
  }

  head(_connection: StreamControl, message: Message): void {
    this.#mustBeOpen('head')
    const kind = KINDS[message.kind]
    if (kind !== 'interim') {
      const key = `${kind} ${message.exchange}`
      if (this.#taken.has(key)) throw new Error(`Exchange ${message.exchange} has two messages of kind ${kind}`)
      this.#taken.add(key)
      if (kind === 'response' && this.unansweredExchanges.includes(message.exchange)) {
        throw new Error(`Exchange ${message.exchange} was unanswered, and is answered now`)
      }
    }
    const recorded: Recorded = {
      ...(message.head === 0 ? NO_HEAD : headText(this.#memory, message.head)),
      kind,
      side: message.side,
      exchange: message.exchange,
      likely: message.likely ?? 0,
      isLikely: message.isLikely ?? false,
      startTime: message.startTime,
      endTime: -1,
      bodyBytes: 0,
      ended: undefined,
      oddities: [],
      trailer: [],
      ...this.#ofHttp2(message),
    }
    this.messages.push(recorded)
    this.#open.set(message, recorded)
  }

  #ofHttp2({ head, stream }: Message): Partial<Recorded> {
    if (stream === undefined || head === 0) return {}
    const { u16, u32 } = this.#memory
    const raw = head + HEAD_SPANS + u32[(head + HEAD_COUNT) >>> 2]! * SPAN_BYTES
    const authority = this.#memory.latin1(raw + u32[(head + HEAD_AUTHORITY) >>> 2]!, u32[(head + HEAD_AUTHORITY + 4) >>> 2]!)
    return { authority, unknown: u16[(head + HEAD_UNKNOWN) >>> 1]!, stream }
  }

  end(_connection: StreamControl, message: Message): void {
    this.#mustBeOpen('end')
    const recorded = this.#open.get(message)
    if (recorded === undefined) throw new Error(`A message of exchange ${message.exchange} ended that is not open`)
    this.#open.delete(message)
    recorded.endTime = message.endTime
    recorded.bodyBytes = message.bodyBytes
    recorded.ended = message.ended
    if ((message.ended === MESSAGE_END.cut) !== (message.cutBy !== undefined)) throw new Error(`Ended as ${message.ended} by ${message.cutBy}`)
    if (message.cutBy !== undefined) recorded.cutBy = message.cutBy
    if (message.resetCode !== undefined) recorded.resetCode = message.resetCode
    if (message.messages !== undefined) recorded.messages = message.messages
    if (message.findings !== undefined) recorded.findings = message.findings
    recorded.oddities = oddityNames(message.oddities)
    if (message.trailer !== 0) recorded.trailer = headText(this.#memory, message.trailer).fields
    for (const block of [message.head, message.trailer]) {
      if (block !== 0) this.#memory.allocator.free(block, this.#memory.u32[(block + HEAD_BYTES) >>> 2]!)
    }
  }

  unanswered(_connection: StreamControl, exchange: number, _time: number, why?: Unanswered): void {
    this.#mustBeOpen('unanswered')
    if (this.unansweredExchanges.includes(exchange)) throw new Error(`Exchange ${exchange} was told unanswered twice`)
    if (!this.#taken.has(`request ${exchange}`)) throw new Error(`Exchange ${exchange} is unanswered, but has no request`)
    this.unansweredExchanges.push(exchange)
    this.reasons.push(why)
  }

  handshake(connection: StreamControl, handshake: Handshake): void {
    this.#mustBeOpen('handshake')
    if (connection.client === undefined) throw new Error('A handshake was told whose client is not known')
    this.handshakes.push(handshake)
  }

  proxied(_connection: StreamControl, header: ProxyHeader): void {
    this.#mustBeOpen('proxied')
    if (this.messages.length > 0) throw new Error('A PROXY header came behind a message')
    this.proxyHeaders.push(header)
  }

  settled(_connection: StreamControl, settlement: Settlement, time: number): void {
    this.#mustBeOpen('settled')
    if (this.messages.every(({ likely }) => likely === 0)) throw new Error('Nothing is held that could be settled')
    this.#settle(_connection, settlement, time)
  }

  #settle(connection: StreamControl, settlement: Settlement, time: number): void {
    const held = this.messages.filter(({ likely }) => likely !== 0)
    for (const message of held) {
      if (!this.#taken.has(`request ${message.likely}`)) throw new Error(`Exchange ${message.likely} has no request`)
      if (settlement === 'apart') this.unanswered(connection, message.likely, time)
      else if (this.unansweredExchanges.includes(message.likely) || this.#taken.has(`response ${message.likely}`)) {
        throw new Error(`Exchange ${message.likely} has its response, or is unanswered`)
      } else {
        this.#taken.add(`response ${message.likely}`)
        const own = message.exchange
        for (const one of this.messages) if (one.exchange === own) one.exchange = message.likely
        message.isLikely = settlement === 'likely'
      }
      message.likely = 0
    }
  }

  anomaly(_connection: StreamControl, _side: Side, name: string, _time: number): void {
    this.#mustBeOpen('anomaly')
    this.anomalies.push(name)
  }

  webSocketOpened(_connection: StreamControl, webSocket: WebSocket): void {
    this.#mustBeOpen('webSocketOpened')
    this.#openWebSockets.add(webSocket)
  }

  webSocketOver(_connection: StreamControl, webSocket: WebSocket): void {
    this.#mustBeOpen('webSocketOver')
    if (!this.#openWebSockets.delete(webSocket)) throw new Error('A WebSocket ended that is not open')
    this.webSockets.push(webSocket)
  }

  close(connection: StreamControl, cause: End, time: number): void {
    this.#mustBeOpen('close')
    this.#settle(connection, 'likely', time)
    if (this.#openWebSockets.size > 0) throw new Error(`Closed with ${this.#openWebSockets.size} WebSockets open`)
    if (this.#open.size > 0) throw new Error(`Closed with ${this.#open.size} messages open`)
    this.closed = cause
  }

  #mustBeOpen(call: string): void {
    if (this.closed !== undefined) throw new Error(`${call} after close`)
  }
}
