import type { DatagramHandler, Side, StreamControl } from '../../connection/mod.ts'
import { HANDSHAKE_OUTCOME } from '../connection-facts.ts'
import type { HandshakeOutcome } from '../connection-facts.ts'
import type { MessageSink } from '../message.ts'
import { alertName, cipherName, groupName, ja4, MESSAGE_TYPE, parseClientHello, parseServerHello, versionName } from '../tls/mod.ts'
import type { ClientHello, ServerHello } from '../tls/mod.ts'
import { QUIC_ANOMALY } from './anomaly.ts'
import type { QuicAnomaly } from './anomaly.ts'
import { CryptoStream } from './crypto-stream.ts'
import type { DecryptBudget } from './decrypt-budget.ts'
import { readInitialFrames } from './initial-frames.ts'
import { InitialKeys, openInitial } from './initial-keys.ts'
import { readLongHeader } from './packet-header.ts'
import type { LongHeader } from './packet-header.ts'

const MESSAGE_HEADER_BYTES = 4
/** Packets that one datagram may hold: one of each kind, and a little more. */
const PACKETS_MAX = 8

/** One try of a client: a connection id of its first packet, and what came under its keys. */
interface Attempt {
  readonly id: string
  readonly destinationId: Uint8Array
  readonly client: Side
  /** By version: the client's own, and the one that the server took instead (RFC 9368 2.3), whose keys come of the same id. */
  readonly keys: Map<string, InitialKeys>
  /** The server's once it has spoken, until then the client's. */
  version: string
  readonly startTime: number
  readonly streams: readonly [CryptoStream, CryptoStream]
}

/**
 * The Initial packets between two addresses and ports: tells one handshake, then no more.
 *
 * A Retry, or another version, makes the client begin again under another key: then that try counts. A HelloRetryRequest does not:
 * the handshake is that of the first ClientHello, answered by the ServerHello (as over TCP).
 */
export class QuicFlow implements DatagramHandler {
  readonly #control: StreamControl
  readonly #sink: MessageSink
  readonly #budget: DecryptBudget
  #attempt: Attempt | undefined
  #hello: ClientHello | undefined
  #answer: ServerHello | undefined
  #answerTime = -1
  isDone = false

  constructor(control: StreamControl, sink: MessageSink, budget: DecryptBudget) {
    this.#control = control
    this.#sink = sink
    this.#budget = budget
  }

  datagram(side: Side, bytes: Uint8Array, time: number): void {
    let at = 0
    for (let count = 0; count < PACKETS_MAX && at < bytes.length && !this.isDone; count++) {
      const header = readLongHeader(bytes, at)
      if (header === undefined) return
      if (header === 'malformed') return this.#tell(QUIC_ANOMALY.header, side, time)
      if (header.isInitial) this.#initial(side, bytes, at, header, time)
      at = header.end
    }
  }

  end(time: number): void {
    if (this.isDone) return
    if (this.#hello !== undefined) this.#finish(HANDSHAKE_OUTCOME.unanswered, 'no answer of the server was seen')
    else if (this.#attempt !== undefined) this.#tell(QUIC_ANOMALY.clientHelloCut, this.#attempt.client, time)
    this.isDone = true
  }

  #initial(side: Side, bytes: Uint8Array, at: number, header: LongHeader, time: number): void {
    if (!this.#budget.take(time)) return this.#tell(QUIC_ANOMALY.overBudget, side, time)
    const known = this.#openKnown(side, bytes, at, header)
    const payload = known ?? this.#begin(side, bytes, at, header, time)
    if (payload === undefined) return this.#tell(QUIC_ANOMALY.notDecrypted, side, time)
    const frames = readInitialFrames(payload)
    if (frames.isMalformed) this.#tell(QUIC_ANOMALY.frames, side, time)
    const stream = this.#attempt!.streams[side]
    for (const { offset, data } of frames.crypto) if (!stream.add(offset, data)) this.#tell(QUIC_ANOMALY.cryptoOverBound, side, time)
    for (let message = stream.message(); message !== undefined && !this.isDone; message = stream.message()) this.#read(side, message, time)
    if (frames.close !== undefined && !this.isDone) this.#closed(side, frames.close.alert, time)
  }

  /** A packet of the try at hand; a server may have changed to another version than the client's first. */
  #openKnown(side: Side, bytes: Uint8Array, at: number, header: LongHeader): Buffer | undefined {
    const attempt = this.#attempt
    if (attempt === undefined) return undefined
    const { version } = header
    const isClient = attempt.client === side
    const known = attempt.keys.get(version.name)
    const isChange = known === undefined && !isClient && attempt.keys.size === 1
    const keys = isChange ? new InitialKeys(version, attempt.destinationId) : known
    const payload = keys === undefined ? undefined : openInitial(bytes, at, header, isClient ? keys.client : keys.server)
    if (keys === undefined || payload === undefined) return undefined
    attempt.keys.set(version.name, keys)
    if (!isClient) attempt.version = version.name
    return payload
  }

  /** A client's first packet: its own connection id opens it. */
  #begin(side: Side, bytes: Uint8Array, at: number, header: LongHeader, time: number): Buffer | undefined {
    const id = `${header.version.name} ${Buffer.from(header.destinationId).toString('latin1')}`
    if (this.#attempt !== undefined && (this.#attempt.id === id || this.#attempt.client !== side)) return undefined
    const { version } = header
    let keys = new InitialKeys(version, header.destinationId)
    let payload = openInitial(bytes, at, header, keys.client)
    if (payload === undefined && version.otherSalt !== undefined) {
      keys = new InitialKeys({ ...version, salt: version.otherSalt }, header.destinationId)
      payload = openInitial(bytes, at, header, keys.client)
    }
    if (payload === undefined) return undefined
    this.#attempt = {
      id, destinationId: header.destinationId.slice(), client: side, keys: new Map([[version.name, keys]]),
      version: version.name, startTime: this.#attempt?.startTime ?? time,
      streams: [new CryptoStream(), new CryptoStream()],
    }
    this.#hello = undefined
    if (this.#control.client !== side) this.#control.setClient(side)
    return payload
  }

  #read(side: Side, message: Uint8Array, time: number): void {
    const body = message.subarray(MESSAGE_HEADER_BYTES)
    if (side === this.#attempt!.client) {
      if (this.#hello !== undefined) return
      this.#hello = message[0] === MESSAGE_TYPE.clientHello ? parseClientHello(body) : undefined
      if (this.#hello === undefined) this.#giveUp(QUIC_ANOMALY.clientHello, side, time)
    } else {
      const answer = message[0] === MESSAGE_TYPE.serverHello ? parseServerHello(body) : undefined
      // Behind a HelloRetryRequest, which is the first message then, the ServerHello is still to come.
      if (answer === undefined || answer.isRetry) return
      this.#answer = answer
      this.#answerTime = time
    }
    if (this.#hello !== undefined && this.#answer !== undefined) this.#finish(HANDSHAKE_OUTCOME.answered, '')
  }

  #closed(side: Side, alert: number | undefined, time: number): void {
    if (this.#hello === undefined) return
    const isServer = side !== this.#attempt!.client
    if (isServer) this.#answerTime = time
    const why = alert === undefined ? 'an error' : `the alert ${alertName(alert)}`
    this.#finish(HANDSHAKE_OUTCOME.refused, `the ${isServer ? 'server' : 'client'} closed it with ${why}`)
  }

  #finish(outcome: HandshakeOutcome, reason: string): void {
    this.isDone = true
    const attempt = this.#attempt!
    const hello = this.#hello!
    const answer = this.#answer
    this.#sink.handshake?.(this.#control, {
      protocol: 'quic',
      protocolVersion: attempt.version,
      outcome,
      reason,
      startTime: attempt.startTime,
      answerTime: this.#answerTime,
      version: answer === undefined ? undefined : versionName(answer.version),
      cipher: answer === undefined ? undefined : cipherName(answer.cipher),
      curve: answer?.group === undefined ? undefined : groupName(answer.group),
      nextProtocol: undefined,
      isResumed: answer?.hasPreSharedKey,
      serverName: hello.serverName,
      offeredProtocols: hello.protocols,
      ja4: ja4(hello, 'q'),
      hasEncryptedHello: hello.hasEncryptedHello,
      client: undefined,
      server: undefined,
    })
  }

  #giveUp(name: QuicAnomaly, side: Side, time: number): void {
    this.#tell(name, side, time)
    this.isDone = true
  }

  #tell(name: QuicAnomaly, side: Side, time: number): void {
    this.#sink.anomaly(this.#control, side, name, time)
  }
}
