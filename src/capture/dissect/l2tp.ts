import { TUNNEL_OTHER } from '../events.gen.ts'
import { LAYER } from './layer.ts'
import { STEP, type Walk } from './walk.ts'

const FLAG = { CONTROL: 0x8000, LENGTH: 0x4000, SEQUENCE: 0x800, OFFSET: 0x200 } as const

/**
 * RFC 2661, data messages: version 2 with PPP inside. Version 3 needs the session's set-up and is left as
 * UDP.
 */
export function l2tp(walk: Walk): STEP {
  const at = walk.at
  if (!walk.has(6)) return STEP.DONE
  const flags = walk.u16(at)
  if ((flags & FLAG.CONTROL) !== 0 || (flags & 15) !== 2) return STEP.DONE
  let next = at + 2
  if ((flags & FLAG.LENGTH) !== 0) next += 2
  const session = next + 2
  next += 4
  if ((flags & FLAG.SEQUENCE) !== 0) next += 4
  if ((flags & FLAG.OFFSET) !== 0) {
    if (next + 2 > walk.end) return STEP.DONE
    next += 2 + walk.u16(next)
  }
  if (next + 1 > walk.end) return STEP.DONE
  if ((flags & FLAG.LENGTH) !== 0 && walk.u16(at + 2) >= next - at) walk.trim(walk.u16(at + 2))
  walk.enterTunnel(TUNNEL_OTHER, walk.u16(session), LAYER.L2TP)
  walk.at = next
  return STEP.PPP
}
