/** Header blocks of an exchange, and the fields that repeat one header: each under the action of its header's name. */
import { HEADER_X_AMZ_APIGW_ID, HEADER_X_AMZN_REQUESTID, HEADER_CF_RAY, HEADER_USER_AGENT, HEADER_X_CORRELATION_ID,
  HEADER_X_KONG_REQUEST_ID, HEADER_X_REQUEST_ID,
} from './header-ids'
import { UNDECIDED, knownAction } from './header-decision'
import { forgetHeaders, isKnownHeader, noteHeader } from './header-memo'
import { TEXT_MAX } from './hidden-mask'
import { hashingOn } from './redaction'
import { ACTION_DROP, ACTION_HASH, ACTION_HOST, ACTION_KEEP, ACTION_PRESENCE, ACTION_PRODUCTS } from './wall-numbers'
import { REQUEST_INDEX, RESPONSE_INDEX, firstSpan, nameLengthOf, nameOf, noteWritten, rawOf, valueAt, valueLengthOf,
  writtenField,
} from './header-index'
import { FIELD_REQUEST_ID, FIELD_USER_AGENT_ORIGINAL, REASON_CUT_MORE_THAN_THE_BOUND,
  REASON_UNKNOWN_THE_COMPRESSION_TABLE_WAS_NOT_SEEN_WHOLE,
} from './field-ids.gen'
import { copyClean, copyOver, equalBytes } from './copy'
import { HEAD_COUNT, HEAD_DROPPED, HEAD_SPANS, HEAD_UNKNOWN, SPAN_BYTES, SPAN_ID_MASK, SPAN_NAME_ID, SPAN_SECRET, TYPE_HEADERS,
  TYPE_STRING,
} from './layout'
import { headerAction, valueFlags, writeValue } from './privacy'
import { closeEntry, closeText, hasRoom, noteEncoding, noteMark, openEntry, openText, textRoom, wants } from './record'

const nameScratch: usize = memory.data(65536 + 16)

/** Copies a name in lower case: reads and writes up to 15 bytes past both ends. */
// @ts-ignore: decorator
@inline
function copyLower(out: usize, from: usize, length: u32): void {
  for (let done: u32 = 0; done < length; done += 16) {
    const chunk = v128.load(from + done)
    const upper = v128.and(i8x16.gt_s(chunk, i8x16.splat(0x40)), i8x16.lt_s(chunk, i8x16.splat(0x5b)))
    v128.store(out + done, v128.or(chunk, v128.and(upper, i8x16.splat(0x20))))
  }
}

/** Action of the name of a span's header. */
export function actionOf(raw: usize, span: usize, response: u32): u32 {
  const id = <u32>load<u16>(span, SPAN_NAME_ID)
  const action = knownAction(id & SPAN_ID_MASK, response)
  if (action != UNDECIDED) return (id & SPAN_SECRET) == 0 ? action : secretAction(action)
  const length = nameLengthOf(span)
  copyLower(nameScratch, nameOf(raw, span), length)
  return actionFor(nameScratch, length, id, response)
}

let hidesNeverIndexed: bool = true

/** Whether a value whose sender wants nobody to index it (RFC 7541 7.1.3) is hidden as a secret. At first it is. */
export function setHidesNeverIndexed(on: u32): void {
  forgetHeaders()
  hidesNeverIndexed = on != 0
}

/** The action under which a never-indexed value is written, where that of its name is `action`. */
export function secretAction(action: u32): u32 {
  if (!hidesNeverIndexed || !isOpen(action)) return action
  return hashingOn() ? ACTION_HASH : ACTION_PRESENCE
}

/** Action of a name in lower case; `id` is SPAN_NAME_ID as it stands in the span. */
// @ts-ignore: decorator
@inline
function actionFor(name: usize, length: u32, id: u32, response: u32): u32 {
  const action = headerAction(name, length, id & SPAN_ID_MASK, response)
  return (id & SPAN_SECRET) == 0 ? action : secretAction(action)
}

/** True for an action that lets the value be read (and searched for credentials). */
export function isOpen(action: u32): bool {
  return action == ACTION_KEEP || action >= <u32>ACTION_HOST
}

/** True for an action under which a whole value, not parts of it, is secret or not. */
// @ts-ignore: decorator
@inline
function keepsWhole(action: u32): bool {
  return action == ACTION_KEEP || action == ACTION_HOST || action == ACTION_PRODUCTS
}

/** The bytes behind `length` bytes at `at` become 0, up to the next multiple of 4 at least; gives that address. */
// @ts-ignore: decorator
@inline
function pad4(at: usize, length: u32): usize {
  store<u32>(at + length, 0)
  return at + ((length + 3) & ~3)
}

/**
 * A headers value of every field in `head` that is not dropped. `index`: REQUEST_INDEX or RESPONSE_INDEX; `isTrailer`: the
 * head is not the one that is indexed.
 */
export function putHeaders(field: u32, head: usize, index: u32, isTrailer: bool): void {
  if (load<u16>(head, HEAD_DROPPED) != 0) noteMark(field, REASON_CUT_MORE_THAN_THE_BOUND)
  if (load<u16>(head, HEAD_UNKNOWN) != 0) noteMark(field, REASON_UNKNOWN_THE_COMPRESSION_TABLE_WAS_NOT_SEEN_WHOLE)
  if (!wants(field)) return
  const payload = openEntry(field, TYPE_HEADERS, 4)
  if (payload == 0) return
  const raw = rawOf(head)
  const end = head + HEAD_SPANS + load<u32>(head, HEAD_COUNT) * SPAN_BYTES
  let at = payload + 4
  let kept: u32 = 0
  for (let span = head + HEAD_SPANS; span < end; span += SPAN_BYTES) {
    const nameLength = nameLengthOf(span)
    const valueLength = valueLengthOf(span)
    const id = <u32>load<u16>(span, SPAN_NAME_ID)
    if (!hasRoom(at, 32 + nameLength + textRoom(valueLength))) return
    const name = nameOf(raw, span)
    const rawValue = valueAt(raw, span)
    copyLower(at + 8, name, nameLength)
    const value = pad4(at + 8, nameLength)
    let length = valueLength
    let flags: u32 = 0
    // What stands behind the value up to the next multiple of 4 is 0: `copyClean` sees to it.
    if (isKnownHeader(name, rawValue + valueLength - name, nameLength, <u32>(rawValue - name - nameLength), id, index)) {
      copyClean(value, rawValue, valueLength)
    } else {
      const action = actionFor(at + 8, nameLength, id, index)
      if (action == ACTION_DROP) continue
      if (valueLength > TEXT_MAX && isOpen(action)) noteMark(field, REASON_CUT_MORE_THAN_THE_BOUND)
      length = writeValue(action, rawValue, valueLength, value)
      flags = valueFlags()
      pad4(value, length)
      const isPlain = noteEncoding(field, value, length)
      if (isPlain && flags == 0 && keepsWhole(action) && length == valueLength && equalBytes(value, rawValue, length)) {
        noteHeader(name)
      }
    }
    store<u16>(at, nameLength)
    store<u16>(at, flags, 2)
    store<u32>(at, length, 4)
    if (!isTrailer) noteWritten(index, id & SPAN_ID_MASK, span, at)
    at = value + ((length + 3) & ~3)
    kept++
  }
  store<u32>(payload, kept)
  closeEntry(<u32>(at - payload), 0)
}

/** The value of a header as the record shows it, once more under its own field. */
function putHeaderValue(field: u32, head: usize, index: u32, id: u32): bool {
  const written = writtenField(index, id)
  if (written != 0) {
    const length = load<u32>(written, 4)
    const payload = openEntry(field, TYPE_STRING, length)
    if (payload == 0) return true
    copyOver(payload, written + 8 + ((<u32>load<u16>(written) + 3) & ~3), length)
    noteEncoding(field, payload, length)
    closeEntry(length, load<u16>(written, 2))
    return true
  }
  const span = firstSpan(index, id)
  const raw = rawOf(head)
  const action = actionOf(raw, span, index)
  if (action == ACTION_DROP) return false
  const length = valueLengthOf(span)
  const payload = openText(field, length)
  if (payload != 0) closeText(field, payload, writeValue(action, valueAt(raw, span), length, payload))
  return true
}

export function putUserAgent(request: usize): void {
  if (request == 0 || !wants(FIELD_USER_AGENT_ORIGINAL) || firstSpan(REQUEST_INDEX, HEADER_USER_AGENT) == 0) return
  putHeaderValue(FIELD_USER_AGENT_ORIGINAL, request, REQUEST_INDEX, HEADER_USER_AGENT)
}

const REQUEST_IDS: usize = memory.data<i32>([HEADER_X_REQUEST_ID, HEADER_X_CORRELATION_ID, HEADER_X_KONG_REQUEST_ID,
  HEADER_X_AMZN_REQUESTID, HEADER_X_AMZ_APIGW_ID, HEADER_CF_RAY])

/** request.id: the first of the known headers in the request, else in the response, that is not dropped. */
export function putRequestId(request: usize, response: usize): void {
  if (!wants(FIELD_REQUEST_ID)) return
  for (let index = REQUEST_INDEX; index <= RESPONSE_INDEX; index++) {
    const head = index == REQUEST_INDEX ? request : response
    if (head == 0) continue
    for (let place: u32 = 0; place < 6; place++) {
      const id = <u32>load<u32>(REQUEST_IDS + place * 4)
      if (firstSpan(index, id) != 0 && putHeaderValue(FIELD_REQUEST_ID, head, index, id)) return
    }
  }
}
