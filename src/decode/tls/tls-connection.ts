import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { END, GAP } from '../../connection/mod.ts'
import type { End, Gap, Side, StreamControl, StreamHandler } from '../../connection/mod.ts'
import { HANDSHAKE_OUTCOME } from '../connection-facts.ts'
import type { CertificateFacts, Handshake, HandshakeOutcome } from '../connection-facts.ts'
import type { OpenInner } from '../decoder.ts'
import type { MessageSink } from '../message.ts'
import { TunnelSink } from '../tunnel-sink.ts'
import { TLS_ANOMALY } from './anomaly.ts'
import type { TlsAnomaly } from './anomaly.ts'
import type { CertificateReader } from './certificate.ts'
import { cipherName } from './cipher-names.ts'
import { parseClientHello, parseSsl2Hello } from './client-hello.ts'
import type { ClientHello } from './client-hello.ts'
import { ja4 } from './ja4.ts'
import { alertName, groupName, MESSAGE_TYPE, RECORD, VERSION, versionName } from './parameters.ts'
import { isEncryptedFrom, keyExchangeGroup, parseServerHello } from './server-hello.ts'
import type { ServerHello } from './server-hello.ts'
import { Ssl2Start } from './ssl2-start.ts'
import { TlsSide } from './tls-side.ts'
import type { TlsSideOwner } from './tls-side.ts'

/** Encrypted bytes of the client without a word of its server: then the server is out of sight. Early data may be so long. */
const UNANSWERED_BYTES_MAX = 65_536
const END_REASON: Readonly<Record<End, string>> = {
  fin: 'the connection closed inside the handshake',
  reset: 'the connection was reset inside the handshake',
  idle: 'the connection was idle for too long',
  evicted: 'connection table full',
  replaced: 'the connection closed inside the handshake',
  overload: 'the agent could not keep up',
  shutdown: 'the capture ended inside the handshake',
}
const NO_CERTIFICATES: readonly [CertificateFacts | undefined, CertificateFacts | undefined] = [undefined, undefined]
const LEVEL_FATAL = 2
const CLOSE_NOTIFY = 0

export interface TlsOptions {
  readonly memory: ByteMemory
  readonly control: StreamControl
  readonly sink: MessageSink
  readonly certificates: CertificateReader
  /** Reads the connection of a server that does not speak TLS. */
  readonly openOther: OpenInner | undefined
}

/**
 * One TLS connection: reads its handshake while that is in the open, tells it once, and ignores the rest.
 *
 * It is over with the ServerHello of TLS 1.3, else with the ChangeCipherSpec that ends what can be read.
 */
export class TlsConnection implements StreamHandler, TlsSideOwner {
  readonly #options: TlsOptions
  /** Undefined once the handshake is told: thousands of such connections may stay open. */
  #sides: readonly [TlsSide, TlsSide] | undefined
  readonly #ended: [boolean, boolean] = [false, false]
  #ssl2: Ssl2Start | undefined
  #hello: ClientHello | undefined
  #isSsl2 = false
  #client: Side | undefined
  #answer: ServerHello | undefined
  #answerTime = -1
  #group: number | undefined
  #certificates = NO_CERTIFICATES
  /** The server's turn of a full handshake is over (RFC 5246 7.4.5). */
  #isServerDone = false
  #isDone = false
  #other: StreamHandler | undefined

  constructor(options: TlsOptions) {
    this.#options = options
    this.#sides = [new TlsSide(this, options.memory, 0), new TlsSide(this, options.memory, 1)]
    this.#ssl2 = new Ssl2Start(options.memory)
  }

  get isDone(): boolean {
    return this.#isDone
  }

  data(side: Side, pointer: number, length: number, time: number): void {
    if (this.#other !== undefined) return this.#other.data(side, pointer, length, time)
    if (this.#isDone) return
    const self = this.#sides![side]
    if (self.startTime < 0 && this.#isOther(side, pointer)) return this.#giveOver(side, pointer, length, time)
    let from = 0
    if (this.#ssl2!.isOpen(side, self.startTime < 0, pointer, length)) {
      if (self.startTime < 0) self.startTime = time
      from = this.#ssl2!.take(pointer, length)
      const body = this.#ssl2!.body
      if (body !== undefined) this.#readSsl2Hello(self, body, time)
    }
    if (from < length && !this.#isDone) self.data(pointer + from, length - from, time)
  }

  gap(side: Side, length: number, cause: Gap, time: number): void {
    this.#other?.gap(side, length, cause, time)
    if (this.#isDone) return
    this.#tell(TLS_ANOMALY.handshakeLost, side, time)
    this.#sides![side].stop()
    // Of the client nothing more is needed, once its hello is there.
    if (this.#hello === undefined || side !== this.#client) this.#finish('bytes of the handshake are missing')
  }

  skipped(side: Side, time: number): void {
    this.#other?.skipped(side, time)
  }

  end(side: Side, cause: End, time: number): void {
    if (this.#ended[side]) return
    this.#ended[side] = true
    this.#other?.end(side, cause, time)
    if (!this.#isDone && this.#hello === undefined && (this.#sides![side].isInside || this.#ssl2!.isInside)) {
      this.#tell(TLS_ANOMALY.clientHelloCut, side, time)
    }
    const isLast = this.#ended[0] && this.#ended[1]
    if (!this.#isDone && (isLast || cause !== 'fin')) this.#finish(END_REASON[cause])
    if (isLast) this.#options.sink.close(this.#options.control, cause, time)
  }

  message(side: TlsSide, type: number, body: Uint8Array, time: number): void {
    if (type === MESSAGE_TYPE.clientHello) return this.#readClientHello(side, body, time)
    if (this.#client === side.side) {
      if (type === MESSAGE_TYPE.certificate) this.#readCertificate(side, body, time)
      return
    }
    // A file may show the answer first; joined mid-way, what was asked is not known.
    if (this.#hello === undefined && !this.#options.control.fromStart) return this.#giveUp(TLS_ANOMALY.joinedLate, side, time)
    switch (type) {
      case MESSAGE_TYPE.serverHello:
        return this.#readServerHello(side, body, time)
      case MESSAGE_TYPE.certificate:
        return this.#readCertificate(side, body, time)
      case MESSAGE_TYPE.serverKeyExchange:
        if (this.#answer !== undefined) this.#group = keyExchangeGroup(body, cipherName(this.#answer.cipher))
        return
      case MESSAGE_TYPE.serverHelloDone:
        this.#isServerDone = true
        return this.#settle()
    }
  }

  changed(side: TlsSide, time: number): void {
    // After a HelloRetryRequest of TLS 1.3 it means nothing (RFC 8446 D.4).
    if (this.#answer?.isRetry === true) return
    side.hasChanged = true
    if (this.#hello === undefined && !this.#options.control.fromStart) return this.#giveUp(TLS_ANOMALY.joinedLate, side, time)
    this.#settle()
  }

  alert(side: TlsSide, level: number, description: number, time: number): void {
    if (level !== LEVEL_FATAL && description !== CLOSE_NOTIFY) return
    if (this.#hello === undefined) return
    if (this.#answerTime < 0 && side.side !== this.#client) this.#answerTime = time
    const who = side.side === this.#client ? 'client' : 'server'
    this.#finish(`the ${who} sent the alert ${alertName(description)}`, HANDSHAKE_OUTCOME.refused)
  }

  encrypted(side: TlsSide, time: number): void {
    if (this.#hello === undefined) {
      if (!this.#options.control.fromStart) this.#giveUp(TLS_ANOMALY.joinedLate, side, time)
      else if (side.encryptedBytes > UNANSWERED_BYTES_MAX) this.#giveUp(TLS_ANOMALY.record, side, time)
    } else if (side.encryptedBytes > UNANSWERED_BYTES_MAX) {
      this.#finish('no answer of the server was seen')
    }
  }

  malformed(side: TlsSide, time: number): void {
    this.#tell(TLS_ANOMALY.record, side.side, time)
    this.#finish('malformed record')
  }

  tooLong(side: TlsSide, type: number, time: number): void {
    this.#tell(TLS_ANOMALY.messageTooLong, side.side, time)
    if (type === MESSAGE_TYPE.clientHello || type === MESSAGE_TYPE.serverHello) this.#finish('message over the bound')
  }

  refused(side: TlsSide, time: number): void {
    this.#giveUp(TLS_ANOMALY.memoryLimit, side, time)
  }

  /** A server's first byte that begins no record: it may answer a ClientHello in plain HTTP. */
  #isOther(side: Side, pointer: number): boolean {
    if (this.#hello === undefined || side === this.#client || this.#options.openOther === undefined) return false
    const type = this.#options.memory.u8[pointer]!
    return type < RECORD.changeCipherSpec || type > RECORD.heartbeat
  }

  /** What the client says is lost for the protocol that the server speaks. */
  #giveOver(side: Side, pointer: number, length: number, time: number): void {
    const { control, sink, openOther } = this.#options
    this.#tell(TLS_ANOMALY.otherAnswer, side, time)
    this.#other = openOther!(control, new TunnelSink(sink, 0))
    this.#finish('the server answered in another protocol')
    this.#other.gap(side === 0 ? 1 : 0, 0, GAP.lost, time)
    for (const each of [0, 1] as const) if (this.#ended[each]) this.#other.end(each, END.fin, time)
    this.#other.data(side, pointer, length, time)
  }

  #readClientHello(side: TlsSide, body: Uint8Array, time: number): void {
    // The second one, after a HelloRetryRequest, asks for the same.
    if (this.#hello !== undefined) return
    this.#hello = parseClientHello(body)
    if (this.#hello === undefined) return this.#giveUp(TLS_ANOMALY.clientHello, side, time)
    this.#setClient(side.side)
    this.#settle()
  }

  #readSsl2Hello(side: TlsSide, body: Uint8Array, time: number): void {
    this.#hello = parseSsl2Hello(body)
    if (this.#hello === undefined) return this.#giveUp(TLS_ANOMALY.clientHello, side, time)
    this.#isSsl2 = true
    this.#tell(TLS_ANOMALY.ssl2Hello, side.side, time)
    this.#setClient(side.side)
    // An answer in SSL 2.0 is none that can be read.
    if (this.#hello.version === VERSION.ssl2) this.#finish('SSL 2.0 is not read')
    else this.#settle()
  }

  #setClient(side: Side): void {
    this.#client = side
    const { control } = this.#options
    if (control.client !== side) control.setClient(side)
  }

  #readServerHello(side: TlsSide, body: Uint8Array, time: number): void {
    const answer = parseServerHello(body)
    if (answer === undefined) {
      this.#tell(TLS_ANOMALY.serverHello, side.side, time)
      return this.#finish('malformed ServerHello')
    }
    this.#answer = answer
    if (!answer.isRetry) this.#answerTime = time
    this.#settle()
  }

  #readCertificate(side: TlsSide, body: Uint8Array, time: number): void {
    const facts = this.#options.certificates.read(body)
    if (facts === 'malformed') this.#tell(TLS_ANOMALY.certificate, side.side, time)
    else this.#certificates = side.side === 0 ? [facts, this.#certificates[1]] : [this.#certificates[0], facts]
  }

  /** Tells the handshake when nothing more of it can be read. */
  #settle(): void {
    const client = this.#client
    const answer = this.#answer
    if (client === undefined || answer === undefined || answer.isRetry) return
    const hasServerChanged = this.#sides![client === 0 ? 1 : 0].hasChanged
    const isOver = isEncryptedFrom(answer.version) || hasServerChanged || (this.#sides![client].hasChanged && this.#isServerDone)
    if (isOver) this.#finish('')
  }

  #finish(reason: string, outcome?: HandshakeOutcome): void {
    if (this.#hello !== undefined && this.#client !== undefined) {
      const isAnswered = this.#answer !== undefined && !this.#answer.isRetry
      this.#options.sink.handshake?.(this.#options.control, this.#facts(this.#hello, this.#client, reason,
        outcome ?? (isAnswered ? HANDSHAKE_OUTCOME.answered : HANDSHAKE_OUTCOME.unanswered)))
    }
    this.#stop()
  }

  #facts(hello: ClientHello, client: Side, reason: string, outcome: HandshakeOutcome): Handshake {
    const answer = this.#answer?.isRetry === false ? this.#answer : undefined
    const server = client === 0 ? 1 : 0
    return {
      protocol: 'tls',
      protocolVersion: undefined,
      outcome,
      reason,
      startTime: this.#sides![client].startTime,
      answerTime: this.#answerTime,
      version: answer === undefined ? undefined : versionName(answer.version),
      cipher: answer === undefined ? undefined : cipherName(answer.cipher),
      curve: nameOf(answer?.group ?? this.#group),
      nextProtocol: answer?.protocol,
      isResumed: answer === undefined ? undefined : this.#isResumed(answer, server),
      serverName: hello.serverName,
      offeredProtocols: hello.protocols,
      ja4: this.#isSsl2 ? undefined : ja4(hello, 't'),
      hasEncryptedHello: hello.hasEncryptedHello,
      client: this.#certificates[client],
      server: this.#certificates[server],
    }
  }

  /** A short handshake, in which the server changes to encryption at once (RFC 5246 7.3), or a key that both had (RFC 8446 2.2). */
  #isResumed(answer: ServerHello, server: Side): boolean | undefined {
    if (isEncryptedFrom(answer.version)) return answer.hasPreSharedKey
    if (this.#isServerDone) return false
    return this.#sides![server].hasChanged ? true : undefined
  }

  #giveUp(anomaly: TlsAnomaly, side: TlsSide, time: number): void {
    this.#tell(anomaly, side.side, time)
    this.#stop()
  }

  #stop(): void {
    if (this.#isDone) return
    this.#isDone = true
    for (const side of this.#sides!) side.stop()
    this.#ssl2!.clear()
    this.#sides = this.#ssl2 = this.#hello = this.#answer = undefined
    this.#certificates = NO_CERTIFICATES
    if (this.#other === undefined) this.#options.control.ignore()
  }

  #tell(name: TlsAnomaly, side: Side, time: number): void {
    this.#options.sink.anomaly(this.#options.control, side, name, time)
  }
}

function nameOf(group: number | undefined): string | undefined {
  return group === undefined ? undefined : groupName(group)
}
