import type { End, Side } from '../../connection/mod.ts'
import { MESSAGE } from '../message.ts'
import type { BodyFindings, BodyReader } from '../body/mod.ts'
import type { Message, MessageEnd, MessageKind } from '../message.ts'

/**
 * A message while it is read; the sink sees it as a Message. Its side uses it again for a later one: it holds from `head` until
 * `end` has returned, and nothing is made for each message.
 */
export class Http1Message implements Message {
  readonly side: Side
  kind: MessageKind = MESSAGE.request
  exchange = 0
  head = 0
  startTime = -1
  likely = 0
  isLikely = false
  trailer = 0
  endTime = -1
  bodyBytes = 0
  oddities = 0
  /** Status of a response; the head block belongs to the sink once it has it. */
  status = 0
  /** Counted as over before its end was seen (Http1Connection). */
  isSettled = false
  ended: MessageEnd | undefined = undefined
  cutBy: End | undefined = undefined
  /** Reads its body, where that was asked for. */
  reader: BodyReader | undefined = undefined
  findings: BodyFindings | undefined = undefined

  constructor(side: Side) {
    this.side = side
  }

  /** Makes it a new one. `head`: its block, 0 = the memory limit refused it; `oddities`: of the head. */
  begin(kind: MessageKind, exchange: number, head: number, startTime: number, oddities: number): void {
    this.kind = kind
    this.exchange = exchange
    this.head = head
    this.startTime = startTime
    this.oddities = oddities
    this.likely = 0
    this.isLikely = false
    this.trailer = 0
    this.endTime = -1
    this.bodyBytes = 0
    this.status = 0
    this.isSettled = false
    this.ended = undefined
    this.cutBy = undefined
    this.reader = undefined
    this.findings = undefined
  }
}
