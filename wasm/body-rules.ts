/**
 * Which requests have a body that is read: POST, by host and path. Rules are texts in which * stands for any characters; TypeScript writes
 * them (src/decode/body/body-rules.ts), for each rule: u16 hosts, u16 paths, then each text as u16 length and bytes, hosts in small letters.
 */
import { loadShort } from './copy'
import { HEADER_HOST } from './header-ids'
import { rawOf, valueAt, valueLengthOf } from './header-index'
import * as L from './layout'
import { pack } from './short-text'
import { hasAuthority, hasPath, hostAt, hostLength, pathAt, pathLength, splitAuthority, splitTarget } from './target'

const POST = pack('POST')
const STAR: u32 = 0x2a
/** A longer path is none of an API's. */
const PATH_BYTES_MAX: u32 = 1024

let rules: usize = 0
let rulesEnd: usize = 0

/** Rules in `length` bytes at `pointer`, which stay there; 0 = there are none. */
export function setBodyRules(pointer: usize, length: u32): void {
  rules = pointer
  rulesEnd = pointer + length
}

// @ts-ignore: decorator
@inline
export function hasBodyRules(): bool {
  return rules != rulesEnd
}

/** Whether the bodies of the exchange that the request at `head` begins are read. */
export function wantsBodies(head: usize): bool {
  if (!hasBodyRules() || head == 0) return false
  const raw = rawOf(head)
  const methodLength = load<u32>(head, L.HEAD_METHOD + 4)
  if (methodLength != 4 || loadShort(raw + load<u32>(head, L.HEAD_METHOD), 4) != POST) return false
  splitTarget(raw + load<u32>(head, L.HEAD_TARGET), load<u32>(head, L.HEAD_TARGET + 4), false)
  if (!hasPath || pathLength > PATH_BYTES_MAX) return false
  findHost(head, raw)
  return anyRule(true)
}

/** Whether a request to the host of the one at `head` may have such bodies. */
export function mayWantBodies(head: usize): bool {
  if (!hasBodyRules()) return false
  if (head == 0) return true
  const raw = rawOf(head)
  splitTarget(raw + load<u32>(head, L.HEAD_TARGET), load<u32>(head, L.HEAD_TARGET + 4), false)
  findHost(head, raw)
  return hostLength == 0 || anyRule(false)
}

/** The host that the request names, in target.ts. */
function findHost(head: usize, raw: usize): void {
  if (hasAuthority) return
  const length = load<u32>(head, L.HEAD_AUTHORITY + 4)
  if (length != 0) return splitAuthority(raw + load<u32>(head, L.HEAD_AUTHORITY), length)
  for (let span = head + L.HEAD_SPANS; span < raw; span += L.SPAN_BYTES) {
    if ((<u32>load<u16>(span, L.SPAN_NAME_ID) & L.SPAN_ID_MASK) == <u32>HEADER_HOST) return splitAuthority(valueAt(raw, span), valueLengthOf(span))
  }
}

function anyRule(byPath: bool): bool {
  for (let at = rules; at < rulesEnd;) {
    const hosts = <u32>load<u16>(at)
    const paths = <u32>load<u16>(at, 2)
    at += 4
    let isHost = hosts == 0
    for (let left = hosts; left > 0; left--, at += 2 + load<u16>(at)) isHost = isHost || matches(at, hostAt, hostLength, true)
    let isPath = !byPath
    for (let left = paths; left > 0; left--, at += 2 + load<u16>(at)) isPath = isPath || matches(at, pathAt, pathLength, false)
    if (isHost && isPath) return true
  }
  return false
}

/** Whether the text is of the form at `pattern`; the last star takes what is needed, so no step is tried more often than it has bytes. */
function matches(pattern: usize, text: usize, length: u32, isFolded: bool): bool {
  const last = pattern + 2 + load<u16>(pattern)
  const end = text + length
  let at = pattern + 2
  let star: usize = 0
  let from: usize = 0
  while (text < end) {
    const byte = <u32>load<u8>(text)
    if (at < last && <u32>load<u8>(at) == STAR) {
      star = at++
      from = text
    } else if (at < last && <u32>load<u8>(at) == (isFolded && byte - 0x41 < 26 ? byte | 0x20 : byte)) {
      at++
      text++
    } else {
      if (star == 0) return false
      at = star + 1
      text = ++from
    }
  }
  while (at < last && <u32>load<u8>(at) == STAR) at++
  return at == last
}
