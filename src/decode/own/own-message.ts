import type { End, Side } from '../../connection/mod.ts'
import { MESSAGE } from '../message.ts'
import type { Message, MessageEnd } from '../message.ts'
import type { DecodedMessage } from './contract.ts'
import { refuse } from './message-head.ts'

/** A message of the user's own protocol on its way to the sink. */
export class OwnMessage implements Message {
  readonly kind: typeof MESSAGE.request | typeof MESSAGE.response
  readonly side: Side
  readonly head: number
  readonly trailer = 0
  readonly protocol: number
  readonly correlation: string | undefined
  readonly bodyBytes: number
  readonly oddities = 0
  exchange = 0
  startTime = -1
  endTime = -1
  ended: MessageEnd | undefined = undefined
  cutBy: End | undefined = undefined

  constructor(decoded: DecodedMessage, side: Side, head: number, protocol: number) {
    this.kind = decoded.kind === 'request' ? MESSAGE.request : MESSAGE.response
    this.side = side
    this.head = head
    this.protocol = protocol
    this.correlation = correlationOf(decoded)
    this.bodyBytes = decoded.bodyBytes ?? -1
  }
}

const CORRELATION_LENGTH_MAX = 256

/** Of one type, so that 1 and "1" stay two. @throws {ContractError} */
function correlationOf({ correlation }: DecodedMessage): string | undefined {
  switch (typeof correlation) {
    case 'undefined': return undefined
    case 'number': return `n${correlation}`
    case 'bigint': return `n${correlation}`
    case 'string':
      if (correlation.length > CORRELATION_LENGTH_MAX) refuse(`its correlation must have ${CORRELATION_LENGTH_MAX} characters at most`)
      return `s${correlation}`
    default: return refuse('its correlation must be a string or a number')
  }
}

/** @throws {ContractError} when `message` is no DecodedMessage, as far as its texts are not concerned */
export function checkMessage(message: unknown): asserts message is DecodedMessage {
  if (typeof message !== 'object' || message === null) refuse('it must be an object')
  const { kind, bodyBytes } = message as { kind?: unknown, bodyBytes?: unknown }
  if (kind !== 'request' && kind !== 'response') refuse('its kind must be "request" or "response"')
  if (bodyBytes !== undefined && !(Number.isSafeInteger(bodyBytes) && (bodyBytes as number) >= 0)) {
    refuse('its bodyBytes must be a whole number from 0 on')
  }
  correlationOf(message as DecodedMessage)
}
