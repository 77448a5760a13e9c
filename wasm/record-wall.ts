/**
 * Takes a record built of raw values (lib/record's RecordWriter) through the wall: each field by its
 * sensitivity, header fields by their names. For the kinds of records that are not on the hot path.
 */
import { addressMode, writeAddress, writeMac } from './anonymise'
import { writeArguments } from './arguments'
import {
  ENTRY_FIELD, ENTRY_FLAG_REDACTED, ENTRY_FLAGS, ENTRY_LENGTH, ENTRY_PAYLOAD, ENTRY_TYPE, RECORD_COUNT,
  RECORD_ENTRIES, RECORD_KIND, RECORD_LENGTH, TYPE_ADDRESS, TYPE_HEADERS, TYPE_MAC, TYPE_STRING, TYPE_STRINGS,
} from './layout'
import { HEADER_SEC_WEBSOCKET_EXTENSIONS, HEADER_SEC_WEBSOCKET_PROTOCOL } from './header-ids'
import { writeAscii } from './short-text'
import {
  headerAction, valueFlags, writeQuery, writeText, writeValue,
} from './privacy'
import {
  ACTION_DROP, ACTION_KEEP, ADDRESS_KEEP, FIELD_ARGUMENTS, FIELD_EXTENSIONS, FIELD_HIDDEN, FIELD_PLAIN, FIELD_QUERY,
  FIELD_REQUEST_HEADERS, FIELD_RESPONSE_HEADERS, FIELD_SUBPROTOCOL,
} from './wall-numbers'

const FIELD_CHECKS: u32 = 512
const SUBPROTOCOL: usize = memory.data(64)
const SUBPROTOCOL_LENGTH = writeAscii('sec-websocket-protocol', SUBPROTOCOL)
const EXTENSIONS: usize = memory.data(64)
const EXTENSIONS_LENGTH = writeAscii('sec-websocket-extensions', EXTENSIONS)
const checks: usize = memory.data(512)

/**
 * FIELD_* by field id, one byte each, 512 of them; at first every field is left out. TypeScript writes them.
 */
export function fieldChecks(): usize {
  return checks
}

// @ts-ignore: decorator
@inline
function textRoom(length: u32): u64 {
  return 4 * <u64>length + 160
}

/** Action of the header that a field repeats; ACTION_KEEP where it repeats none. */
function actionFor(check: u32): u32 {
  if (check == FIELD_SUBPROTOCOL) return headerAction(SUBPROTOCOL, SUBPROTOCOL_LENGTH, HEADER_SEC_WEBSOCKET_PROTOCOL, 1)
  if (check == FIELD_EXTENSIONS) return headerAction(EXTENSIONS, EXTENSIONS_LENGTH, HEADER_SEC_WEBSOCKET_EXTENSIONS, 1)
  return ACTION_KEEP
}

function writeChecked(check: u32, text: usize, length: u32, out: usize): u32 {
  if (check == FIELD_SUBPROTOCOL || check == FIELD_EXTENSIONS) return writeValue(actionFor(check), text, length, out)
  if (check == FIELD_ARGUMENTS) return writeArguments(text, length, out)
  return check == FIELD_QUERY ? writeQuery(text, length, out) : writeText(text, length, out)
}

/** Address behind the payload, 0 when it does not fit. */
function copyPlain(from: usize, length: u32, out: usize, limit: usize): usize {
  if (<u64>out + length > <u64>limit) return 0
  memory.copy(out, from, length)
  return out + length
}

/** A list of strings; each item as a text of its own. */
function writeStrings(check: u32, from: usize, end: usize, out: usize, limit: usize): usize {
  if (from + 4 > end || out + 4 > limit) return 0
  let p = from + 4
  let q = out + 4
  let count: u32 = 0
  for (let left = load<u32>(from); left > 0 && p + 4 <= end; left--) {
    const length = load<u32>(p)
    if (<u64>p + 4 + length > <u64>end || <u64>q + 4 + textRoom(length) > <u64>limit) return 0
    const written = writeChecked(check, p + 4, length, q + 4)
    store<u32>(q, written)
    q += 4 + ((written + 3) & ~3)
    p += 4 + ((length + 3) & ~3)
    count++
  }
  store<u32>(out, count)
  return q
}

/** Header fields, each by the action of its name; dropped ones are left out. */
function writeHeaders(response: u32, from: usize, end: usize, out: usize, limit: usize): usize {
  if (from + 4 > end || out + 4 > limit) return 0
  let p = from + 4
  let q = out + 4
  let count: u32 = 0
  for (let left = load<u32>(from); left > 0 && p + 8 <= end; left--) {
    const nameLength = <u32>load<u16>(p)
    const length = load<u32>(p, 4)
    const value = p + 8 + ((nameLength + 3) & ~3)
    if (<u64>value + length > <u64>end) return 0
    const action = headerAction(p + 8, nameLength, 0, response)
    if (action != ACTION_DROP) {
      const to = q + 8 + ((nameLength + 3) & ~3)
      if (<u64>to + textRoom(length) > <u64>limit) return 0
      const written = writeValue(action, value, length, to)
      memory.copy(q + 8, p + 8, nameLength)
      store<u16>(q, nameLength as u16)
      store<u16>(q, valueFlags() as u16, 2)
      store<u32>(q, written, 4)
      q = to + ((written + 3) & ~3)
      count++
    }
    p = value + ((length + 3) & ~3)
  }
  store<u32>(out, count)
  return q
}

function writePayload(check: u32, type: u32, from: usize, length: u32, entry: usize, limit: usize): usize {
  const out = entry + ENTRY_PAYLOAD
  if (type == TYPE_HEADERS) {
    return writeHeaders(check == FIELD_RESPONSE_HEADERS ? 1 : 0, from, from + length, out, limit)
  }
  if (check == FIELD_PLAIN) return copyPlain(from, length, out, limit)
  if (type == TYPE_STRINGS) return writeStrings(check, from, from + length, out, limit)
  if (type == TYPE_ADDRESS || type == TYPE_MAC) {
    const stop = copyPlain(from, length, out, limit)
    if (stop == 0) return 0
    if (type == TYPE_ADDRESS) writeAddress(load<u8>(from), from + 4, out + 4)
    else writeMac(from, out)
    if (addressMode() != ADDRESS_KEEP) store<u8>(entry, ENTRY_FLAG_REDACTED as u8, ENTRY_FLAGS)
    return stop
  }
  if (type != TYPE_STRING) return copyPlain(from, length, out, limit)
  if (<u64>out + textRoom(length) > <u64>limit) return 0
  const written = writeChecked(check, from, length, out)
  store<u8>(entry, valueFlags() as u8, ENTRY_FLAGS)
  return out + written
}

/**
 * Writes the record at `raw` to `out` (8-byte aligned) with every value checked. Returns its bytes, 0 when
 * `room` is too small or the record is not well formed.
 */
export function writeRecordBehindWall(raw: usize, out: usize, room: u32): u32 {
  const limit = out + room
  const end = raw + load<u32>(raw, RECORD_LENGTH)
  if (room < <u32>RECORD_ENTRIES) return 0
  let p = raw + RECORD_ENTRIES
  let q = out + RECORD_ENTRIES
  let count: u32 = 0
  for (let left = <u32>load<u16>(raw, RECORD_COUNT); left > 0; left--) {
    if (p + ENTRY_PAYLOAD > end) return 0
    const field = <u32>load<u16>(p, ENTRY_FIELD)
    const length = load<u32>(p, ENTRY_LENGTH)
    if (<u64>p + ENTRY_PAYLOAD + length > <u64>end) return 0
    const check = field < FIELD_CHECKS ? <u32>load<u8>(checks + field) : FIELD_HIDDEN
    if (check != FIELD_HIDDEN && actionFor(check) != ACTION_DROP) {
      if (q + ENTRY_PAYLOAD > limit) return 0
      store<u64>(q, load<u64>(p))
      const stop = writePayload(check, load<u8>(p, ENTRY_TYPE), p + ENTRY_PAYLOAD, length, q, limit)
      if (stop == 0) return 0
      const written = (stop - q - ENTRY_PAYLOAD) as u32
      store<u32>(q, written, ENTRY_LENGTH)
      q += ENTRY_PAYLOAD + ((written + 7) & ~7)
      if (q > limit) return 0
      count++
    }
    p += ENTRY_PAYLOAD + ((length + 7) & ~7)
  }
  store<u16>(out, load<u16>(raw, RECORD_KIND), RECORD_KIND)
  store<u16>(out, count as u16, RECORD_COUNT)
  store<u32>(out, (q - out) as u32, RECORD_LENGTH)
  return (q - out) as u32
}
