import type { End } from '../connection/mod.ts'
import type { CutBy, Unanswered } from '../decode/mod.ts'
import { MARK_REASONS } from './fields.ts'
import type { MarkReason } from './fields.ts'

const OTHER_RESET: MarkReason = 'stream reset: another error code'
/** RFC 9113 7, by error code: they stand in this order among the reasons. */
const RESETS: readonly MarkReason[] = MARK_REASONS.slice(
  MARK_REASONS.indexOf('stream reset: NO_ERROR'), MARK_REASONS.indexOf(OTHER_RESET),
)

/** Of a request that is unanswered when its connection ends. */
const CLOSE: Readonly<Record<End, MarkReason>> = {
  fin: 'no response before the connection closed',
  reset: 'no response before the connection was reset',
  idle: 'connection was idle for too long',
  evicted: 'connection table full',
  replaced: 'no response before the connection closed',
  overload: 'connection given up: the agent could not keep up',
  shutdown: 'no response before the capture ended',
}
const CUT: Readonly<Record<CutBy, MarkReason>> = {
  fin: 'cut short: the connection closed inside the message',
  reset: 'cut short: the connection was reset inside the message',
  idle: 'cut short: the connection was idle for too long inside the message',
  evicted: 'cut short: the connection table was full',
  replaced: 'cut short: the connection closed inside the message',
  overload: 'cut short: the agent could not keep up',
  shutdown: 'cut short: the capture ended inside the message',
  goaway: 'cut short: the server went away (GOAWAY)',
  streams: 'cut short: too many streams open on the connection',
}

/** Why no response came before the connection ended so. */
export function closeReason(cause: End): MarkReason {
  return CLOSE[cause]
}

/** Why a message is not whole. */
export function cutReason(by: CutBy): MarkReason {
  return CUT[by]
}

/** Why a message ended that a reset with this error code ended. */
export function resetReason(code: number): MarkReason {
  return RESETS[code] ?? OTHER_RESET
}

/** Why no response came, as the decoder knows it. */
export function unansweredReason(why: Unanswered): MarkReason {
  if (why === 'goaway') return 'no response: the server went away (GOAWAY)'
  return why === 'streams' ? 'too many streams open on the connection' : resetReason(why)
}
