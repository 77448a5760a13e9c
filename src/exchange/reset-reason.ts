import type { Unanswered } from '../decode/mod.ts'
import { MARK_REASONS } from './fields.ts'
import type { MarkReason } from './fields.ts'

const OTHER_RESET: MarkReason = 'stream reset: another error code'
/** RFC 9113 7, by error code: they stand in this order among the reasons. */
const RESETS: readonly MarkReason[] = MARK_REASONS.slice(
  MARK_REASONS.indexOf('stream reset: NO_ERROR'), MARK_REASONS.indexOf(OTHER_RESET),
)

/** Why a message ended that a reset with this error code ended. */
export function resetReason(code: number): MarkReason {
  return RESETS[code] ?? OTHER_RESET
}

/** Why no response came, as the decoder knows it. */
export function unansweredReason(why: Unanswered): MarkReason {
  if (why === 'goaway') return 'no response: the server went away (GOAWAY)'
  return why === 'streams' ? 'too many streams open on the connection' : resetReason(why)
}
