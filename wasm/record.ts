/**
 * Writes one record at a time (RECORD in layout.ts), fields in ascending id, only those that are chosen. Text from traffic
 * goes through privacy.ts on its way. What does not fit makes `endRecord` return 0; nothing is written behind the room.
 */
import { REASON_NOT_VALID_UTF_8_SHOWN_AS_ISO_8859_1 } from './field-ids.gen'
import { copyOver } from './copy'
import { isUtf8 } from './json-string'
import { ENTRY_FIELD, ENTRY_FLAGS, ENTRY_LENGTH, ENTRY_PAYLOAD, ENTRY_TYPE, RECORD_COUNT, RECORD_ENTRIES, RECORD_KIND,
  RECORD_LENGTH, TYPE_ADDRESS, TYPE_BOOL, TYPE_INT, TYPE_MAC, TYPE_SECONDS, TYPE_STRING, TYPE_TIME,
} from './layout'
import { valueFlags, writeAddress, writeMac, writeText } from './privacy'
import { packedLength } from './short-text'

/** Bytes that copies in steps of 16 may touch behind a value. */
const OVERRUN: u32 = 16
const OWN_MARKS_MAX: u32 = 16

const chosen: usize = memory.data(512)
const ownMarks: usize = memory.data(16 * 4)

let record: usize = 0
let cursor: usize = 0
let limit: usize = 0
let entries: u32 = 0
let overflow: bool = false
let ownMarkCount: u32 = 0

/** Address of 512 bytes, one a field id, not 0 = goes into records: TypeScript sets them. At first none is. */
export function chosenFields(): usize {
  return chosen
}

// @ts-ignore: decorator
@inline
export function wants(field: u32): bool {
  return load<u8>(chosen + field) != 0
}

export function beginRecord(kind: u32, pointer: usize, room: u32): void {
  record = pointer
  cursor = pointer + RECORD_ENTRIES
  limit = pointer + room
  entries = 0
  ownMarkCount = 0
  overflow = false
  if (room < <u32>RECORD_ENTRIES) giveUp()
  else store<u16>(pointer, kind, RECORD_KIND)
}

/** Bytes of the record; 0 = it did not fit. */
export function endRecord(): u32 {
  if (overflow) return 0
  const length = <u32>(cursor - record)
  store<u32>(record, length, RECORD_LENGTH)
  store<u16>(record, entries, RECORD_COUNT)
  return length
}

/** True when `bytes` may be written at `at`; else the record is given up: from then on there is room for nothing. */
// @ts-ignore: decorator
@inline
export function hasRoom(at: usize, bytes: u64): bool {
  if (<u64>at + bytes + OVERRUN <= limit) return true
  giveUp()
  return false
}

function giveUp(): void {
  overflow = true
  limit = 0
}

/** Opens an entry for a payload of at most `bytes`; gives the payload's address, 0 = no room. */
// @ts-ignore: decorator
@inline
export function openEntry(field: u32, type: u32, bytes: u64): usize {
  if (!hasRoom(cursor, ENTRY_PAYLOAD + bytes)) return 0
  store<u16>(cursor, field, ENTRY_FIELD)
  store<u16>(cursor, type, ENTRY_TYPE)
  return cursor + ENTRY_PAYLOAD
}

/** Ends the open entry; bytes up to the next multiple of 8 become 0, so that nothing stays there that was not let out. */
// @ts-ignore: decorator
@inline
export function closeEntry(length: u32, flags: u32): void {
  store<u8>(cursor, flags, ENTRY_FLAGS)
  store<u32>(cursor, length, ENTRY_LENGTH)
  const last = cursor + ENTRY_PAYLOAD + (length & ~7)
  if ((length & 7) != 0) store<u64>(last, load<u64>(last) & (<u64>-1 >> (64 - ((length & 7) << 3))))
  cursor += ENTRY_PAYLOAD + ((length + 7) & ~7)
  entries++
}

/** A whole entry with a payload of at most 8 bytes, of which those behind `length` are 0: two stores. */
// @ts-ignore: decorator
@inline
function putSmall(field: u32, type: u32, payload: u64, length: u32): void {
  const entry = cursor
  if (entry + ENTRY_PAYLOAD + 8 + OVERRUN > limit) {
    giveUp()
    return
  }
  store<u64>(entry, <u64>(field | type << 16) | <u64>length << 32)
  store<u64>(entry, payload, ENTRY_PAYLOAD)
  cursor = entry + ENTRY_PAYLOAD + 8
  entries++
}

export function putInt(field: u32, value: i64): void {
  if (wants(field)) putSmall(field, TYPE_INT, value, 8)
}

export function putSeconds(field: u32, nanoseconds: i64): void {
  if (wants(field)) putSmall(field, TYPE_SECONDS, nanoseconds, 8)
}

export function putTime(field: u32, nanoseconds: i64): void {
  if (wants(field)) putSmall(field, TYPE_TIME, nanoseconds, 8)
}

export function putBool(field: u32, value: bool): void {
  if (wants(field)) putSmall(field, TYPE_BOOL, value ? 1 : 0, 1)
}

/** A word of a closed set, packed (short-text.ts). */
export function putWord(field: u32, word: u64): void {
  if (wants(field)) putSmall(field, TYPE_STRING, word, packedLength(word))
}

export function putAddress(field: u32, version: u32, address: usize): void {
  if (!wants(field)) return
  const payload = openEntry(field, TYPE_ADDRESS, 20)
  if (payload == 0) return
  store<u32>(payload, version)
  writeAddress(version, address, payload + 4)
  closeEntry(20, 0)
}

export function putMac(field: u32, mac: usize): void {
  if (!wants(field)) return
  const payload = openEntry(field, TYPE_MAC, 8)
  if (payload == 0) return
  writeMac(mac, payload)
  closeEntry(6, 0)
}

/** Room that any writer of privacy.ts may use for a text of `length` bytes. */
// @ts-ignore: decorator
@inline
export function textRoom(length: u32): u64 {
  return 4 * <u64>length + 160
}

/** Opens a string entry with room for what privacy.ts makes of `length` bytes. */
export function openText(field: u32, length: u32): usize {
  return openEntry(field, TYPE_STRING, textRoom(length))
}

/** Ends a string entry that a writer of privacy.ts filled just now. */
export function closeText(field: u32, payload: usize, length: u32): void {
  noteEncoding(field, payload, length)
  closeEntry(length, valueFlags())
}

/** Free text from traffic. */
export function putText(field: u32, text: usize, length: u32): void {
  if (!wants(field)) return
  const payload = openText(field, length)
  if (payload != 0) closeText(field, payload, writeText(text, length, payload))
}

/** Text of this program itself, `length` bytes; up to 15 bytes behind it are read. */
export function putOwnText(field: u32, text: usize, length: u32): void {
  if (!wants(field)) return
  const payload = openEntry(field, TYPE_STRING, length)
  if (payload == 0) return
  copyOver(payload, text, length)
  closeEntry(length, 0)
}

/** Marks `field` when the bytes at `at` are not valid UTF-8 and so will be shown as ISO-8859-1. True when they are ASCII. */
export function noteEncoding(field: u32, at: usize, length: u32): bool {
  let seen = i8x16.splat(0)
  let done: u32 = 0
  for (; done + 16 <= length; done += 16) seen = v128.or(seen, v128.load(at + done))
  let high = i8x16.bitmask(seen)
  if (done < length) high |= i8x16.bitmask(v128.load(at + done)) & ((1 << (length - done)) - 1)
  if (high == 0) return true
  if (!isUtf8(at, length)) noteMark(field, REASON_NOT_VALID_UTF_8_SHOWN_AS_ISO_8859_1)
  return false
}

/** Says why `field` is cut, missing or unknown; the first reason of a field stands. */
export function noteMark(field: u32, reason: u32): void {
  for (let index: u32 = 0; index < ownMarkCount; index++) {
    if (load<u16>(ownMarks + index * 4) == field) return
  }
  if (ownMarkCount >= OWN_MARKS_MAX) return
  store<u16>(ownMarks + ownMarkCount * 4, field)
  store<u16>(ownMarks + ownMarkCount * 4, reason, 2)
  ownMarkCount++
}

export function notedMarks(): usize {
  return ownMarks
}

export function notedMarkCount(): u32 {
  return ownMarkCount
}

/**
 * Puts `value` into the int field `field` of a finished record: for a number that is known only when the record has passed
 * every filter. False when the record does not have the field.
 */
export function setRecordInt(pointer: usize, field: u32, value: f64): bool {
  let entry = pointer + RECORD_ENTRIES
  for (let left = <u32>load<u16>(pointer, RECORD_COUNT); left > 0; left--) {
    const id = <u32>load<u16>(entry, ENTRY_FIELD)
    if (id > field) return false
    if (id == field) {
      store<i64>(entry, <i64>value, ENTRY_PAYLOAD)
      return true
    }
    entry += ENTRY_PAYLOAD + ((load<u32>(entry, ENTRY_LENGTH) + 7) & ~7)
  }
  return false
}
