/**
 * The dynamic table of one direction (RFC 7541 2.3.2), as a passive observer can know it: a window of the newest entries.
 *
 * Indices count from the newest entry, so an entry that was seen to go in is told right however much is unknown of older ones.
 * What makes that hold where the encoder's size is not known: an encoder never names an entry that was evicted, and an entry
 * that was too large to go in evicted all before it (RFC 7541 4.4), so nothing behind it is named any more.
 *
 * Bound: HPACK_KEPT_BYTES_MAX as RFC 7541 4.1 counts them; room grows with use. Without room the oldest entries go.
 */
import { alloc, free } from './allocator'
import { copyOver } from './copy'
import {
  HPACK_BOUND, HPACK_COUNT, HPACK_KEPT_BYTES_MAX, HPACK_SIZE, HPACK_SIZE_MAX, HPACK_TABLE_BYTES, HPACK_UNKNOWN,
} from './hpack-contract'

const ROOM: usize = 12 // u32: bytes of entries there is room for
const BLOCK: usize = 16 // u32: entries, then their texts; 0 = none
const HEAD: usize = 20 // u32: place of the next entry in the ring
const NEXT: usize = 24 // u32: where the next text goes, in bytes ever written
const BASE: usize = 28 // u32: what the first byte of the texts is, in bytes ever written
const WHOLE: usize = 32 // u32: 1 = the encoder has no entry that is not in the window
const ROOM_MIN: u32 = 512
const ENTRY_OVERHEAD: u32 = 32
/** Copies in steps of 16 may touch so many bytes behind a text. */
const COPY_OVERRUN: u32 = 16

// An entry: u32 where its name is, in bytes ever written, its value right behind; then:
export const ENTRY_BYTES: u32 = 20
export const DYNAMIC_NAME_LENGTH: usize = 4 // u16
export const DYNAMIC_ID: usize = 6 // u16: name id or PSEUDO_*
export const DYNAMIC_VALUE_LENGTH: usize = 8 // u32
export const DYNAMIC_ODDITIES: usize = 12 // u32: ODDITY_* of its texts
export const DYNAMIC_FLAGS: usize = 16 // u32: DYNAMIC_NAMELESS
/** The name was taken from an entry that is not known; its length counts as 0. */
export const DYNAMIC_NAMELESS: u32 = 1

// @ts-ignore: decorator
@inline
function get(table: usize, offset: usize): u32 {
  return load<u32>(table + offset)
}

// @ts-ignore: decorator
@inline
function set(table: usize, offset: usize, value: u32): void {
  store<u32>(table + offset, value)
}

// @ts-ignore: decorator
@inline
function ringOf(room: u32): u32 {
  return room / ENTRY_OVERHEAD
}

/** Texts have twice the room of their entries, so that they are moved once in so many bytes. */
// @ts-ignore: decorator
@inline
function blockBytes(room: u32): u32 {
  return ringOf(room) * ENTRY_BYTES + 2 * room + COPY_OVERRUN
}

/** Begins a table in HPACK_TABLE_BYTES at `table`: empty when the connection begins, else nothing is known of it. */
export function openHpackTable(table: usize, isNew: u32): void {
  memory.fill(table, 0, HPACK_TABLE_BYTES)
  set(table, HPACK_SIZE_MAX, isNew != 0 ? 4096 : HPACK_UNKNOWN)
  set(table, HPACK_BOUND, isNew != 0 ? 4096 : HPACK_UNKNOWN)
  set(table, WHOLE, isNew)
}

/** Gives back what the table holds; its own block is the caller's. */
export function closeHpackTable(table: usize): void {
  if (get(table, BLOCK) != 0) free(get(table, BLOCK), blockBytes(get(table, ROOM)))
  set(table, BLOCK, 0)
  set(table, ROOM, 0)
  clear(table)
}

/** A block was lost: how many entries it put in, and whether it changed the size, is not known. */
export function loseHpackTable(table: usize): void {
  clear(table)
  set(table, WHOLE, 0)
  set(table, HPACK_SIZE_MAX, HPACK_UNKNOWN)
}

function clear(table: usize): void {
  set(table, HPACK_COUNT, 0)
  set(table, HPACK_SIZE, 0)
}

/** True when every entry the encoder can name is in the window. */
// @ts-ignore: decorator
@inline
export function isWhole(table: usize): bool {
  return get(table, WHOLE) != 0
}

// @ts-ignore: decorator
@inline
function entryAt(table: usize, back: u32): usize {
  const ring = ringOf(get(table, ROOM))
  const head = get(table, HEAD)
  const place = head > back ? head - 1 - back : head + ring - 1 - back
  return <usize>(get(table, BLOCK) + place * ENTRY_BYTES)
}

/** The entry that went in `back` entries before the newest; 0 = not in the window. */
export function dynamicEntry(table: usize, back: u32): usize {
  return back < get(table, HPACK_COUNT) ? entryAt(table, back) : 0
}

/** Where the entry's name is, its value right behind. Valid until the next insertion. */
// @ts-ignore: decorator
@inline
export function dynamicText(table: usize, entry: usize): usize {
  return <usize>(get(table, BLOCK) + ringOf(get(table, ROOM)) * ENTRY_BYTES + (load<u32>(entry) - get(table, BASE)))
}

// @ts-ignore: decorator
@inline
function sizeOf(entry: usize): u32 {
  return <u32>load<u16>(entry, DYNAMIC_NAME_LENGTH) + load<u32>(entry, DYNAMIC_VALUE_LENGTH) + ENTRY_OVERHEAD
}

/** Lets the oldest entries go until `size` bytes are left at most; true when one went. */
function evictTo(table: usize, size: u32): bool {
  let count = get(table, HPACK_COUNT)
  let left = get(table, HPACK_SIZE)
  if (left <= size) return false
  while (count > 0 && left > size) left -= sizeOf(entryAt(table, --count))
  set(table, HPACK_COUNT, count)
  set(table, HPACK_SIZE, left)
  return true
}

/** A size update (RFC 7541 6.3). */
export function resizeTable(table: usize, size: u32): void {
  set(table, HPACK_SIZE_MAX, size)
  // What was evicted here is older than all that is left: so is everything that is not known.
  if (evictTo(table, size) || size < ENTRY_OVERHEAD) set(table, WHOLE, 1)
}

/** Room for entries of `size` bytes in all; false = the memory limit refused it. */
function grow(table: usize, size: u32): bool {
  const before = get(table, ROOM)
  let room = max<u32>(before, ROOM_MIN)
  while (room < size) room <<= 1
  const block = alloc(blockBytes(room))
  if (block == 0) return false
  const count = get(table, HPACK_COUNT)
  const texts = block + ringOf(room) * ENTRY_BYTES
  let at: u32 = 0
  for (let index: u32 = 0; index < count; index++) {
    const entry = entryAt(table, count - 1 - index)
    const bytes = sizeOf(entry) - ENTRY_OVERHEAD
    const to = block + index * ENTRY_BYTES
    memory.copy(to, entry, ENTRY_BYTES)
    store<u32>(to, at)
    copyOver(texts + at, dynamicText(table, entry), bytes)
    at += bytes
  }
  if (before != 0) free(get(table, BLOCK), blockBytes(before))
  set(table, BLOCK, block as u32)
  set(table, ROOM, room)
  set(table, HEAD, count)
  set(table, BASE, 0)
  set(table, NEXT, at)
  return true
}

/** Where a text of `bytes` goes: the live texts are moved to the front when the end is reached. */
function textRoom(table: usize, bytes: u32): usize {
  const room = get(table, ROOM)
  const texts = <usize>(get(table, BLOCK) + ringOf(room) * ENTRY_BYTES)
  const next = get(table, NEXT)
  if (next - get(table, BASE) + bytes > 2 * room) {
    const count = get(table, HPACK_COUNT)
    const oldest = count == 0 ? next : load<u32>(entryAt(table, count - 1))
    memory.copy(texts, texts + (oldest - get(table, BASE)), next - oldest)
    set(table, BASE, oldest)
  }
  return texts + (next - get(table, BASE))
}

/** Puts an entry in (RFC 7541 4.4); the texts must not lie in the table. */
export function insertEntry(table: usize, name: usize, nameLength: u32, id: u32, value: usize, valueLength: u32, oddities: u32,
  flags: u32): void {
  const size = nameLength + valueLength + ENTRY_OVERHEAD
  const most = get(table, HPACK_SIZE_MAX)
  if (most != HPACK_UNKNOWN) {
    if (size > most) {
      clear(table)
      set(table, WHOLE, 1)
      return
    }
    if (evictTo(table, most - size)) set(table, WHOLE, 1)
  }
  // One that cannot be kept counts all the same: what is older than it is not known any more.
  if (size > (HPACK_KEPT_BYTES_MAX as u32)) return forget(table)
  if (evictTo(table, HPACK_KEPT_BYTES_MAX - size)) set(table, WHOLE, 0)
  if (get(table, HPACK_SIZE) + size > get(table, ROOM) && !grow(table, get(table, HPACK_SIZE) + size)) {
    if (size > get(table, ROOM)) return forget(table)
    evictTo(table, get(table, ROOM) - size)
    set(table, WHOLE, 0)
  }
  const bytes = nameLength + valueLength
  const text = textRoom(table, bytes)
  copyOver(text, name, nameLength)
  copyOver(text + nameLength, value, valueLength)
  const head = get(table, HEAD)
  const entry = <usize>(get(table, BLOCK) + head * ENTRY_BYTES)
  store<u32>(entry, get(table, NEXT))
  store<u16>(entry, nameLength as u16, DYNAMIC_NAME_LENGTH)
  store<u16>(entry, id as u16, DYNAMIC_ID)
  store<u32>(entry, valueLength, DYNAMIC_VALUE_LENGTH)
  store<u32>(entry, oddities, DYNAMIC_ODDITIES)
  store<u32>(entry, flags, DYNAMIC_FLAGS)
  set(table, HEAD, head + 1 == ringOf(get(table, ROOM)) ? 0 : head + 1)
  set(table, NEXT, get(table, NEXT) + bytes)
  set(table, HPACK_COUNT, get(table, HPACK_COUNT) + 1)
  set(table, HPACK_SIZE, get(table, HPACK_SIZE) + size)
}

function forget(table: usize): void {
  clear(table)
  set(table, WHOLE, 0)
}
