/**
 * The fields of a record, out of its line of JSON into the form of another: one walk over the line; a field is copied where it is met,
 * its name with dots. Of fields in a table the place is told as well.
 *
 * In: a table, a room (fields-contract.ts) and a line. Out: bytes at the room's `out`, spans.
 */
import { equalBytes } from './copy'
import { FIELD_LENGTH, FIELD_NAME, FIELD_NUMBER, FIELD_TRAITS, FIELDS_COUNT, FIELDS_DEPTH_MAX, FIELDS_MASK, FIELDS_ODD, FIELDS_SLOTS,
  FIELDS_SPANS, ROOM_OUT, ROOM_PATH, TARGET_LINE, TRAIT_APART, TRAIT_JSON,
} from './fields-contract'
import { lineField } from './fields-line'
import { protobufField } from './fields-protobuf'
import { openOutput, out } from './fields-output'
import { skipString, skipValue, unescape } from './json-scan'
import { SPAN_BYTES, SPAN_END, SPAN_START } from './pick-contract'

// State of one walk.
let table: usize = 0
let line: usize = 0
let lineEnd: usize = 0
let path: usize = 0
let target: u32 = 0
let depth: i32 = 0

/** As in lib/record/field-copier.ts. */
// @ts-ignore: decorator
@inline
function hashed(hash: u32, code: u32): u32 {
  return (hash << 5) - hash + code
}

/** The known field whose name is the first `length` bytes of the path; 0 = none. */
function fieldOf(hash: u32, length: u32): usize {
  const mask = load<u32>(table, FIELDS_MASK)
  let slot = (hash * 0x9e3779b1) >> 16 & mask
  while (true) {
    const field = <usize>load<u32>(table + slot * 4, FIELDS_SLOTS)
    if (field == 0) return 0
    if (<u32>load<u16>(field, FIELD_LENGTH) == length && equalBytes(load<u32>(field, FIELD_NAME), path, length)) return field
    slot = (slot + 1) & mask
  }
}

function tell(field: usize, start: usize, end: usize): void {
  const span = load<u32>(table, FIELDS_SPANS) + load<u32>(field, FIELD_NUMBER) * SPAN_BYTES
  store<u32>(span, <u32>(start - line), SPAN_START)
  store<u32>(span, <u32>(end - line), SPAN_END)
}

/** A field whose name is the first `length` bytes of the path: the place behind its value; 0 = there is none. */
function takeField(field: usize, length: u32, start: usize): usize {
  const traits: u32 = field == 0 ? 0 : load<u16>(field, FIELD_TRAITS)
  let end: usize
  if (traits & TRAIT_APART) end = skipValue(start, lineEnd)
  else if (target == TARGET_LINE) end = lineField(path, length, traits, start, lineEnd)
  else end = protobufField(path, length, traits, start, lineEnd)
  if (field != 0 && end != 0) tell(field, start, end)
  return end
}

/** The members behind the brace at `from - 1`, their names behind `prefix` bytes of the path. The place behind; 0 = not in the form. */
function walk(from: usize, prefix: u32, above: u32): usize {
  let at = from
  if (load<u8>(at) == 0x7d) return at + 1
  if (++depth > FIELDS_DEPTH_MAX) return 0
  while (at < lineEnd && load<u8>(at) == 0x22) {
    let key = at + 1
    let to = path + prefix
    let hash = above
    let code = <u32>load<u8>(key)
    for (; code != 0x22 && code != 0x5c; code = <u32>load<u8>(++key)) {
      if (key >= lineEnd) return 0
      hash = hashed(hash, code)
      store<u8>(to++, <u8>code)
    }
    if (code == 0x5c) { // a header's name
      const behind = skipString(at, lineEnd)
      if (behind == 0) return 0
      key = behind - 1
      to = unescape(at + 1, key, path + prefix)
      if (to == 0) return 0
      hash = above
      for (let byte = path + prefix; byte < to; byte++) hash = hashed(hash, load<u8>(byte))
    }
    if (load<u8>(key, 1) != 0x3a) return 0
    const start = key + 2
    const length = <u32>(to - path)
    const field = fieldOf(hash, length)
    let end: usize
    if (load<u8>(start) == 0x7b && (field == 0 || (load<u16>(field, FIELD_TRAITS) & TRAIT_JSON) == 0)) {
      store<u8>(to, 0x2e)
      end = walk(start + 1, length + 1, hashed(hash, 0x2e))
    } else {
      end = takeField(field, length, start)
    }
    if (end == 0) return 0
    at = end + 1
    const next = load<u8>(end)
    if (next == 0x2c) continue
    if (next != 0x7d) return 0
    depth--
    return at
  }
  return 0
}

/** Copies the fields of `length` bytes at `record`. Returns the bytes of what was made, which stands at the room's `out`; FIELDS_ODD. */
export function copyFields(known: usize, room: usize, form: u32, record: usize, length: u32): i32 {
  table = known
  line = record
  lineEnd = record + length
  path = load<u32>(room, ROOM_PATH)
  target = form
  depth = 0
  openOutput(room)
  memory.fill(load<u32>(table, FIELDS_SPANS), 0, load<u32>(table, FIELDS_COUNT) * SPAN_BYTES)
  if (length < 2 || load<u8>(line) != 0x7b || walk(line + 1, 0, 0) != lineEnd) return FIELDS_ODD
  return <i32>(out - load<u32>(room, ROOM_OUT))
}
