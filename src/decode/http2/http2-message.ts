import type { Side } from '../../connection/mod.ts'
import type { BodyFindings, BodyReader } from '../body/mod.ts'
import { MESSAGE_END } from '../message.ts'
import type { CutBy, Message, MessageEnd, MessageKind } from '../message.ts'
import type { GrpcBody } from './grpc-body.ts'
import type { HpackDecoder } from './hpack-decoder.ts'

/** A message while it is read; the sink sees it as a Message. */
export class Http2Message implements Message {
  readonly kind: MessageKind
  readonly side: Side
  readonly exchange: number
  readonly stream: number
  readonly head: number
  readonly startTime: number
  trailer = 0
  endTime: number
  bodyBytes = 0
  oddities: number
  ended: MessageEnd | undefined = undefined
  cutBy: CutBy | undefined = undefined
  resetCode: number | undefined = undefined
  crossesReset = false
  /** Follows the messages of its body, when it is one of gRPC. */
  grpc: GrpcBody | undefined = undefined
  /** Reads its body, where that was asked for. */
  fields: BodyReader | undefined = undefined
  findings: BodyFindings | undefined = undefined

  constructor(kind: MessageKind, side: Side, exchange: number, stream: number, head: number, startTime: number,
    oddities: number) {
    this.kind = kind
    this.side = side
    this.exchange = exchange
    this.stream = stream
    this.head = head
    this.startTime = startTime
    this.endTime = startTime
    this.oddities = oddities
  }

  get messages(): number | undefined {
    return this.grpc?.count
  }

  /** Whoever looks at its body. */
  get reader(): GrpcBody | BodyReader | undefined {
    return this.grpc ?? this.fields
  }

  /** It is over. `why`: what cut it, or the error code of the reset. */
  finish(ended: MessageEnd, time: number, why: CutBy | number | undefined, decoder: HpackDecoder): void {
    this.endTime = time
    this.ended = ended
    if (typeof why === 'number') this.resetCode = why
    else this.cutBy = why
    if (ended === MESSAGE_END.lost) {
      if (this.bodyBytes >= 0) this.bodyBytes = -1
      this.reader?.lose()
    }
    const { grpc } = this
    if (grpc !== undefined) {
      if (this.trailer === 0) this.trailer = grpc.trailer
      else decoder.free(grpc.trailer)
      grpc.close()
    }
    this.findings = this.fields?.end()
  }
}
