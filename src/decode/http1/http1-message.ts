import type { End, Side } from '../../connection/mod.ts'
import type { Message, MessageEnd, MessageKind } from '../message.ts'

/** A message while it is read; the sink sees it as a Message. */
export class Http1Message implements Message {
  readonly kind: MessageKind
  readonly side: Side
  readonly exchange: number
  readonly head: number
  readonly startTime: number
  readonly likely: number
  readonly isLikely: boolean
  trailer = 0
  endTime = -1
  bodyBytes = 0
  oddities: number
  /** Status of a response; the head block belongs to the sink once it has it. */
  status = 0
  /** Counted as over before its end was seen (Http1Connection). */
  isSettled = false
  ended: MessageEnd | undefined = undefined
  cutBy: End | undefined = undefined

  constructor(
    kind: MessageKind, side: Side, exchange: number, head: number, startTime: number, oddities: number, likely = 0, isLikely = false,
  ) {
    this.kind = kind
    this.side = side
    this.exchange = exchange
    this.head = head
    this.startTime = startTime
    this.oddities = oddities
    this.likely = likely
    this.isLikely = isLikely
  }
}
