import type { Side } from '../../connection/mod.ts'
import type { CutBy, Message, MessageEnd, MessageKind } from '../message.ts'
import type { GrpcBody } from './grpc-body.ts'

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
}
