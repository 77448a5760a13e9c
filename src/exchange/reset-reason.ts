import type { Unanswered } from '../decode/mod.ts'
import type { MarkReason } from './fields.ts'

/** RFC 9113 7, by error code. */
const RESETS: readonly MarkReason[] = [
  'stream reset: NO_ERROR',
  'stream reset: PROTOCOL_ERROR',
  'stream reset: INTERNAL_ERROR',
  'stream reset: FLOW_CONTROL_ERROR',
  'stream reset: SETTINGS_TIMEOUT',
  'stream reset: STREAM_CLOSED',
  'stream reset: FRAME_SIZE_ERROR',
  'stream reset: REFUSED_STREAM',
  'stream reset: CANCEL',
  'stream reset: COMPRESSION_ERROR',
  'stream reset: CONNECT_ERROR',
  'stream reset: ENHANCE_YOUR_CALM',
  'stream reset: INADEQUATE_SECURITY',
  'stream reset: HTTP_1_1_REQUIRED',
]

/** Why a message ended that a reset with this error code ended. */
export function resetReason(code: number): MarkReason {
  return RESETS[code] ?? 'stream reset: another error code'
}

/** Why no response came, as the decoder knows it. */
export function unansweredReason(why: Unanswered): MarkReason {
  if (why === 'goaway') return 'no response: the server went away (GOAWAY)'
  return why === 'streams' ? 'too many streams open on the connection' : resetReason(why)
}
