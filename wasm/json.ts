/**
 * Record → one line of JSON. Entries stand in ascending field id and fields of a group stand together, so one walk nests
 * them: the object closes and opens what differs from the path before.
 *
 * In: a field table (field-table.ts) and a well-formed record (layout.ts). Out: bytes, the final newline included.
 */
import { writeAddressText, writeMacText } from './address-text'
import { copyOver } from './copy'
import { writeI64, writeSeconds } from './digits'
import { FIELD_BYTES, FIELD_DEPTH, FIELD_DEPTH_MAX, FIELD_GROUPS, FIELD_JOINT, FIELD_JOINT_MAX, FIELD_JOINT_TEXT,
  FIELD_LEVELS, FIELD_NAME, FIELD_NAME_LENGTH, FIELD_PATH, FIELD_PATH_LENGTH, FIELD_SHARED, REASON_BYTES, TABLE_FIELDS,
  TABLE_FIELD_COUNT, TABLE_REASONS, TABLE_REASON_COUNT,
} from './field-table'
import { writeJsonHeaders } from './json-headers'
import { writeJsonString } from './json-string'
import { ENTRY_FIELD, ENTRY_LENGTH, ENTRY_PAYLOAD, ENTRY_TYPE, RECORD_COUNT, RECORD_ENTRIES, TYPE_ADDRESS, TYPE_BOOL,
  TYPE_HEADERS, TYPE_INT, TYPE_INTS, TYPE_MAC, TYPE_MARKS, TYPE_SECONDS, TYPE_STRING, TYPE_STRINGS, TYPE_TIME,
} from './layout'
import { writeTime } from './time-text'

/** Room that any value of fixed size and the punctuation around it fit in. */
const VALUE_ROOM: u32 = 64

function writeJsonMarks(table: usize, payload: usize, to: usize, limit: usize): usize {
  const count = load<u32>(payload)
  let out = to
  let written: u32 = 0
  store<u8>(out++, 0x7b)
  for (let index: u32 = 0; index < count; index++) {
    const id = <u32>load<u16>(payload + 4 + index * 4)
    const reason = <u32>load<u16>(payload + 6 + index * 4)
    if (id - 1 >= load<u32>(table, TABLE_FIELD_COUNT) || reason - 1 >= load<u32>(table, TABLE_REASON_COUNT)) continue
    let earlier: u32 = 0
    while (load<u16>(payload + 4 + earlier * 4) != id) earlier++
    if (earlier != index) continue
    const field = table + TABLE_FIELDS + id * FIELD_BYTES
    const text = load<u32>(table, TABLE_REASONS) + (reason - 1) * REASON_BYTES
    const nameLength = <u32>load<u16>(field, FIELD_NAME_LENGTH)
    const textLength = load<u32>(text, 4)
    if (out + nameLength + textLength + VALUE_ROOM > limit) return 0
    if (written++ != 0) store<u8>(out++, 0x2c)
    copyOver(out, load<u32>(field, FIELD_NAME), nameLength)
    out += nameLength
    copyOver(out, load<u32>(text), textLength)
    out += textLength
  }
  store<u8>(out, 0x7d)
  return out + 1
}

function writeJsonStrings(payload: usize, to: usize, limit: usize): usize {
  const count = load<u32>(payload)
  let item = payload + 4
  let out = to
  store<u8>(out++, 0x5b)
  for (let index: u32 = 0; index < count; index++) {
    const length = load<u32>(item)
    if (index != 0) store<u8>(out++, 0x2c)
    out = writeJsonString(item + 4, length, out, limit, false)
    if (out == 0) return 0
    item += 4 + ((length + 3) & ~3)
  }
  store<u8>(out, 0x5d)
  return out + 1
}

function writeJsonInts(payload: usize, to: usize, limit: usize): usize {
  const count = load<u32>(payload)
  let out = to
  if (out + <usize>count * 21 + VALUE_ROOM > limit) return 0
  store<u8>(out++, 0x5b)
  for (let index: u32 = 0; index < count; index++) {
    if (index != 0) store<u8>(out++, 0x2c)
    out = writeI64(load<i64>(payload + 8 + index * 8), out)
  }
  store<u8>(out, 0x5d)
  return out + 1
}

function writeJsonBool(value: u32, out: usize): usize {
  if (value != 0) {
    store<u32>(out, 0x65757274) // true
    return out + 4
  }
  store<u64>(out, 0x65736c6166) // false
  return out + 5
}

// @ts-ignore: decorator
@inline
function quoted(start: usize, end: usize): usize {
  store<u8>(start, 0x22)
  store<u8>(end, 0x22)
  return end + 1
}

/** One value that is no string and no int. VALUE_ROOM bytes are free at `out` at least; 0 = no room. */
function writeValue(table: usize, type: u32, payload: usize, out: usize, limit: usize): usize {
  switch (type) {
    case TYPE_SECONDS: return writeSeconds(load<i64>(payload), out)
    case TYPE_TIME: return quoted(out, writeTime(load<i64>(payload), out + 1))
    case TYPE_ADDRESS: return quoted(out, writeAddressText(load<u8>(payload), payload + 4, out + 1))
    case TYPE_MAC: return quoted(out, writeMacText(payload, out + 1))
    case TYPE_HEADERS: return writeJsonHeaders(payload, out, limit)
    case TYPE_STRINGS: return writeJsonStrings(payload, out, limit)
    case TYPE_BOOL: return writeJsonBool(load<u8>(payload), out)
    case TYPE_MARKS: return writeJsonMarks(table, payload, out, limit)
    case TYPE_INTS: return writeJsonInts(payload, out, limit)
    default: return 0
  }
}

/** Groups that both fields stand in. */
// @ts-ignore: decorator
@inline
function sharedGroups(left: usize, right: usize): u32 {
  if (right - left == FIELD_BYTES) return load<u8>(right, FIELD_SHARED)
  const least = min<u32>(load<u8>(left, FIELD_DEPTH), load<u8>(right, FIELD_DEPTH)) - 1
  let shared: u32 = 0
  while (shared < least
    && load<u16>(left + shared * 2, FIELD_GROUPS) == load<u16>(right + shared * 2, FIELD_GROUPS)) shared++
  return shared
}

// @ts-ignore: decorator
@inline
function writeBraces(count: u32, out: usize): usize {
  store<u64>(out, 0x7d7d7d7d7d7d7d7d)
  return out + count
}

/**
 * Braces that close what the field `before` (0 = nothing stands before) stands in alone, a comma or the first brace, the path of
 * `field`. The text is kept: in most records the same field stands before. 0 = no room.
 */
function writeJoint(before: u32, beforeField: usize, field: usize, out: usize, limit: usize): usize {
  const shared: u32 = before == 0 ? 0 : sharedGroups(beforeField, field)
  const skipped = <u32>load<u16>(field + shared * 2, FIELD_LEVELS)
  const pathLength = <u32>load<u16>(field, FIELD_PATH_LENGTH) - skipped
  if (out + pathLength + FIELD_DEPTH_MAX + VALUE_ROOM > limit) return 0
  let at = out
  if (before == 0) {
    store<u8>(at++, 0x7b)
  } else {
    at = writeBraces(<u32>load<u8>(beforeField, FIELD_DEPTH) - 1 - shared, at)
    store<u8>(at++, 0x2c)
  }
  copyOver(at, load<u32>(field, FIELD_PATH) + skipped, pathLength)
  at += pathLength
  const length = <u32>(at - out)
  if (length <= <u32>FIELD_JOINT_MAX) {
    store<u32>(field, (before + 1) << 8 | length, FIELD_JOINT)
    for (let done: u32 = 0; done < length; done++) store<u8>(field + done, load<u8>(out + done), FIELD_JOINT_TEXT)
  }
  return at
}

// @ts-ignore: decorator
@inline
function copyJoint(field: usize, length: u32, out: usize): void {
  v128.store(out, v128.load(field, FIELD_JOINT_TEXT))
  v128.store(out, v128.load(field, FIELD_JOINT_TEXT + 16), 16)
  if (length <= 32) return
  v128.store(out, v128.load(field, FIELD_JOINT_TEXT + 32), 32)
  store<u64>(out, load<u64>(field, FIELD_JOINT_TEXT + 48), 48)
}

/**
 * Writes `record` as one line at `out`. Returns its bytes, the newline included; 0 = it does not fit in `room` (up to 128
 * bytes more than the line are asked for) or holds more than HEADERS_MAX headers in one value.
 */
export function encodeJson(table: usize, record: usize, out: usize, room: u32): u32 {
  const limit = out + room
  const fields = table + TABLE_FIELDS
  const count = <u32>load<u16>(record, RECORD_COUNT)
  let entry = record + RECORD_ENTRIES
  let before: u32 = 0
  let at = out
  for (let index: u32 = 0; index < count; index++) {
    const id = <u32>load<u16>(entry, ENTRY_FIELD)
    const type = <u32>load<u8>(entry, ENTRY_TYPE)
    const length = load<u32>(entry, ENTRY_LENGTH)
    const payload = entry + ENTRY_PAYLOAD
    const field = fields + id * FIELD_BYTES
    const joint = load<u32>(field, FIELD_JOINT)
    if (joint >> 8 == before + 1) {
      if (at + FIELD_JOINT_MAX + VALUE_ROOM > limit) return 0
      copyJoint(field, joint & 0xff, at)
      at += joint & 0xff
    } else {
      at = writeJoint(before, fields + before * FIELD_BYTES, field, at, limit)
      if (at == 0) return 0
    }
    if (type == TYPE_STRING) at = writeJsonString(payload, length, at, limit, false)
    else if (type == TYPE_INT) at = writeI64(load<i64>(payload), at)
    else at = writeValue(table, type, payload, at, limit)
    if (at == 0) return 0
    before = id
    entry = payload + ((length + 7) & ~7)
  }
  if (at + VALUE_ROOM > limit) return 0
  if (before == 0) store<u8>(at++, 0x7b)
  else at = writeBraces(<u32>load<u8>(fields + before * FIELD_BYTES, FIELD_DEPTH) - 1, at)
  store<u16>(at, 0x0a7d)
  return <u32>(at + 2 - out)
}
